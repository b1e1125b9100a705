//! The answers of an interrupted run of `init`, which the next run suggests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::bootstrap::init::{Answers, QUESTIONS};
use crate::files;

/// The file that keeps the answers until the config is written. None of them is a secret.
pub(super) struct Draft {
    path: PathBuf,
    pub(super) answers: BTreeMap<String, String>,
}

impl Draft {
    pub(super) fn read(dir: &Path) -> Self {
        let path = dir.join(".osmt-init-answers.json");
        let text = files::read_text(&path).unwrap_or_default();
        // A file that cannot be read counts as empty: all questions are asked.
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
            // The file is a convenience: the run continues if it cannot be written.
            let _ = files::write(&self.path, format!("{text}\n").as_bytes());
        }
    }

    pub(super) fn delete(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
