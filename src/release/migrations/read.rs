//! Reads the migrations of commits from git.

use std::collections::BTreeMap;

use super::{Content, FOLDER, Migrations, settings};
use crate::git;
use crate::git::{Entry, Kind, Repository};

/// The folders of classes that Flyway or Spring may use as migrations.
const CODE: [&str; 2] = ["api/src/main/kotlin", "api/src/main/java"];

/// Reads the migrations of each commit. A file that several commits share is read once.
pub fn read(repository: &Repository, commits: &[String]) -> Result<Vec<Migrations>, git::Error> {
    let mut blobs: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut all = Vec::new();
    for commit in commits {
        let mut files = Vec::new();
        for folder in [settings::FOLDER, CODE[0], CODE[1]] {
            files
                .extend(repository.files(commit, folder)?.into_iter().filter(|file| is_relevant(&file.path)));
        }
        for file in files.iter().filter(|file| file.kind == Kind::File && !is_class(&file.path)) {
            if !blobs.contains_key(&file.id) {
                let object = repository.object(&file.id)?;
                let object = object
                    .ok_or_else(|| git::Error::Unreadable { path: file.path.clone(), id: file.id.clone() })?;
                blobs.insert(file.id.clone(), object.content);
            }
        }
        all.push(migrations(&files, &blobs));
    }
    Ok(all)
}

/// Reads the migrations of one commit.
pub fn read_one(repository: &Repository, commit: &str) -> Result<Migrations, git::Error> {
    Ok(read(repository, &[commit.to_owned()])?.pop().unwrap_or_default())
}

/// The number of versioned SQL migrations of a commit, counted by file name.
pub fn count(repository: &Repository, commit: &str) -> Result<usize, git::Error> {
    let files = repository.files(commit, FOLDER)?;
    let files = files.iter().map(|file| (file.path.as_str(), Content::Elsewhere));
    Ok(Migrations::from_files(files).versioned.len())
}

fn is_class(path: &str) -> bool {
    CODE.iter().any(|folder| path.starts_with(folder))
}

fn inside<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    path.strip_prefix(folder)?.strip_prefix('/')
}

/// Whether a file is a migration or has settings of Flyway.
fn is_relevant(path: &str) -> bool {
    if is_class(path) {
        // `V2024_01_01__Fill.kt`; a repeatable class is `R__Name`.
        let file = path.rsplit('/').next().unwrap_or(path);
        let numbered =
            file.strip_prefix('V').is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_digit()));
        return numbered || file.starts_with("R__");
    }
    inside(path, FOLDER).is_some() || inside(path, settings::FOLDER).is_some_and(settings::is_properties)
}

fn migrations(files: &[Entry], blobs: &BTreeMap<String, Vec<u8>>) -> Migrations {
    let bytes = |file: &Entry| blobs.get(&file.id).filter(|_| file.kind == Kind::File).map(Vec::as_slice);
    let migrations = files.iter().filter(|file| is_class(&file.path) || inside(&file.path, FOLDER).is_some());
    let mut all = Migrations::from_files(migrations.map(|file| {
        let content = match bytes(file) {
            _ if is_class(&file.path) => Content::Class,
            Some(bytes) => Content::Bytes(bytes),
            None => Content::Elsewhere,
        };
        (file.path.as_str(), content)
    }));
    for file in
        files.iter().filter(|file| inside(&file.path, settings::FOLDER).is_some_and(settings::is_properties))
    {
        let content = bytes(file).map(String::from_utf8_lossy).unwrap_or_default();
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        all.settings.extend(settings::read(name, &content));
    }
    all
}
