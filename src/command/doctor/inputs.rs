//! The arguments of `check` and `fix`: files, folders to search, patterns, stdin.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::doctor::MAX_BYTES;
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::report::STDIN;

/// The files of the arguments, in the given order; those of a folder or pattern are sorted by name.
pub(super) fn expand(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in given {
        let found = if path.is_dir() {
            let mut found = Vec::new();
            search(path, &mut found)?;
            found
        } else if let Some(pattern) = pattern(path) {
            matching(pattern)?
        } else {
            files.push(path.clone());
            continue;
        };
        if found.is_empty() {
            let message = format!("no config found in {}", shown(path));
            return Err(Failure::new(Exit::Usage, message)
                .help("a folder is searched for *.tfvars.json; give files with other names one by one"));
        }
        files.extend(found);
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(files)
}

/// Variable files below a folder, without hidden folders and folders of dependencies. Symbolic links are not followed.
fn search(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let error = |error| files::Error::Read(folder.to_owned(), error);
    let mut entries: Vec<_> =
        fs::read_dir(folder).map_err(error)?.collect::<Result<Vec<_>, _>>().map_err(error)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(error)?;
        if kind.is_dir() && !name.starts_with('.') && !["node_modules", "target"].contains(&name.as_str()) {
            search(&entry.path(), found)?;
        } else if !kind.is_dir() && name.ends_with(".tfvars.json") {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// The path as a pattern, unless a file has this name.
fn pattern(path: &Path) -> Option<glob::Paths> {
    let text = path.to_str().filter(|text| text.contains(['*', '?', '[']))?;
    if path.exists() { None } else { glob::glob(text).ok() }
}

fn matching(paths: glob::Paths) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|error| {
            let path = error.path().to_owned();
            files::Error::Read(path, error.into())
        })?;
        if !path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

/// A larger file is an error, and so is a device. A file between [`MAX_BYTES`] and this limit is a finding.
const MAX_READ_BYTES: u64 = 64 << 20;

/// Reads a file or stdin. Of stdin, not more is read than a config may have.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, files::Error> {
    if path != Path::new(STDIN) {
        return files::read_at_most(path, MAX_READ_BYTES);
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map(|_| bytes).map_err(|error| files::Error::Read(path.to_owned(), error))
}
