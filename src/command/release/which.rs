//! The flags that choose a revision and its image.

use clap::Args;

use crate::release::{Wanted, is_digest, is_docker_tag};

/// The flags that select a revision.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct Which {
    /// Any git revision: a release tag, a branch, a commit.
    pub(super) rev: Option<String>,
    /// The checked-out commit.
    #[arg(long)]
    pub(super) head: bool,
    /// The newest release tag.
    #[arg(long)]
    pub(super) latest: bool,
    /// The commit and image of the newest record of another environment.
    #[arg(long, value_name = "ENV")]
    pub(super) promote: Option<String>,
}

impl Which {
    pub(super) fn wanted(&self) -> Wanted {
        match &self.rev {
            Some(rev) => Wanted::Rev(rev.clone()),
            None if self.head => Wanted::Head,
            None => Wanted::Latest,
        }
    }
}

pub(super) fn tag_or_digest(text: &str) -> Result<String, String> {
    if is_digest(text) || is_docker_tag(text) {
        return Ok(text.to_owned());
    }
    Err("neither a tag (letters, digits, `_`, `.`, `-`; at most 128) nor `sha256:` and 64 hexadecimal digits"
        .into())
}
