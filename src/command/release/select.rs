//! `osmt-release select`: write a revision into the config.

use clap::Args;

use super::verdict::{RevisionArgs, propose};
use crate::account::Known;
use crate::command::Context;
use crate::explain::{Exit, Failure};
use crate::finding::Severity;
use crate::release::Candidate;

/// Write a revision into the config, if the guards allow it.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  osmt-release --repo ../osmt select 3.0.0\n  \
    osmt-release --repo ../osmt select --latest --pin\n  \
    osmt-release --repo ../osmt select --promote test")]
pub(super) struct Select {
    #[command(flatten)]
    revision: RevisionArgs,
    /// Write the image's digest instead of its tag: the same image is deployed even if the tag is moved.
    #[arg(long)]
    pin: bool,
}

impl Select {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let mut verdict = self.revision.judge(cx)?;
        if self.pin && verdict.findings.worst() != Some(Severity::Error) {
            verdict.candidate.docker_tag = pinned(&verdict.candidate)?;
        }
        propose(cx, &verdict)
    }
}

/// The image's digest; an error if it is not known.
fn pinned(candidate: &Candidate) -> Result<String, Failure> {
    let reason = match &candidate.image {
        Known::Known(Some(image)) => return Ok(image.digest.clone()),
        Known::Known(None) => "the registry has no such image",
        Known::Unknown(reason) => reason,
    };
    let mut failure = Failure::new(Exit::Refused, "the image's digest is not known")
        .help("run this again without `--pin`, or give the digest: `--tag sha256:…`");
    failure.causes.push(reason.to_owned());
    Err(failure)
}
