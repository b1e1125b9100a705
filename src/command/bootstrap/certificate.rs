//! `certificate`: request, prove, wait, write the ARN into the config.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use jiff::Timestamp;

use super::Ready;
use super::StateFlags;
use crate::account::Certificate;
use crate::account::HostedZone;
use crate::aws::Session;
use crate::bootstrap::certificate;
use crate::bootstrap::certificate::Step;
use crate::bootstrap::delegation;
use crate::command::Common;
use crate::command::Ui;
use crate::command::block_on;
use crate::command::carry_out;
use crate::config::Config;
use crate::document::Document;
use crate::explain::Exit;
use crate::explain::Failure;
use crate::files;

const POINTER: &str = "/config/alb/certificate_arn";

pub(super) fn run(common: &Common, ui: &Ui, timeout: Duration) -> Result<Exit, Failure> {
    let ready = Ready::new(common, &StateFlags::default())?;
    let config = &ready.config;
    block_on(ui, async {
        let session = ready.session(common, ui).await?;
        let now = Timestamp::now();
        let seen = ui
            .during("looking", certificate::observe(&session, config, now))
            .await?;
        for twin in &seen.twins {
            ui.warn(format_args!(
                "{twin} is a second public zone of the name {}; the parent must delegate to {} ({})",
                seen.zone.name,
                seen.zone.id,
                seen.zone.name_servers.join(", ")
            ));
        }
        delegated(ui, &session, &seen.zone).await;
        let file = common.config_path();
        let plan = certificate::plan(&seen, config, &file.display().to_string())
            .into_iter()
            .collect();
        let mut work = Work {
            ui,
            session: &session,
            config,
            zone: seen.zone.id,
            certificate: seen.certificate.unwrap_or_default(),
            deadline: Instant::now() + timeout,
            timeout,
        };
        let question = format!("Change account {} and the config?", config.account_id);
        carry_out(ui, &plan, &question, async |step| match step {
            Step::Request(_) => {
                work.certificate.arn = certificate::request(&session, config, now).await?;
                Ok(())
            }
            Step::Prove { records, .. } if records.is_empty() => work.prove_when_known().await,
            Step::Prove { zone, records } => Ok(certificate::prove(&session, zone, records).await?),
            Step::Wait(_) => work.wait().await,
            Step::Write { .. } => write(common, &work.certificate.arn),
        })
        .await
    })
}

/// Warns where the world is sent to other name servers than the zone's; an emulator's zone is nowhere in the world.
async fn delegated(ui: &Ui, session: &Session, zone: &HostedZone) {
    if session.is_local() {
        return;
    }
    let Some(resolver) = files::read_text(Path::new("/etc/resolv.conf"))
        .ok()
        .and_then(|text| delegation::resolver(&text))
    else {
        ui.detail("not checked: which name servers the parent zone delegates to");
        return;
    };
    let name = zone.name.clone();
    let asked = tokio::task::spawn_blocking(move || delegation::name_servers(resolver, &name));
    let ours = zone.name_servers.join(", ");
    match asked.await {
        Ok(Some(servers)) if servers.is_empty() => ui.warn(format_args!(
            "{} is not delegated: the parent zone must name {ours}",
            zone.name
        )),
        Ok(Some(servers))
            if !servers
                .iter()
                .any(|server| zone.name_servers.contains(server)) =>
        {
            ui.warn(format_args!(
                "{} is delegated to {}, the hosted zone answers at {ours}",
                zone.name,
                servers.join(", ")
            ));
        }
        Ok(Some(_)) => {}
        _ => ui
            .detail("not checked: the resolver did not answer which name servers are delegated to"),
    }
}

/// What the steps hand on to each other.
struct Work<'a> {
    ui: &'a Ui,
    session: &'a Session,
    config: &'a Config,
    zone: String,
    certificate: Certificate,
    deadline: Instant,
    timeout: Duration,
}

impl Work<'_> {
    /// ACM tells the records some seconds after the request.
    async fn prove_when_known(&mut self) -> Result<(), Failure> {
        self.until(|certificate| !certificate.validation.is_empty())
            .await?;
        certificate::prove(self.session, &self.zone, &self.certificate.validation).await?;
        Ok(())
    }

    async fn wait(&mut self) -> Result<(), Failure> {
        self.until(|certificate| certificate.status == "ISSUED")
            .await
    }

    /// Asks ACM again and again, with a word each minute where no spinner turns.
    async fn until(&mut self, done: impl Fn(&Certificate) -> bool) -> Result<(), Failure> {
        let start = Instant::now();
        let mut told = start;
        let mut pause = Duration::from_millis(500);
        loop {
            self.certificate = certificate::look(self.session, &self.certificate.arn).await?;
            if done(&self.certificate) {
                return Ok(());
            }
            if Instant::now() + pause > self.deadline {
                return Err(self.late());
            }
            if told.elapsed() > Duration::from_secs(60) && !std::io::stderr().is_terminal() {
                told = Instant::now();
                self.ui.say(format_args!(
                    "still waiting for {} ({} min)",
                    self.config.domain.name,
                    start.elapsed().as_secs() / 60
                ));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(Duration::from_secs(15));
        }
    }

    fn late(&self) -> Failure {
        Failure::new(
            Exit::Failed,
            format!(
                "the certificate is still {} after {} s",
                self.certificate.status,
                self.timeout.as_secs()
            ),
        )
        .help(format!(
            "check that the parent zone delegates {} to the name servers of {}, then run it again: it goes on waiting",
            self.config.domain.name, self.zone
        ))
    }
}

/// Reads the config again, which somebody may have edited while ACM was waited for, and sets the one value.
fn write(common: &Common, arn: &str) -> Result<(), Failure> {
    let path = common.config_path();
    let document = Document::parse(files::read_text(&path)?)?;
    let text = document
        .with(POINTER, &serde_json::Value::String(arn.to_owned()))
        .ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("{} has no {POINTER} to write {arn} to", path.display()),
            )
            .help("add the key and run it again")
        })?;
    files::write(&path, text.as_bytes())?;
    Ok(())
}

/// Reads `90s`, `45m`, `2h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => 0,
    };
    match number.parse::<u64>() {
        Ok(number) if seconds > 0 && number <= 1000 => Ok(Duration::from_secs(number * seconds)),
        _ => Err("a number up to 1000 with s, m or h: 45m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("45m"), Ok(Duration::from_secs(2700)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        for bad in ["", "45", "m", "-1m", "1d", "1µ"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
