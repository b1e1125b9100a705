//! The flags of all four binaries, and what they determine: config, AWS session, output.

use std::path::PathBuf;
use std::sync::Arc;

use anstream::ColorChoice;
use clap::{Args, ValueEnum};
use url::Url;

use super::{Ui, UiFlags, environment, ui};
use crate::config::Config;
use crate::deployment::main_tf::MainTf;
use crate::deployment::{Deployment, Lock, StateBackend};
use crate::document::Document;
use crate::explain::{Exit, Failure};
use crate::finding::Finding;
use crate::report::Format;
use crate::{aws, doctor, files};

/// Flags that mean the same in all four binaries.
#[derive(Args, Clone, Debug)]
pub struct SharedArgs {
    /// The Terraform working directory; holds main.tf and config.auto.tfvars.json.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = "terraform/invocation",
        help_heading = "Shared"
    )]
    pub dir: PathBuf,
    /// The config [default: DIR/config.auto.tfvars.json].
    #[arg(long, global = true, value_name = "FILE", help_heading = "Shared")]
    pub config: Option<PathBuf>,
    /// The AWS profile, as in ~/.aws/config.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Shared")]
    pub profile: Option<String>,
    /// The AWS region, for `init`; all other verbs use the config's region and refuse another one.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Shared")]
    pub region: Option<String>,
    /// An endpoint to use instead of AWS, such as an emulator.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        value_parser = endpoint,
        help_heading = "Shared"
    )]
    pub endpoint_url: Option<String>,
    /// The format of stdout.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human", help_heading = "Shared")]
    pub format: FormatFlag,
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Shared")]
    pub color: ColorFlag,
    /// Do not ask for confirmation; the guards still apply.
    #[arg(long, global = true, help_heading = "Shared")]
    pub yes: bool,
    /// Show the plan, write nothing, exit 1 if anything is pending.
    #[arg(long, global = true, help_heading = "Shared")]
    pub dry_run: bool,
    /// Print less to stderr.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Shared")]
    pub quiet: u8,
    /// Print more to stderr; given twice, each AWS call is logged.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Shared")]
    pub verbose: u8,
}

/// The values of `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatFlag {
    /// Text.
    Human,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0 (`osmt-doctor check` and `plan`, `osmt-release check`).
    Sarif,
    /// GitHub workflow annotations (`osmt-doctor check` and `plan`, `osmt-release check`).
    Github,
    /// A GitLab code quality report (`osmt-doctor check` and `plan`, `osmt-release check`).
    Gitlab,
    /// JUnit XML (`osmt-doctor check` and `plan`, `osmt-release check`).
    Junit,
    /// Markdown for a comment on a pull request (`osmt-doctor check` and `plan`, `osmt-release check`).
    Markdown,
}

/// The values of `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorFlag {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl SharedArgs {
    /// The path of the config.
    pub fn config_path(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| self.dir.join("config.auto.tfvars.json"))
    }

    /// Reads the config; a mistake in it ends the run with exit 2.
    ///
    /// Mistakes are the doctor's errors about the document's syntax and keys, and about account, region and environment, which are part
    /// of every name in AWS.
    pub fn load_config(&self) -> Result<(Document, Config), Failure> {
        self.load_config_for(&[])
    }

    /// The same for a verb that also uses these parts, by pointer: `/config/domain`.
    pub fn load_config_for(&self, parts: &[&str]) -> Result<(Document, Config), Failure> {
        let path = self.config_path();
        let shown = files::shown(&path);
        let bytes = files::read_at_most(&path, doctor::MAX_BYTES as u64)?;
        let text = String::from_utf8(bytes)
            .map_err(|error| files::Error::NotText(path.clone(), error.utf8_error().valid_up_to()))?;
        let document = self.parse(text)?;
        let config = Config::from_document(&document).map_err(|error| Failure::from(error).about(&shown))?;
        let found = doctor::faults_of(&document, parts, self.is_local());
        if let Some((first, more)) = found.split_first() {
            let line = |finding: &Finding| {
                let place = finding.at.as_ref().map(|at| document.position(document.span(at).start));
                let place =
                    place.map_or(String::new(), |at| format!("line {}, column {}: ", at.line, at.column));
                format!("{place}{} ({})", finding.message, finding.code)
            };
            let mut failure = Failure::new(Exit::Usage, line(first));
            failure.causes = more.iter().map(|finding| format!("and {}", line(finding))).collect();
            failure.help.clone_from(&first.help);
            return Err(failure.about(&shown));
        }
        Ok((document, config))
    }

    /// Parses the config; invalid JSON ends the run with exit 2 and the position.
    pub fn parse(&self, text: String) -> Result<Document, Failure> {
        Document::parse(text).map_err(|error| Failure::from(error).about(&files::shown(&self.config_path())))
    }

    /// The state backend in `main.tf`, or the standard names if there is no `main.tf`; a `main.tf` of another deployment is refused.
    pub fn backend(&self, config: &Config) -> Result<StateBackend, Failure> {
        let deployment = Deployment::from(config);
        let standard = StateBackend::standard(&deployment);
        match files::read_text(&self.dir.join("main.tf")) {
            Ok(text) => {
                let main = MainTf::parse(&text)?;
                same_deployment(&deployment, &main.deployment(&deployment))?;
                let written = main.backend(&deployment)?;
                let lock = if written.lock == Lock::Off { standard.lock } else { written.lock };
                Ok(StateBackend { lock, ..written })
            }
            Err(files::Error::Missing(_)) => Ok(standard),
            Err(error) => Err(error.into()),
        }
    }

    /// Signs in to the config's account, in the config's region; another account or region is refused.
    pub async fn sign_in(&self, config: &Config, ui: &Ui) -> Result<aws::Session, Failure> {
        let (session, ()) = self.sign_in_and(config, ui, "signing in to AWS", async |_| ()).await?;
        Ok(session)
    }

    /// The same, and reads at the same time; what was read is discarded if the account is not the config's.
    pub async fn sign_in_and<T>(
        &self,
        config: &Config,
        ui: &Ui,
        what: &str,
        read: impl AsyncFnOnce(&aws::Session) -> T,
    ) -> Result<(aws::Session, T), Failure> {
        let mut settings = self.aws(ui)?;
        if let Some(region) = self.region.as_ref().filter(|given| **given != config.region) {
            let message = format!("the config is for region {}, `--region` says {region}", config.region);
            return Err(Failure::new(Exit::Refused, message)
                .help("leave `--region` out, or give the config of that region with `--config`"));
        }
        settings.region = Some(config.region.clone());
        let work = async {
            let unverified = aws::prepare(&settings).await?;
            let assumed = unverified.assuming(&config.account_id);
            let reading = async { Ok(read(&assumed).await) };
            tokio::try_join!(unverified.verified(Some(&config.account_id)), Box::pin(reading))
        };
        Ok(ui.during(what, Box::pin(work)).await?)
    }

    /// The settings for AWS, from the flags.
    pub fn aws(&self, ui: &Ui) -> Result<aws::Settings, Failure> {
        let (color, verbose, quiet) = (ui.color, self.verbose > 1, self.quiet > 0);
        self.endpoint()?;
        Ok(aws::Settings {
            profile: self.profile.clone(),
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
            log: Some(Arc::new(move |call: &aws::Call<'_>| ui::log_call(color, verbose, quiet, call))),
            variables: environment::variables(),
        })
    }

    /// The endpoint of the flag, else of the environment; an invalid URL is an error.
    fn endpoint(&self) -> Result<Option<String>, Failure> {
        #[expect(clippy::disallowed_methods, reason = "this is `command`, which reads the environment")]
        let variable = std::env::var("AWS_ENDPOINT_URL").ok();
        match (&self.endpoint_url, variable) {
            (Some(url), _) => Ok(Some(url.clone())),
            (None, None) => Ok(None),
            (None, Some(url)) => endpoint(&url).map(Some).map_err(|wanted| {
                let message = format!("AWS_ENDPOINT_URL is {url:?}: {wanted}");
                Failure::new(Exit::Usage, message).help("correct it, or unset it")
            }),
        }
    }

    /// Whether the endpoint is on this machine, as an emulator is.
    pub fn is_local(&self) -> bool {
        let endpoint = self.endpoint().ok().flatten();
        endpoint.as_deref().is_some_and(aws::is_loopback)
    }

    pub(super) fn ui(&self, tool: String) -> Ui {
        let format = match self.format {
            FormatFlag::Human => Format::Human,
            FormatFlag::Json => Format::Json,
            FormatFlag::Sarif => Format::Sarif,
            FormatFlag::Github => Format::Github,
            FormatFlag::Gitlab => Format::Gitlab,
            FormatFlag::Junit => Format::Junit,
            FormatFlag::Markdown => Format::Markdown,
        };
        let color = match self.color {
            ColorFlag::Auto => ColorChoice::Auto,
            ColorFlag::Always => ColorChoice::Always,
            ColorFlag::Never => ColorChoice::Never,
        };
        let Self { quiet, verbose, yes, dry_run, .. } = *self;
        Ui::new(tool, format, color, UiFlags { quiet, verbose, yes, dry_run })
    }
}

/// Checks the value of `--endpoint-url`.
fn endpoint(text: &str) -> Result<String, String> {
    let url = Url::parse(text).ok();
    let is_valid = url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if is_valid { Ok(text.to_owned()) } else { Err("it must be a URL like http://127.0.0.1:5555".to_owned()) }
}

/// Refuses a config for another deployment than `main.tf`: Terraform would apply it to the wrong state.
fn same_deployment(config: &Deployment, main: &Deployment) -> Result<(), Failure> {
    for (what, main, config) in [
        ("account", &main.account_id, &config.account_id),
        ("region", &main.region, &config.region),
        ("environment", &main.env, &config.env),
    ] {
        if main != config {
            let message = format!("main.tf is for {what} {main}, the config for {config}");
            return Err(Failure::new(Exit::Refused, message).help(
                "correct the config, or run `osmt-bootstrap init`, which adapts main.tf to it; use one directory for each deployment",
            ));
        }
    }
    Ok(())
}
