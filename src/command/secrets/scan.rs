//! `osmt-secrets scan`: search files for the keyring's values.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::deployment::KeyringArg;
use super::entries::read_all;
use crate::command::Context;
use crate::explain::{self, Exit, Failure, count};
use crate::report::VERSION;
use crate::secrets::catalog::Origin;
use crate::secrets::redact::Redactor;

/// Shorter values are not searched for: they would be found in any text.
const MIN_LENGTH: usize = 6;

/// Search files and folders for the keyring's values, also encoded; exit 1 where one is found.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-secrets scan .\n  osmt-secrets scan build/logs")]
pub(super) struct Scan {
    #[command(flatten)]
    keyring: KeyringArg,
    /// Files and folders; `-` is stdin.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    /// The number of files that were read to the end.
    searched: usize,
    hits: Vec<Found>,
    unread: Vec<Unread>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    path: String,
    line: usize,
    name: String,
}

#[derive(Serialize)]
struct Unread {
    path: String,
    reason: String,
}

impl Scan {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let deployment = &self.keyring.deployment(cx)?;
        let keyring = deployment.keyring()?;
        let local = read_all(&keyring, &deployment.catalog)?;
        let mut names = Vec::new();
        let mut values = Vec::new();
        for secret in &deployment.catalog.0 {
            let value = local.values.get(&secret.name).filter(|_| !matches!(secret.origin, Origin::Fixed(_)));
            match value {
                Some(value) if value.expose_secret().len() < MIN_LENGTH => {
                    deployment.ui.warn(format_args!("{} is too short to search for", secret.name));
                }
                Some(value) => {
                    names.push(secret.name.clone());
                    values.push(value);
                }
                None => {}
            }
        }
        if values.is_empty() {
            return Err(Failure::new(Exit::Refused, format!("{} has no value to search for", keyring.kind))
                .help("`osmt-secrets pull` copies the values from AWS"));
        }
        let mut search = Search {
            redactor: Redactor::new(values),
            names,
            searched: 0,
            hits: BTreeSet::new(),
            unread: Vec::new(),
        };
        for path in &self.paths {
            if path.as_os_str() == "-" {
                search.stream("-", &mut io::stdin().lock());
            } else {
                search.path(path);
            }
        }
        let Search { searched, hits, unread, .. } = search;
        let (found, missed) = (!hits.is_empty(), !unread.is_empty());
        for hit in &hits {
            deployment.ui.result(format_args!("{}:{}: {}", hit.path, hit.line, hit.name))?;
        }
        for one in &unread {
            deployment.ui.warn(format_args!("{} was not searched: {}", one.path, one.reason));
        }
        let files = count(searched, "searched file");
        deployment.ui.result(format_args!("{} found in {files}", hits.len()))?;
        let hits = hits.into_iter().collect();
        deployment.ui.json(&Report {
            version: VERSION,
            tool: &deployment.ui.tool,
            searched,
            hits,
            unread,
        })?;
        Ok(match (found, missed) {
            (true, _) => Exit::Pending,
            (false, true) => Exit::Failed,
            (false, false) => Exit::Done,
        })
    }
}

struct Search {
    redactor: Redactor,
    names: Vec<String>,
    searched: usize,
    hits: BTreeSet<Found>,
    unread: Vec<Unread>,
}

impl Search {
    /// Searches a file, or a folder with everything in it. Symbolic links inside a folder are not followed.
    fn path(&mut self, path: &Path) {
        let shown = self.shown(path);
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => match fs::read_dir(path) {
                Ok(entries) => {
                    let mut found = Vec::new();
                    for entry in entries {
                        match entry {
                            Ok(entry) => found.push(entry),
                            Err(error) => self.miss(shown.clone(), error.to_string()),
                        }
                    }
                    found.sort_by_key(fs::DirEntry::path);
                    for entry in found {
                        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
                        if !is_link {
                            self.path(&entry.path());
                        }
                    }
                }
                Err(error) => self.miss(shown, error.to_string()),
            },
            Ok(found) if found.is_file() => match open(path) {
                Ok(Ok(mut file)) => self.stream(&shown, &mut file),
                Ok(Err(reason)) => self.miss(shown, reason.to_owned()),
                Err(error) => self.miss(shown, error.to_string()),
            },
            Ok(_) => self.miss(shown, "it is not a regular file".to_owned()),
            Err(error) => self.miss(shown, error.to_string()),
        }
    }

    /// A path with values masked: a file name may contain one, and the user may give one instead of a path.
    fn shown(&self, path: &Path) -> String {
        let text = explain::shown(path);
        let mut shown = Vec::new();
        // Writing to memory cannot fail.
        let _ = self.redactor.copy(&mut text.as_bytes(), &mut shown);
        String::from_utf8_lossy(&shown).into_owned()
    }

    fn stream(&mut self, path: &str, from: &mut dyn Read) {
        match self.redactor.find(from) {
            Ok(hits) => {
                self.searched += 1;
                let names = &self.names;
                self.hits.extend(hits.into_iter().map(|hit| Found {
                    path: path.to_owned(),
                    line: hit.line,
                    name: names[hit.value].clone(),
                }));
            }
            Err(error) => self.miss(path.to_owned(), error.to_string()),
        }
    }

    fn miss(&mut self, path: String, reason: String) {
        self.unread.push(Unread { path, reason });
    }
}

/// Opens a file; the inner error is the reason why its bytes cannot be searched.
fn open(path: &Path) -> io::Result<Result<File, &'static str>> {
    let mut file = File::open(path)?;
    let mut head = [0u8; 4];
    let count = file.read(&mut head)?;
    file.rewind()?;
    Ok(match &head[..count] {
        [b'P', b'K', 3, 4] => {
            Err("it is a ZIP archive; for a saved plan use `terraform show -json FILE | osmt-secrets scan -`")
        }
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd] | [b'B', b'Z', b'h', _] | [0xfd, b'7', b'z', b'X'] => {
            Err("it is compressed")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err("it is UTF-16"),
        _ => Ok(file),
    })
}
