//! Reads a document as a Rust type.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::Document;
use super::place::join;

/// A value with another type than expected.
pub struct Misfit {
    /// Where it is.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

impl Document {
    /// Reads the document as a type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Misfit> {
        serde_path_to_error::deserialize(self.value()).map_err(|error| {
            let pointer = pointer(error.path());
            Misfit { pointer, message: error.into_inner().to_string() }
        })
    }
}

fn pointer(path: &Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => join(&pointer, key),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}
