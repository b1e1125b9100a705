//! `osmt-bootstrap`: flags in, text and exit out. One file a verb.

mod apply;
mod ask;
mod certificate;
mod destroy;
mod doctor_errors;
mod draft;
mod init;
mod lock;
mod parts;
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
    const EXAMPLES: &[(&str, &str)] = &[
        (
            "init",
            "  osmt-bootstrap init
  osmt-bootstrap init --lock s3
  osmt-bootstrap init --dir terraform/prod --env prod --domain osmt.example.org
  osmt-bootstrap init --hosted-zone-id none",
        ),
        (
            "plan",
            "  osmt-bootstrap plan
  osmt-bootstrap plan --with admin,ci,account
  osmt-bootstrap plan --out plan.json",
        ),
        (
            "apply",
            "  osmt-bootstrap apply
  osmt-bootstrap apply plan.json
  osmt-bootstrap apply --with admin --trust arn:aws:iam::123456789012:user/ann
  osmt-bootstrap apply --with ci --repository github.com/my-org/osmt-infra --ci-environment test
  osmt-bootstrap apply --yes --dry-run --format json",
        ),
        (
            "status",
            "  osmt-bootstrap status
  osmt-bootstrap status --with admin,ci,account --format json",
        ),
        (
            "certificate",
            "  osmt-bootstrap certificate
  osmt-bootstrap certificate --resolver 1.1.1.1
  osmt-bootstrap certificate --external-dns --zone-file records.zone",
        ),
        (
            "destroy",
            "  osmt-bootstrap destroy --dry-run
  osmt-bootstrap destroy --yes --confirm test",
        ),
    ];

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
