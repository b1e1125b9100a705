//! The answers of a run of the wizard that was interrupted, which the next run offers again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::bootstrap::init::{Answers, QUESTIONS};
use crate::files;

/// The answers of a run that has not written anything yet. None of them is secret.
pub(super) struct Draft {
    path: PathBuf,
    pub(super) answers: BTreeMap<String, String>,
}

impl Draft {
    pub(super) fn read(dir: &Path) -> Self {
        let path = dir.join(".osmt-init-answers.json");
        let text = files::read_text(&path).unwrap_or_default();
        // One that cannot be read is as good as none.
        Self { answers: serde_json::from_str(&text).unwrap_or_default(), path }
    }

    pub(super) fn keep(&mut self, answers: &Answers) {
        for (question, answer) in QUESTIONS.iter().zip(&answers.texts) {
            if let Some(answer) = answer {
                self.answers.insert(question.flag.to_owned(), answer.clone());
            }
        }
        if let Some(block) = &answers.vpc_cidr {
            self.answers.insert("vpc-cidr".to_owned(), block.clone());
        }
        if let Ok(text) = serde_json::to_string_pretty(&self.answers) {
            // A convenience: where it cannot be written, the run goes on.
            let _ = files::write(&self.path, format!("{text}\n").as_bytes());
        }
    }

    pub(super) fn forget(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
