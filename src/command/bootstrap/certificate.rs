//! `osmt-bootstrap certificate`: request, validate by DNS, wait, write the ARN into the config.

use std::cell::{Cell, OnceCell, RefCell};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::ready::Ready;
use super::state_flags::StateFlags;
use crate::account;
use crate::account::{HostedZone, Record};
use crate::aws::{Policy, Session, retry};
use crate::bootstrap::certificate::external_dns::{NeededRecord, Purpose};
use crate::bootstrap::certificate::preflight::Verdict;
use crate::bootstrap::certificate::resolver::Resolver;
use crate::bootstrap::certificate::{Step, external_dns, resolver};
use crate::bootstrap::{certificate, init};
use crate::command::{Context, Ui, block_on, execute, show_and_confirm};
use crate::explain::{Exit, Failure, shown};
use crate::files;
use crate::plan::{Action as _, Line, Plan};

/// Request the certificate for the domain and *.domain, and write its ARN into the config.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    osmt-bootstrap certificate\n  \
    osmt-bootstrap certificate --resolver 1.1.1.1\n  \
    osmt-bootstrap certificate --external-dns --zone-file records.zone")]
pub(super) struct Certificate {
    /// How long to wait for ACM.
    #[arg(long, value_name = "TIME", default_value = "45m", value_parser = duration)]
    timeout: Duration,
    /// The DNS resolver that checks the zone's delegation and CAA records, or `none` [default: this machine's; with split
    /// DNS give a public one, such as 1.1.1.1].
    #[arg(long, value_name = "ADDRESS", value_parser = resolver_flag)]
    resolver: Option<ResolverFlag>,
    /// Another team manages the domain's DNS: print the records instead of writing them to Route 53 [default: if
    /// `domain.hosted_zone_id` is `none`]. Exit 1 if ACM still waits for them after `--timeout`; run it again to continue.
    #[arg(long)]
    external_dns: bool,
    /// Also write these records as a zone file.
    #[arg(long, value_name = "FILE")]
    zone_file: Option<PathBuf>,
}

impl Certificate {
    pub(super) fn run(self, cx: &Context) -> Result<Exit, Failure> {
        let ui = &cx.ui;
        let ready = Ready::new(cx, &StateFlags::default())?;
        let config = &ready.config;
        let is_external = self.external_dns || config.domain.hosted_zone_id.is_none();
        if self.zone_file.is_some() && !is_external {
            let message =
                "`--zone-file` is for records that another team adds; here they are written to Route 53";
            return Err(Failure::new(Exit::Usage, message).help("add `--external-dns`, or leave it out"));
        }
        block_on(ui, async {
            let now = Timestamp::now();
            if is_external {
                let read = async |session: &Session| {
                    let resolver = self.resolver(session);
                    let seen = external_dns::observe(session, &ready.target, config, &resolver, now).await;
                    (resolver, seen)
                };
                let (session, (resolver, seen)) = ready.sign_in_and(cx, read).await?;
                let work = External { cx, ready: &ready, session: &session, resolver, flags: &self, now };
                return work.carry_out(seen?).await;
            }
            let read = async |session: &Session| {
                certificate::observe(session, config, &self.resolver(session), now).await
            };
            let (session, seen) = ready.sign_in_and(cx, read).await?;
            let seen = seen?;
            let verdict = certificate::guard(&seen, config)?;
            show(ui, &verdict, &self);
            let file = cx.shared.config_path();
            let plan: Plan<Step> = certificate::plan(&seen, config, &shown(&file)).into_iter().collect();
            let work = Issuance {
                ui,
                session: &session,
                certificate: RefCell::new(seen.certificate.clone().unwrap_or_default()),
                deadline: OnceCell::new(),
                timeout: self.timeout,
            };
            self.can_write(&plan, cx)?;
            let question = format!("Change account {} and the config?", config.account_id);
            if let Some(exit) = show_and_confirm(ui, &plan, &question).await? {
                return Ok(exit);
            }
            execute(ui, &plan, async |step| match step {
                Step::Request(_) => {
                    let arn = certificate::request(&session, config, &seen.others, now).await?;
                    work.certificate.borrow_mut().arn = arn;
                    Ok(())
                }
                Step::WriteRecords { zone, records } if records.is_empty() => {
                    work.write_records_when_known(zone).await
                }
                Step::WriteRecords { zone, records } => {
                    Ok(certificate::write_validation_records(&session, zone, records).await?)
                }
                Step::PrintRecords(_) => Ok(()),
                Step::Wait(_) if work.wait().await? => Ok(()),
                Step::Wait(_) => Err(work.timed_out(&seen.dns.zone)),
                Step::Write { .. } => write(cx, &work.arn()).await,
            })
            .await?;
            let arn = work.arn();
            let lines: Vec<Line> = plan.actions.iter().map(|step| step.with_arn(&arn).line()).collect();
            ui.result(format_args!("done: certificate_arn in {} is now {arn}", shown(&file)))?;
            ui.plan_json("applied", &lines)?;
            Ok(Exit::Done)
        })
    }

    /// Refuses before AWS is changed where a file that is to be written afterwards cannot be written.
    fn can_write(&self, plan: &Plan<Step>, cx: &Context) -> Result<(), Failure> {
        if cx.ui.flags.dry_run {
            return Ok(());
        }
        if plan.actions.iter().any(|step| matches!(step, Step::Write { .. })) {
            files::writable(&cx.shared.config_path())?;
        }
        if let Some(path) = &self.zone_file {
            files::writable(path)?;
        }
        Ok(())
    }

    fn resolver(&self, session: &Session) -> Resolver {
        match self.resolver {
            Some(ResolverFlag::At(address)) => Resolver::at(address),
            Some(ResolverFlag::None) => Resolver::NONE,
            // The zones of an emulator are not in public DNS.
            None if session.is_local() => Resolver::NONE,
            None => Resolver::of_this_machine(),
        }
    }
}

/// The values of `--resolver`.
#[derive(Clone, Copy, Debug)]
enum ResolverFlag {
    None,
    At(SocketAddr),
}

fn resolver_flag(text: &str) -> Result<ResolverFlag, String> {
    match text {
        "none" => Ok(ResolverFlag::None),
        text => resolver::address(text).map(ResolverFlag::At),
    }
}

/// Prints the warnings, and the checks that could not be made.
fn show(ui: &Ui, verdict: &Verdict, flags: &Certificate) {
    for warning in &verdict.warnings {
        ui.warn(warning);
    }
    for unknown in &verdict.unknown {
        let text = format_args!("not checked: {unknown}");
        match flags.resolver {
            // The user asked for the check with `--resolver ADDRESS`.
            Some(ResolverFlag::At(_)) => ui.warn(text),
            Some(ResolverFlag::None) | None => ui.detail(text),
        }
    }
}

/// The certificate in issuance; the steps of a plan share it.
struct Issuance<'a> {
    ui: &'a Ui,
    session: &'a Session,
    /// As ACM last returned it.
    certificate: RefCell<account::Certificate>,
    /// Set at the first read, because the user may take long to confirm.
    deadline: OnceCell<Instant>,
    timeout: Duration,
}

impl Issuance<'_> {
    fn arn(&self) -> String {
        self.certificate.borrow().arn.clone()
    }

    fn deadline(&self) -> Instant {
        *self.deadline.get_or_init(|| Instant::now() + self.timeout)
    }

    /// Waits for the validation records, which ACM returns some seconds after the request.
    async fn records(&self, at_least: Duration) -> Result<Vec<Record>, Failure> {
        let deadline = self.deadline().max(Instant::now() + at_least);
        if self.until(deadline, |certificate| !certificate.validation.is_empty()).await? {
            return Ok(self.certificate.borrow().validation.clone());
        }
        let message =
            format!("ACM did not return the validation records within {} s", self.timeout.as_secs());
        Err(Failure::new(Exit::Failed, message).help("run this again to continue"))
    }

    async fn write_records_when_known(&self, zone: &str) -> Result<(), Failure> {
        let records = self.records(Duration::ZERO).await?;
        certificate::write_validation_records(self.session, zone, &records).await?;
        Ok(())
    }

    /// Waits until the certificate is issued; false if the deadline passes first.
    async fn wait(&self) -> Result<bool, Failure> {
        self.ui.say(format_args!(
            "waiting up to {} min for ACM, which usually takes some minutes; you can interrupt this and run it again to continue",
            self.timeout.as_secs().div_ceil(60)
        ));
        self.until(self.deadline(), |certificate| certificate.status == "ISSUED").await
    }

    /// Reads the certificate until `done` is true; false if the deadline passes first.
    async fn until(
        &self,
        deadline: Instant,
        done: impl Fn(&account::Certificate) -> bool,
    ) -> Result<bool, Failure> {
        let begun = Instant::now();
        let reported = Cell::new(begun);
        let total = deadline.saturating_duration_since(begun);
        let policy = Policy { first: Duration::from_millis(500), longest: Duration::from_secs(15), total };
        let pending = |ready: &Result<bool, Failure>| matches!(ready, Ok(false));
        retry(policy, pending, async || {
            let seen = certificate::read_certificate(self.session, &self.arn()).await?;
            let ready = done(&seen);
            if !ready && reported.get().elapsed() >= Duration::from_secs(60) {
                reported.set(Instant::now());
                let left = deadline.saturating_duration_since(Instant::now()).as_secs() / 60;
                let passed = begun.elapsed().as_secs() / 60;
                self.ui.say(format_args!("{} after {passed} min; {left} min left", seen.status));
            }
            self.certificate.replace(seen);
            Ok(ready)
        })
        .await
    }

    fn timed_out(&self, zone: &HostedZone) -> Failure {
        Failure::new(
            Exit::Failed,
            format!(
                "the certificate is still {} after {} s",
                self.certificate.borrow().status,
                self.timeout.as_secs()
            ),
        )
        .help(format!(
            "check that the public NS records of {1} point to {0} (`dig NS {1}`), then run this again to continue",
            zone.name_servers.join(", "), zone.name
        ))
    }
}

/// `--external-dns`: the records are printed, and another team adds them.
struct External<'a> {
    cx: &'a Context,
    ready: &'a Ready,
    session: &'a Session,
    resolver: Resolver,
    flags: &'a Certificate,
    now: Timestamp,
}

/// A plan with the records that another team must add.
#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    tool: &'a str,
    status: &'a str,
    actions: &'a [Line],
    records: &'a [NeededRecord],
}

impl External<'_> {
    async fn carry_out(self, seen: external_dns::Seen) -> Result<Exit, Failure> {
        let (ui, session, config) = (&self.cx.ui, self.session, &self.ready.config);
        show(ui, &external_dns::guard(&seen, config)?, self.flags);
        let file = self.cx.shared.config_path();
        let plan: Plan<Step> = external_dns::plan(&seen, config, &shown(&file)).into_iter().collect();
        let work = Issuance {
            ui,
            session,
            certificate: RefCell::new(seen.certificate.clone().unwrap_or_default()),
            deadline: OnceCell::new(),
            timeout: self.flags.timeout,
        };
        let known = work.certificate.borrow().validation.clone();
        if plan.is_empty() || ui.flags.dry_run {
            if !plan.is_empty() {
                ui.show_plan(&plan.lines())?;
            }
            let records = self.print_records(&seen, &known).await?;
            let (status, exit) =
                if plan.is_empty() { ("nothing", Exit::Done) } else { ("pending", Exit::Pending) };
            if plan.is_empty() {
                ui.result("nothing to do")?;
            }
            self.report(status, &plan.lines(), &records)?;
            return Ok(exit);
        }
        self.flags.can_write(&plan, self.cx)?;
        ui.show_plan(&plan.lines())?;
        ui.confirm(&format!("Change account {} and the config?", config.account_id)).await?;
        // The validation record of an issued certificate is needed for its renewal.
        let is_issued = !plan.actions.iter().any(|step| matches!(step, Step::PrintRecords(_)));
        let records =
            RefCell::new(if is_issued { self.print_records(&seen, &known).await? } else { Vec::new() });
        let late = Cell::new(false);
        let of = |wanted: fn(&Step) -> bool| {
            plan.actions.iter().filter(|step| wanted(step)).cloned().collect::<Plan<Step>>()
        };
        let apply = async |step: &Step| match step {
            Step::Request(_) => {
                let arn = certificate::request(session, config, &seen.others, self.now).await?;
                work.certificate.borrow_mut().arn = arn;
                Ok(())
            }
            Step::PrintRecords(_) => {
                let validation = work.records(Duration::from_secs(60)).await?;
                records.replace(self.print_records(&seen, &validation).await?);
                Ok(())
            }
            Step::Wait(_) => {
                late.set(!work.wait().await?);
                Ok(())
            }
            Step::Write { .. } => write(self.cx, &work.arn()).await,
            Step::WriteRecords { .. } => Ok(()),
        };
        execute(ui, &of(|step| !matches!(step, Step::Write { .. })), apply).await?;
        if late.get() {
            let records = records.into_inner();
            ui.result(format_args!(
                "the certificate is still {}: run this again once the records above are in public DNS",
                work.certificate.borrow().status
            ))?;
            self.report("pending", &plan.lines(), &records)?;
            return Ok(Exit::Pending);
        }
        execute(ui, &of(|step| matches!(step, Step::Write { .. })), apply).await?;
        let arn = work.arn();
        let lines: Vec<Line> = plan.actions.iter().map(|step| step.with_arn(&arn).line()).collect();
        ui.result(format_args!("done: certificate_arn in {} is now {arn}", shown(&file)))?;
        self.report("applied", &lines, &records.into_inner())?;
        Ok(Exit::Done)
    }

    /// Prints the records that the other team must add, and writes the zone file.
    async fn print_records(
        &self,
        seen: &external_dns::Seen,
        validation: &[Record],
    ) -> Result<Vec<NeededRecord>, Failure> {
        let ui = &self.cx.ui;
        let domain = &self.ready.config.domain.name;
        let load_balancer = seen.load_balancer.as_ref().ok().and_then(Option::as_ref);
        let records = external_dns::needed(&self.resolver, domain, validation, load_balancer).await;
        if !records.is_empty() {
            ui.result("DNS records to add:")?;
        }
        for NeededRecord { name, kind, value, published, .. } in &records {
            let published = match published {
                Some(true) => "  (in public DNS)",
                Some(false) => "  (not in public DNS)",
                None => "",
            };
            ui.result(format_args!("  {name}. {kind} {value}.{published}"))?;
        }
        let unpublished =
            |one: &&NeededRecord| one.purpose == Purpose::Application && one.published != Some(true);
        if let Some(record) = records.iter().find(unpublished) {
            let zone = record.alias_hosted_zone_id.as_ref();
            let zone = zone.map(|zone| format!(" (in Route 53: alias hosted zone id {zone})"));
            ui.say(format_args!(
                "if {domain} is the apex of its zone, DNS does not allow a CNAME record there: use the DNS provider's ALIAS or ANAME record to the same name{}",
                zone.unwrap_or_default()
            ));
        }
        if load_balancer.is_none() {
            ui.say(format_args!(
                "the record of {domain} itself points to the load balancer, which does not exist yet: run this again after `terraform apply`"
            ));
        }
        if let Some(path) = &self.flags.zone_file {
            files::write(path, external_dns::zone_file(domain, &records).as_bytes())?;
            ui.done(&format!("writing {}", shown(path)));
            ui.say(format_args!("wrote {}", shown(path)));
        }
        Ok(records)
    }

    fn report(&self, status: &str, actions: &[Line], records: &[NeededRecord]) -> Result<(), Failure> {
        let (version, tool) = (crate::report::VERSION, &*self.cx.ui.tool);
        self.cx.ui.json(&Report { version, tool, status, actions, records })
    }
}

/// Sets the ARN in the config. The config is read again, because it may have been edited during the wait.
async fn write(cx: &Context, arn: &str) -> Result<(), Failure> {
    let path = cx.shared.config_path();
    let document = cx.shared.parse(files::read_text(&path)?)?;
    let text =
        document.with(init::CERTIFICATE, &serde_json::Value::String(arn.to_owned())).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("{} has no {} to write {arn} to", shown(&path), init::CERTIFICATE),
            )
            .help("add the key and run this again")
        })?;
    cx.ui.rewrite(&path, Some(document.text()), &text).await
}

/// Parses the value of `--timeout`: `90s`, `45m`, `2h`.
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
