//! Reading files with an error that names them, and replacing them atomically.
//!
//! Does not know what is in a file.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use thiserror::Error as ThisError;

use crate::explain::{Exit, Explain};

/// A file that could not be read or written.
#[derive(Debug, ThisError)]
pub enum Error {
    /// It does not exist.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// It exists and cannot be read.
    #[error("could not read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// It has more bytes than what it should be can have.
    #[error("{} has more than {} and was not read", .0.display(), size(*.1))]
    TooLarge(PathBuf, u64),
    /// It is a device, which may have no end.
    #[error("{} is a device, not a file", .0.display())]
    Device(PathBuf),
    /// It is not UTF-8; the offset of the first wrong byte.
    #[error("{} is not UTF-8: byte {} is wrong", .0.display(), .1 + 1)]
    NotText(PathBuf, usize),
    /// It cannot be written; whatever was there before is untouched.
    #[error("could not write {}; it is as it was before", .0.display())]
    Write(PathBuf, #[source] io::Error),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing(_) | Self::Read(..) | Self::TooLarge(..) | Self::Device(_) | Self::NotText(..) => {
                Exit::Usage
            }
            Self::Write(..) => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Missing(_) => {
                Some("`osmt-bootstrap init` renders it; `--dir` or `--config` names another place".into())
            }
            Self::NotText(..) => Some("save the file as UTF-8".into()),
            Self::Write(_, error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Some("the folder must be writable: the file is replaced as a whole, by one beside it".into())
            }
            Self::Read(..) | Self::TooLarge(..) | Self::Device(_) | Self::Write(..) => None,
        }
    }
}

/// A number of bytes in words.
fn size(bytes: u64) -> String {
    if bytes >> 20 > 0 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}

/// Reads a file whole.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::Missing(path.to_owned()),
        _ => Error::Read(path.to_owned(), error),
    })
}

/// Reads a file whole unless it has more than so many bytes; a larger one, and a device, is refused before it is read.
pub fn read_at_most(path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::Missing(path.to_owned()),
        _ => Error::Read(path.to_owned(), error),
    };
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

/// Replaces a file atomically: readers see the old content or the new, never a part.
///
/// What is no regular file (a pipe, a device) is written to as it is. Mode and owner of an existing file are kept (the owner as far as the process may), a symbolic link is followed,
/// and a file that cannot be replaced is left as it was.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let special = fs::metadata(&target).is_ok_and(|found| !found.is_file() && !found.is_dir());
    let written = if special {
        let open = fs::OpenOptions::new().write(true).open(&target);
        open.and_then(|mut file| file.write_all(content))
    } else {
        replace(&target, content)
    };
    written.map_err(|error| Error::Write(path.to_owned(), error))
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".osmt-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(content)?;
    if let Ok(before) = fs::metadata(path) {
        file.as_file().set_permissions(before.permissions())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            // Only root may give a file away; another user keeps what is possible.
            let _ = std::os::unix::fs::chown(file.path(), Some(before.uid()), Some(before.gid()));
        }
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
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
}
