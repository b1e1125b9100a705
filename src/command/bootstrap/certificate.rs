//! `certificate`: request, prove, wait, write the ARN into the config.

use std::cell::{OnceCell, RefCell};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Args;
use jiff::Timestamp;

use super::{Ready, StateFlags};
use crate::account::{Certificate, HostedZone};
use crate::aws::Session;
use crate::bootstrap::certificate::Step;
use crate::bootstrap::certificate::resolver;
use crate::bootstrap::certificate::resolver::Resolver;
use crate::bootstrap::{certificate, init};
use crate::command::{Common, Ui, agree, block_on, execute};
use crate::explain::{Exit, Failure};
use crate::files;
use crate::plan::{Action as _, Line, Plan};

/// The flags of `certificate`.
#[derive(Args, Clone, Debug)]
pub(super) struct CertificateFlags {
    /// How long to wait for ACM.
    #[arg(long, value_name = "TIME", default_value = "45m", value_parser = duration)]
    timeout: Duration,
    /// The DNS resolver to ask whether the world is sent to the zone, and for CAA records above it, or `none` [default:
    /// this machine's; behind a split DNS name a public one, like 1.1.1.1].
    #[arg(long, value_name = "ADDRESS", value_parser = asked)]
    resolver: Option<Asked>,
}

/// The values of `--resolver`.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Nobody,
    At(SocketAddr),
}

fn asked(text: &str) -> Result<Asked, String> {
    match text {
        "none" => Ok(Asked::Nobody),
        text => resolver::address(text).map(Asked::At),
    }
}

pub(super) fn run(common: &Common, ui: &Ui, flags: &CertificateFlags) -> Result<Exit, Failure> {
    let ready = Ready::new(common, &StateFlags::default())?;
    let config = &ready.config;
    block_on(ui, async {
        let session = ready.session(common, ui).await?;
        let resolver = match flags.resolver {
            Some(Asked::At(address)) => Resolver::at(address),
            Some(Asked::Nobody) => Resolver::NOBODY,
            // An emulator's zone is nowhere in the world.
            None if session.is_local() => Resolver::NOBODY,
            None => Resolver::of_this_machine(),
        };
        let now = Timestamp::now();
        let looking = certificate::observe(&session, config, &resolver, now);
        let seen = ui.during("looking", looking).await?;
        let verdict = certificate::guard(&seen, config)?;
        for doubt in &verdict.doubts {
            ui.warn(doubt);
        }
        for unknown in &verdict.unknown {
            let text = format_args!("not checked: {unknown}");
            match flags.resolver {
                // Somebody wanted to know.
                Some(Asked::At(_)) => ui.warn(text),
                _ => ui.detail(text),
            }
        }
        let file = common.config_path();
        let plan: Plan<Step> =
            certificate::plan(&seen, config, &file.display().to_string()).into_iter().collect();
        let work = Work {
            ui,
            session: &session,
            zone: seen.dns.zone.clone(),
            certificate: RefCell::new(seen.certificate.clone().unwrap_or_default()),
            deadline: OnceCell::new(),
            timeout: flags.timeout,
        };
        let question = format!("Change account {} and the config?", config.account_id);
        if let Some(exit) = agree(ui, &plan, &question).await? {
            return Ok(exit);
        }
        execute(ui, &plan, async |step| match step {
            Step::Request(_) => {
                let arn = certificate::request(&session, config, &seen.others, now).await?;
                work.certificate.borrow_mut().arn = arn;
                Ok(())
            }
            Step::Prove { records, .. } if records.is_empty() => work.prove_when_known().await,
            Step::Prove { zone, records } => Ok(certificate::prove(&session, zone, records).await?),
            Step::Wait(_) => work.wait().await,
            Step::Write { .. } => write(common, &work.arn()),
        })
        .await?;
        let arn = work.arn();
        let lines: Vec<Line> = plan.actions.iter().map(|step| step.known(&arn).line()).collect();
        ui.result(format_args!("done: {file} says {arn}", file = file.display()))?;
        ui.plan_json("applied", &lines)?;
        Ok(Exit::Done)
    })
}

/// What the steps hand on to each other.
struct Work<'a> {
    ui: &'a Ui,
    session: &'a Session,
    zone: HostedZone,
    /// As ACM last told it.
    certificate: RefCell<Certificate>,
    /// Counts from the first look: a question may stand for long.
    deadline: OnceCell<Instant>,
    timeout: Duration,
}

impl Work<'_> {
    fn arn(&self) -> String {
        self.certificate.borrow().arn.clone()
    }

    /// ACM tells the records some seconds after the request.
    async fn prove_when_known(&self) -> Result<(), Failure> {
        self.until(|certificate| !certificate.validation.is_empty()).await?;
        let records = self.certificate.borrow().validation.clone();
        certificate::prove(self.session, &self.zone.id, &records).await?;
        Ok(())
    }

    async fn wait(&self) -> Result<(), Failure> {
        self.ui.say(format_args!(
            "waiting up to {} min for ACM, which takes some minutes; it is safe to interrupt: run it again to continue",
            self.timeout.as_secs().div_ceil(60)
        ));
        self.until(|certificate| certificate.status == "ISSUED").await
    }

    /// Asks ACM until it is so, at most until the deadline.
    async fn until(&self, done: impl Fn(&Certificate) -> bool) -> Result<(), Failure> {
        let deadline = *self.deadline.get_or_init(|| Instant::now() + self.timeout);
        let mut pause = Duration::from_millis(500);
        let begun = Instant::now();
        let mut told = begun;
        loop {
            let seen = certificate::look(self.session, &self.arn()).await?;
            let ready = done(&seen);
            self.certificate.replace(seen);
            if ready {
                return Ok(());
            }
            if Instant::now() + pause > deadline {
                return Err(self.late());
            }
            if told.elapsed() >= Duration::from_secs(60) {
                told = Instant::now();
                let left = deadline.saturating_duration_since(told).as_secs() / 60;
                let (status, passed) = (&self.certificate.borrow().status, begun.elapsed().as_secs() / 60);
                self.ui.say(format_args!("{status} after {passed} min; {left} min left"));
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
                self.certificate.borrow().status,
                self.timeout.as_secs()
            ),
        )
        .help(format!(
            "check that the public NS records of {1} point to {0} (`dig NS {2}`), then run it again: it continues",
            self.zone.name_servers.join(", "), self.zone.name, self.zone.name
        ))
    }
}

/// Reads the config again, which somebody may have edited while ACM was waited for, and sets the one value.
fn write(common: &Common, arn: &str) -> Result<(), Failure> {
    let path = common.config_path();
    let document = common.parse(files::read_text(&path)?)?;
    let text =
        document.with(init::CERTIFICATE, &serde_json::Value::String(arn.to_owned())).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("{} has no {} to write {arn} to", path.display(), init::CERTIFICATE),
            )
            .help("add the key and run it again")
        })?;
    files::write(&path, text.as_bytes())?;
    Ok(())
}

/// Reads `90s`, `45m`, `2h`.
fn duration(text: &str) -> Result<Duration, String> {
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
