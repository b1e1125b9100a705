//! What `check` and `fix` are given: files, folders that are searched, patterns, the standard input.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::doctor::MAX_BYTES;
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::report::STDIN;

/// The files that are meant, in the order given; those of a folder or pattern by name.
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
                .help("a folder is searched for *.tfvars.json; name the files otherwise"));
        }
        files.extend(found);
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(files)
}

/// Variable files below a folder; hidden folders and those of dependencies are left out, links are not followed.
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

/// The pattern that a path is, unless a file has that name.
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

/// More bytes than a file has that is worth a finding: a larger one, and a device, is not read at all.
const LARGEST: u64 = 64 << 20;

/// A file's bytes, or those of the standard input; more than a config can have is not read.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, files::Error> {
    if path != Path::new(STDIN) {
        return files::read_at_most(path, LARGEST);
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map(|_| bytes).map_err(|error| files::Error::Read(path.to_owned(), error))
}
