//! Extended attributes of files (xattr(7)).

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};

/// Copies the attributes of a file to another and removes the others, such as the folder's default access control list. Does not
/// touch the attributes that the system sets. The error names the first attribute that cannot be copied.
pub(super) fn copy(from: &Path, to: &File) -> Result<(), (String, io::Error)> {
    let Ok(from) = File::open(from) else { return Ok(()) };
    let (wanted, present) = (names(&from), names(to));
    for (name, shown) in present.iter().filter(|one| !wanted.contains(one)) {
        fremovexattr(to, name).map_err(|error| (shown.clone(), error.into()))?;
    }
    for (name, shown) in wanted {
        let mut value = vec![0; 64 << 10];
        let length =
            fgetxattr(&from, &name, value.as_mut_slice()).map_err(|error| (shown.clone(), error.into()))?;
        fsetxattr(to, &name, &value[..length], XattrFlags::empty()).map_err(|error| (shown, error.into()))?;
    }
    Ok(())
}

/// The names of a file's attributes, also as they are shown.
fn names(file: &File) -> Vec<(CString, String)> {
    let mut names = vec![0; 64 << 10];
    // The file system may not support attributes.
    let Ok(length) = flistxattr(file, names.as_mut_slice()) else { return Vec::new() };
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let names =
        names.filter_map(|name| Some((CString::new(name).ok()?, String::from_utf8_lossy(name).into_owned())));
    names.filter(|(_, shown)| !shown.starts_with("security.") && !shown.starts_with("com.apple.")).collect()
}
