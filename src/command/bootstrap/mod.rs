//! `osmt-bootstrap`, one file for each verb.

mod apply;
mod ask;
mod certificate;
mod component_flags;
mod destroy;
mod doctor_errors;
mod draft;
mod init;
mod lock;
mod plan;
mod prompt;
mod ready;
mod report;
mod saved;
mod state_flags;
mod status;

use clap::{Parser, Subcommand};

use super::{Context, Shared, SharedArgs, Tool};
use crate::explain::{Exit, Failure};

/// Prepare an AWS account for OSMT: state bucket, lock table, certificate, configuration.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "osmt-bootstrap",
    version,
    after_help = "Examples:
  osmt-bootstrap init                          ask, and write main.tf and the config
  osmt-bootstrap plan                          show what `apply` would do
  osmt-bootstrap apply                         create the state bucket and the lock table
  osmt-bootstrap certificate                   get the certificate and write its ARN into the config
  osmt-bootstrap apply --with ci --repository github.com/my-org/osmt-infra
  osmt-bootstrap status --with admin,ci,account
  osmt-bootstrap destroy --dry-run"
)]
pub struct Bootstrap {
    #[command(flatten)]
    shared: SharedArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    Init(Box<init::Init>),
    Plan(plan::Plan),
    Apply(apply::Apply),
    Status(status::Status),
    Certificate(certificate::Certificate),
    Destroy(destroy::Destroy),
    #[command(flatten)]
    Shared(Shared),
}

impl Tool for Bootstrap {
    const WRITES: &[&str] = &["init", "apply", "certificate", "destroy"];

    fn shared(&self) -> &SharedArgs {
        &self.shared
    }

    fn run(self, cx: &Context) -> Result<Exit, Failure> {
        match self.verb {
            Verb::Init(verb) => verb.run(cx),
            Verb::Plan(verb) => verb.run(cx),
            Verb::Apply(verb) => verb.run(cx),
            Verb::Status(verb) => verb.run(cx),
            Verb::Certificate(verb) => verb.run(cx),
            Verb::Destroy(verb) => verb.run(cx),
            Verb::Shared(shared) => shared.run::<Self>(&cx.ui),
        }
    }
}
