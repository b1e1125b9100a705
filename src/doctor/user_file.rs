//! JSON files that users write for osmt-doctor: policies and ignores.

use serde::de::DeserializeOwned;
use thiserror::Error as ThisError;

use crate::document::{Document, Place, Position};
use crate::explain::{Exit, Explain};

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("{message} at line {}, column {}", .at.line, .at.column)]
pub struct Error {
    /// What is wrong.
    pub message: String,
    /// Where it is wrong.
    pub at: Position,
    help: &'static str,
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn help(&self) -> Option<String> {
        Some(self.help.to_owned())
    }
}

/// A parsed file, and the help for errors in it.
pub(super) struct UserFile {
    pub(super) document: Document,
    help: &'static str,
}

impl UserFile {
    pub(super) fn parse(text: &str, help: &'static str) -> Result<Self, Error> {
        match Document::parse(text) {
            Ok(document) => Ok(Self { document, help }),
            Err(error) => Err(Error { message: error.message, at: error.at, help }),
        }
    }

    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.document.read().map_err(|misfit| self.fault(misfit.pointer, misfit.message))
    }

    /// An error at the value of a pointer.
    pub(super) fn fault(&self, pointer: String, message: String) -> Error {
        let at = self.document.position(self.document.span(&Place::value(pointer)).start);
        Error { message, at, help: self.help }
    }
}
