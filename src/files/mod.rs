//! Reads files, with errors that name the file, and replaces them atomically.

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod attributes;

use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use thiserror::Error as ThisError;

pub use crate::explain::shown;
use crate::explain::{Exit, Explain};

/// A file that could not be read or written.
#[derive(Debug, ThisError)]
pub enum Error {
    /// It does not exist.
    #[error("{} does not exist", shown(.0))]
    Missing(PathBuf),
    /// It exists but cannot be read.
    #[error("could not read {}", shown(.0))]
    Read(PathBuf, #[source] io::Error),
    /// It is larger than a file of its kind can be.
    #[error("{} has more than {} and was not read", shown(.0), size(*.1))]
    TooLarge(PathBuf, u64),
    /// It is a device, which may never end.
    #[error("{} is a device, not a file", shown(.0))]
    Device(PathBuf),
    /// It is not UTF-8; the offset of the first invalid byte.
    #[error("{} is not UTF-8: byte {} is invalid", shown(.0), .1 + 1)]
    NotText(PathBuf, usize),
    /// It cannot be written. An existing file was not changed.
    #[error("could not write {}; it was not changed", shown(.0))]
    Write(PathBuf, #[source] io::Error),
    /// It was written in place, and the write ended half-way.
    #[error("could not write {} in place; its content is damaged", shown(.0))]
    Damaged(PathBuf, #[source] io::Error),
    /// Another process changed it after it was read.
    #[error("{} changed in the meantime", shown(.0))]
    Changed(PathBuf),
    /// Its mode does not allow writing.
    #[error("{} is read-only", shown(.0))]
    ReadOnly(PathBuf),
    /// It has other hard links, which would keep the old content.
    #[error("{} has {} hard links", shown(.0), .1)]
    HardLinks(PathBuf, u64),
    /// An access control list or another attribute cannot be copied to the new file.
    #[error("{} has the attribute {}, which cannot be kept", shown(.0), .1)]
    Attribute(PathBuf, String, #[source] io::Error),
    /// It is a mount point, such as a file that is mounted into a container. It can only be written in place.
    #[error("{} is a mount point and cannot be replaced; it was not changed", shown(.0))]
    MountPoint(PathBuf),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing(_) | Self::Read(..) | Self::TooLarge(..) | Self::Device(_) | Self::NotText(..) => {
                Exit::Usage
            }
            Self::Write(..) | Self::Damaged(..) => Exit::Failed,
            Self::Changed(_)
            | Self::ReadOnly(_)
            | Self::HardLinks(..)
            | Self::Attribute(..)
            | Self::MountPoint(_) => Exit::Refused,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Missing(_) => {
                "check the path; `osmt-bootstrap init` creates the config, `--dir` or `--config` selects another one"
            }
            Self::NotText(..) => "save the file as UTF-8",
            Self::TooLarge(..) => "check the path",
            Self::Write(_, error) if error.kind() == io::ErrorKind::PermissionDenied => {
                "the folder must be writable, because the file is replaced by a new one"
            }
            Self::Write(_, error)
                if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) =>
            {
                "free some space on that file system, then run it again (`df -h` shows what is full, `df -i` \
                 whether it is out of inodes)"
            }
            Self::Write(_, error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                "the file system is mounted read-only (`mount` shows it): mount it writable, or use another folder"
            }
            Self::Damaged(..) => "restore it from your repository or a backup, then run it again",
            Self::Changed(_) => "run this again; it then reads the file again",
            Self::ReadOnly(_) => {
                "if it may be changed, make it writable first (`chmod u+w`; `lsattr` shows an immutable file, \
                 `mount` a read-only file system)"
            }
            Self::HardLinks(..) => {
                "the file is replaced by a new one, and its other names would keep the old content; leave one name, \
                 or use symbolic links"
            }
            Self::Attribute(..) => {
                "remove the attribute (`setfacl -b`, `setfattr -x`), or run as the file's owner"
            }
            Self::MountPoint(_) => "mount the folder instead of the file",
            Self::Device(_) | Self::Read(..) | Self::Write(..) => return None,
        };
        Some(help.to_owned())
    }
}

/// A number of bytes in MiB or KiB.
fn size(bytes: u64) -> String {
    if bytes >> 20 > 0 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::Missing(path.to_owned()),
        _ => Error::Read(path.to_owned(), error),
    }
}

/// Reads a file of at most `max` bytes. A larger file and a device are refused before they are read.
pub fn read_at_most(path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    let failed = |error: io::Error| unreadable(path, error);
    let found = fs::metadata(path).map_err(failed)?;
    if found.is_file() && found.len() > max {
        return Err(Error::TooLarge(path.to_owned(), max));
    }
    if is_device(&found) {
        return Err(Error::Device(path.to_owned()));
    }
    // A pipe has no length.
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(max + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > max { Err(Error::TooLarge(path.to_owned(), max)) } else { Ok(bytes) }
}

#[cfg(unix)]
fn is_device(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    found.file_type().is_char_device() || found.file_type().is_block_device()
}

#[cfg(not(unix))]
fn is_device(_: &fs::Metadata) -> bool {
    false
}

/// Reads a file as UTF-8 text.
pub fn read_text(path: &Path) -> Result<String, Error> {
    String::from_utf8(read(path)?)
        .map_err(|error| Error::NotText(path.to_owned(), error.utf8_error().valid_up_to()))
}

/// Replaces a file unless it changed since it was read. `before` is the content that was read, `None` if it did not exist.
pub fn rewrite(path: &Path, before: Option<&[u8]>, content: &[u8]) -> Result<(), Error> {
    check_unchanged(path, before)?;
    write(path, content)
}

/// Writes a mount point, which cannot be replaced, in place: not atomically, so the user is asked first.
///
/// What the new content has more is written first, behind the old one: where there is no room for it, nothing was changed.
pub fn write_in_place(path: &Path, before: Option<&[u8]>, content: &[u8]) -> Result<(), Error> {
    check_unchanged(path, before)?;
    let before = before.unwrap_or_default();
    let file = fs::OpenOptions::new().write(true).open(path);
    let file = file.map_err(|error| Error::Write(path.to_owned(), error))?;
    overwrite(&file, before.len(), content).map_err(|error| match overwrite(&file, before.len(), before) {
        Ok(()) => Error::Write(path.to_owned(), error),
        Err(_) => Error::Damaged(path.to_owned(), error),
    })
}

/// Replaces the content of a file of that length, its end first.
fn overwrite(mut file: &fs::File, length: usize, content: &[u8]) -> io::Result<()> {
    let (head, tail) = content.split_at(content.len().min(length));
    for (part, at) in [(tail, head.len()), (head, 0)] {
        file.seek(io::SeekFrom::Start(at as u64))?;
        file.write_all(part)?;
        // A network file system says only now that it has no room.
        file.sync_all()?;
    }
    file.set_len(content.len() as u64)?;
    file.sync_all()
}

/// Refuses a file that changed since it was read. `before` is the content that was read, `None` if it did not exist.
pub fn check_unchanged(path: &Path, before: Option<&[u8]>) -> Result<(), Error> {
    let now = match read(path) {
        Ok(now) => Some(now),
        Err(Error::Missing(_)) => None,
        Err(error) => return Err(error),
    };
    if now.as_deref() == before { Ok(()) } else { Err(Error::Changed(path.to_owned())) }
}

/// Replaces a file atomically: other processes read the old content or the new, never a part.
///
/// A symbolic link is followed; the target of a dangling link is created. Mode, access control list and other attributes are
/// kept, and the owner as far as the process is allowed to set it. If an attribute cannot be kept, the file is not changed. A pipe
/// or a device is written to.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    let failed = |error| Error::Write(path.to_owned(), error);
    let target = resolve_links(path).map_err(failed)?;
    match fs::metadata(&target) {
        Ok(found) if found.is_dir() => Err(failed(io::ErrorKind::IsADirectory.into())),
        Ok(found) if !found.is_file() => {
            let open = fs::OpenOptions::new().write(true).open(&target);
            open.and_then(|mut file| file.write_all(content)).map_err(failed)
        }
        Ok(found) => {
            check_replaceable(path, &target, &found)?;
            replace(path, &target, Some(&found), content)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace(path, &target, None, content),
        Err(error) => Err(failed(error)),
    }
}

/// Refuses a file that `write` would refuse, before anything else is done that ends with writing it.
pub fn writable(path: &Path) -> Result<(), Error> {
    let failed = |error| Error::Write(path.to_owned(), error);
    let target = resolve_links(path).map_err(failed)?;
    match fs::metadata(&target) {
        Ok(found) if found.is_file() => check_replaceable(path, &target, &found)?,
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    #[cfg(unix)]
    {
        let here = |folder: &Path| folder.as_os_str().is_empty();
        let mut above =
            target.ancestors().skip(1).map(|folder| if here(folder) { Path::new(".") } else { folder });
        if let Some(folder) = above.find(|folder| folder.exists()) {
            rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).map_err(|error| failed(error.into()))?;
        }
    }
    Ok(())
}

/// The path behind all symbolic links; the last link may be dangling.
fn resolve_links(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    // Linux follows 40 (path_resolution(7)).
    for _ in 0..40 {
        match fs::read_link(&target) {
            Ok(next) => target = target.parent().map_or_else(|| next.clone(), |folder| folder.join(&next)),
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// Refuses an existing file that is read-only or has other hard links.
fn check_replaceable(path: &Path, target: &Path, found: &fs::Metadata) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if found.nlink() > 1 {
            return Err(Error::HardLinks(path.to_owned(), found.nlink()));
        }
        if rustix::fs::access(target, rustix::fs::Access::WRITE_OK).is_err() {
            return Err(Error::ReadOnly(path.to_owned()));
        }
    }
    // Root can write every file, but a mode without write permission still means that the file must not change.
    if found.permissions().readonly() {
        return Err(Error::ReadOnly(path.to_owned()));
    }
    let _ = target;
    Ok(())
}

fn replace(path: &Path, target: &Path, found: Option<&fs::Metadata>, content: &[u8]) -> Result<(), Error> {
    let failed = |error| Error::Write(path.to_owned(), error);
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let new = NewFile::create(folder, found, content).map_err(failed)?;
    if let Some(found) = found {
        new.copy_metadata(path, target, found)?;
    }
    new.rename_to(folder, target).map_err(|error| match error.kind() {
        io::ErrorKind::ResourceBusy => Error::MountPoint(path.to_owned()),
        _ => Error::Write(path.to_owned(), error),
    })
}

/// The new content in a temporary file, which is deleted unless it replaces the old file.
struct NewFile(tempfile::NamedTempFile);

impl NewFile {
    fn create(folder: &Path, found: Option<&fs::Metadata>, content: &[u8]) -> io::Result<Self> {
        remove_leftovers(folder);
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // Other users may read the new file only as far as the old file's permissions allow, which are set later.
            builder.permissions(fs::Permissions::from_mode(if found.is_some() { 0o600 } else { 0o666 }));
        }
        let _ = found;
        let mut file = builder.tempfile_in(folder)?;
        // The lock distinguishes a file in use from the leftover of a killed process.
        #[cfg(unix)]
        let _ = rustix::fs::flock(file.as_file(), rustix::fs::FlockOperation::NonBlockingLockExclusive);
        file.write_all(content)?;
        Ok(Self(file))
    }

    /// Copies owner, extended attributes (which include access control lists) and mode.
    fn copy_metadata(&self, path: &Path, target: &Path, found: &fs::Metadata) -> Result<(), Error> {
        let file = self.0.as_file();
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            // Only root can change the owner.
            let _ = std::os::unix::fs::chown(self.0.path(), Some(found.uid()), Some(found.gid()));
        }
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        attributes::copy(target, file)
            .map_err(|(name, error)| Error::Attribute(path.to_owned(), name, error))?;
        let _ = target;
        file.set_permissions(found.permissions()).map_err(|error| Error::Write(path.to_owned(), error))
    }

    fn rename_to(self, folder: &Path, target: &Path) -> io::Result<()> {
        self.0.as_file().sync_all()?;
        self.0.persist(target)?;
        // The rename is on disk only after the folder is synced, which not every file system supports.
        #[cfg(unix)]
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
        let _ = folder;
        Ok(())
    }
}

const PREFIX: &str = ".osmt-";

/// Removes the temporary files of processes that were killed between writing and renaming.
#[cfg(unix)]
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_temporary = name
            .strip_prefix(PREFIX)
            .is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if !is_temporary || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let unused = fs::File::open(entry.path()).is_ok_and(|file| {
            rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok()
        });
        if unused {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(not(unix))]
fn remove_leftovers(_: &Path) {}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests create files as another program would")]
mod tests;
