use super::*;

#[test]
fn replaces_whole_and_keeps_the_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/config.json");
    write(&path, b"one").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    }
    write(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no litter");
}

#[cfg(unix)]
#[test]
fn a_device_stays_a_device() {
    use std::os::unix::fs::FileTypeExt as _;
    write(Path::new("/dev/null"), b"gone").unwrap();
    let kind = fs::metadata("/dev/null").unwrap().file_type();
    assert!(kind.is_char_device());
}

#[test]
fn a_missing_file_is_bad_usage() {
    let error = read_text(Path::new("/nowhere/config.json")).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
}

#[cfg(unix)]
#[test]
fn what_the_file_was_it_stays() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("real.json"), "one").unwrap();
    symlink("real.json", at("link.json")).unwrap();
    write(&at("link.json"), b"two").unwrap();
    assert_eq!(fs::read(at("real.json")).unwrap(), b"two");
    assert!(fs::symlink_metadata(at("link.json")).unwrap().is_symlink());
    // A dangling link: its target is made.
    symlink("later.json", at("dangling.json")).unwrap();
    write(&at("dangling.json"), b"three").unwrap();
    assert_eq!(fs::read(at("later.json")).unwrap(), b"three");
    assert!(fs::symlink_metadata(at("dangling.json")).unwrap().is_symlink());
    // Links that lead nowhere but to each other.
    symlink("b", at("a")).unwrap();
    symlink("a", at("b")).unwrap();
    assert!(matches!(write(&at("a"), b"x"), Err(Error::Write(..))));
    // Other names would keep the old content.
    fs::hard_link(at("real.json"), at("other.json")).unwrap();
    assert!(matches!(write(&at("real.json"), b"x"), Err(Error::HardLinks(_, 2))));
    assert_eq!(fs::read(at("other.json")).unwrap(), b"two");
}

#[cfg(unix)]
#[test]
fn a_read_only_file_stays() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    fs::write(&path, "one").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let error = write(&path, b"two").unwrap_err();
    assert!(matches!(error, Error::ReadOnly(_)));
    assert_eq!(error.exit(), Exit::Refused);
    assert_eq!(fs::read(&path).unwrap(), b"one");
}

#[cfg(target_os = "linux")]
#[test]
fn extended_attributes_are_kept() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let path = folder.path().join("config.json");
    fs::write(&path, "one").unwrap();
    setxattr(&path, c"user.note", b"kept", XattrFlags::empty()).unwrap();
    write(&path, b"two").unwrap();
    let mut value = vec![0; 100];
    let length = getxattr(&path, c"user.note", value.as_mut_slice()).unwrap();
    assert_eq!(&value[..length], b"kept");
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_inherited_from_the_folder_that_the_file_did_not_have() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let path = folder.path().join("config.json");
    fs::write(&path, "one").unwrap();
    // acl(5): user::rwx, user:65534:rwx, group::r-x, mask::rwx, other::r-x.
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in
        [(1_u16, 7_u16, u32::MAX), (2, 7, 65534), (4, 5, u32::MAX), (16, 7, u32::MAX), (32, 5, u32::MAX)]
    {
        list.extend(tag.to_le_bytes().into_iter().chain(rights.to_le_bytes()).chain(id.to_le_bytes()));
    }
    if setxattr(folder.path(), c"system.posix_acl_default", &list, XattrFlags::empty()).is_err() {
        // A file system without access control lists.
        return;
    }
    write(&path, b"two").unwrap();
    let mut value = vec![0; 100];
    let inherited = getxattr(&path, c"system.posix_acl_access", value.as_mut_slice());
    assert_eq!(inherited, Err(rustix::io::Errno::NODATA));
    // A new file gets what its folder gives it.
    write(&folder.path().join("new.json"), b"one").unwrap();
    let new = getxattr(folder.path().join("new.json"), c"system.posix_acl_access", value.as_mut_slice());
    assert!(new.is_ok());
}

#[test]
fn written_in_place_it_has_the_new_content_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let mut before: Option<Vec<u8>> = Some(Vec::new());
    write(&path, b"").unwrap();
    for content in ["some", "longer than it was", "short", "", "again"] {
        write_in_place(&path, before.as_deref(), content.as_bytes()).unwrap();
        assert_eq!(read_text(&path).unwrap(), content);
        before = Some(content.as_bytes().to_vec());
    }
    assert!(matches!(write_in_place(&path, Some(b"other"), b"x"), Err(Error::Changed(_))));
}

#[cfg(unix)]
#[test]
fn what_cannot_be_written_is_known_before() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    writable(&at("new.json")).unwrap();
    writable(&at("new/folder/new.json")).unwrap();
    assert!(!at("new").exists() && !at("new.json").exists());
    write(&at("old.json"), b"one").unwrap();
    writable(&at("old.json")).unwrap();
    fs::hard_link(at("old.json"), at("other.json")).unwrap();
    assert!(matches!(writable(&at("old.json")), Err(Error::HardLinks(_, 2))));
    fs::remove_file(at("other.json")).unwrap();
    fs::set_permissions(at("old.json"), fs::Permissions::from_mode(0o444)).unwrap();
    assert!(matches!(writable(&at("old.json")), Err(Error::ReadOnly(_))));
}

#[test]
fn a_file_that_changed_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    rewrite(&path, None, b"one").unwrap();
    rewrite(&path, Some(b"one"), b"two").unwrap();
    for before in [None, Some(b"one".as_slice())] {
        let error = rewrite(&path, before, b"three").unwrap_err();
        assert!(matches!(error, Error::Changed(_)));
        assert_eq!(error.exit(), Exit::Refused);
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(rewrite(&path, Some(b"two"), b"three"), Err(Error::Changed(_))));
    assert!(!path.exists());
}

#[test]
fn what_a_killed_process_left_goes_with_the_next_write() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in [".osmt-Ab12Cd", ".osmt-notes.txt", ".osmt-used12"] {
        fs::write(at(name), "x").unwrap();
    }
    let used = fs::File::open(at(".osmt-used12")).unwrap();
    #[cfg(unix)]
    rustix::fs::flock(&used, rustix::fs::FlockOperation::LockExclusive).unwrap();
    write(&at("config.json"), b"one").unwrap();
    assert!(!at(".osmt-Ab12Cd").exists() && at(".osmt-notes.txt").exists() && at(".osmt-used12").exists());
}

#[cfg(unix)]
#[test]
fn no_more_is_read_than_such_a_file_has() {
    assert!(matches!(read_at_most(Path::new("/dev/zero"), 1000), Err(Error::Device(_))));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    fs::write(&path, "12345").unwrap();
    assert_eq!(read_at_most(&path, 5).unwrap(), b"12345");
    assert!(matches!(read_at_most(&path, 4), Err(Error::TooLarge(_, 4))));
}

#[test]
fn a_name_cannot_forge_a_line_of_output() {
    let error = read(Path::new("x\nerror: \u{1b}[31mforged")).unwrap_err();
    assert_eq!(error.to_string(), "x␊error: ␛[31mforged does not exist");
}
