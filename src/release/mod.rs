//! Selects the commit of OSMT to deploy, migrates the database, records the deployment, and shows what runs.
//!
//! [`Osmt`] is a checkout of OSMT. [`Candidate`] is everything that the guards need to know about a revision before it is
//! selected. [`plan`] is the edit of the config. Nothing here builds or pushes an image.

mod candidate;
pub mod checkout;
pub mod companions;
pub mod database;
pub mod guards;
pub mod maintenance;
pub mod migrate;
pub mod migrations;
pub mod notes;
pub mod pom;
pub mod record;
pub mod running;
pub mod serving;
pub mod sql;
pub mod status;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::Config;
use crate::document::Document;
use crate::explain::shown;
use crate::plan::{Action, Line, Plan, Verb};

pub use candidate::{Base, Candidate, From, Request, Source, Wanted};
pub use checkout::{Error, Link, Osmt, Release, Snapshot, Summary, image, is_digest, is_docker_tag};

/// The setting that a selection writes.
pub const POINTER: &str = "/config/ecs/task/app/docker_tag";

/// The setting with the OSMT release that the image contains.
const VERSION: &str = "/config/app/version";

/// The edit of the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The config.
    pub file: PathBuf,
    /// The old image tag.
    pub from: String,
    /// The new image tag.
    pub to: String,
    /// The old and the new `app.version`, if it is written too.
    pub version: Option<(Option<String>, String)>,
    /// The new content of the file.
    pub text: String,
}

impl Action for Edit {
    fn line(&self) -> Line {
        let mut line = Line::new(Verb::Update, format!("config {}", shown(&self.file)));
        if self.from != self.to {
            line = line.setting("ecs.task.app.docker_tag", Some(self.from.clone()), Some(self.to.clone()));
        }
        if let Some((from, to)) = &self.version {
            line = line.setting("app.version", from.clone(), Some(to.clone()));
        }
        line
    }
}

/// The edit that selects a candidate; empty if it is already selected.
pub fn plan(file: &Path, document: &Document, config: &Config, candidate: &Candidate) -> Plan<Edit> {
    let (from, to) = (&config.ecs.task.app.docker_tag, &candidate.docker_tag);
    let version = version(config, candidate);
    let mut text = Some(document.text().to_owned());
    if from != to {
        text = document.with(POINTER, &Value::String(to.clone()));
    }
    if let Some((written, version)) = &version {
        let value = Value::String(version.clone());
        let edited = text.and_then(|text| Document::parse(text).ok());
        text = edited.and_then(|document| match written {
            Some(_) => document.with(VERSION, &value),
            None => document.with_member("/config/app", "version", &value),
        });
    }
    text.filter(|text| text != document.text())
        .map(|text| Edit { file: file.to_owned(), from: from.clone(), to: to.clone(), version, text })
        .into_iter()
        .collect()
}

/// The old and the new `app.version`, if it must be written: the tag is not a version, or another version is written.
fn version(config: &Config, candidate: &Candidate) -> Option<(Option<String>, String)> {
    let written = config.app.version.clone();
    let release = candidate.line.clone()?;
    let follows = candidate.docker_tag == release;
    let needed = if follows { written.is_some() } else { true };
    (needed && written.as_ref() != Some(&release)).then_some((written, release))
}
