//! The questions of `init`: on a terminal one by one until the answer can be right, elsewhere by naming the flags.
//!
//! What the account can tell need not be typed: its number, the regions it has enabled, the zones that it can use.

use super::opinion::{is_at, opinion};
use crate::account::{Zone, observe_ec2};
use crate::aws;
use crate::aws::Session;
use crate::bootstrap::certificate::dns;
use crate::bootstrap::init;
use crate::bootstrap::init::network;
use crate::bootstrap::init::{Answers, QUESTIONS};
use crate::command::{Common, Ui};
use crate::document::Document;
use crate::explain::{Exit, Failure};

/// Asks for what is open; for a fresh config also for what has a default that may not suit.
pub(super) async fn ask(
    common: &Common,
    ui: &Ui,
    start: &Document,
    fresh: bool,
    answers: &mut Answers,
) -> Result<(), Failure> {
    let open = init::open_questions(start, answers);
    if !open.is_empty() && (ui.yes || !ui.can_ask()) {
        let flags: Vec<String> = open.iter().map(|&index| format!("--{}", QUESTIONS[index].flag)).collect();
        return Err(Failure::new(Exit::Usage, format!("these answers are missing: {}", flags.join(", ")))
            .help("give them as flags, or run it on a terminal without `--yes`"));
    }
    if open.is_empty() {
        return Ok(());
    }
    let session = signed_in(common, ui).await?;
    let mut session = of_this_account(ui, session, start, answers);
    for index in open {
        let question = QUESTIONS[index];
        let mut enabled = None;
        let hint = match (&session, question.flag) {
            (Some(session), "account-id") => Some(session.account_id.clone()),
            (Some(session), "region") => {
                enabled = regions(ui, session).await;
                let name = &session.region;
                let fits = enabled.as_ref().is_none_or(|names| names.contains(name));
                fits.then(|| name.clone())
            }
            (Some(session), "hosted-zone-id") => {
                let domain = answers.text(start, "/config/domain/name");
                let domain = domain.unwrap_or_default();
                let asking = dns::nearest_zone(session, &domain);
                let zone = ui.during("asking AWS for the hosted zone", asking).await;
                zone.ok().flatten().map(|zone| zone.id)
            }
            _ => None,
        };
        let check = |answer: &str| match &enabled {
            Some(names) if !names.iter().any(|name| name == answer) => {
                Err("it should be one of the regions that the account has enabled".to_owned())
            }
            _ => {
                let mut trial = answers.clone();
                trial.texts[index] = Some(answer.to_owned());
                fitting(start, &trial, question.pointer)
            }
        };
        let answer = until_right(ui, question.prompt, hint, check).await?;
        answers.texts[index] = Some(answer);
        session = of_this_account(ui, session, start, answers);
    }
    if answers.vpc_cidr.is_none() && fresh {
        let check = |answer: &str| {
            let mut trial = answers.clone();
            trial.vpc_cidr = Some(answer.to_owned());
            fitting(start, &trial, init::VPC)
        };
        let prompt = "address block of the VPC, which no network of yours should overlap";
        let hint = init::text(start, init::VPC);
        let answer = until_right(ui, prompt, hint.clone(), check).await?;
        // Taken as it stands, its subnets stay, too.
        answers.vpc_cidr = Some(answer).filter(|answer| hint.as_ref() != Some(answer));
    }
    if let Some(session) = session
        && init::zones_are_open(start, answers)
    {
        zones(ui, &session, start, answers).await?;
    }
    Ok(())
}

/// A session to take hints from; without one everything is asked, and why is said.
async fn signed_in(common: &Common, ui: &Ui) -> Result<Option<Session>, Failure> {
    let settings = common.aws(ui)?;
    let opening = aws::open(&settings, None);
    match ui.during("asking AWS who you are", opening).await {
        Ok(session) => Ok(Some(session)),
        Err(error) => {
            ui.say(format_args!("AWS offers no answers here: {error}"));
            Ok(None)
        }
    }
}

/// The session, unless it is another account's than the one answered.
fn of_this_account(
    ui: &Ui,
    session: Option<Session>,
    start: &Document,
    answers: &Answers,
) -> Option<Session> {
    let session = session?;
    match answers.text(start, "/config/account_id") {
        Some(account) if account != session.account_id => {
            ui.say(format_args!(
                "your credentials are for account {}: it offers no answers here",
                session.account_id
            ));
            None
        }
        _ => Some(session),
    }
}

/// What the doctor would say of an answer, were it the config's.
fn fitting(start: &Document, trial: &Answers, pointer: &str) -> Result<(), String> {
    let config = init::config(start, trial).map_err(|error| error.to_string())?;
    let mut findings = opinion(&config, true).into_iter();
    match findings.find(|finding| is_at(finding, pointer)) {
        Some(finding) => Err(finding.message),
        None => Ok(()),
    }
}

/// An empty answer takes the hint.
async fn until_right(
    ui: &Ui,
    prompt: &str,
    hint: Option<String>,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<String, Failure> {
    let prompt = match &hint {
        Some(hint) => format!("{prompt} [{hint}]: "),
        None => format!("{prompt}: "),
    };
    loop {
        let given = ui.ask(&prompt).await?;
        let answer = match (given.trim(), &hint) {
            ("", Some(hint)) => hint.clone(),
            (given, _) => given.to_owned(),
        };
        match check(&answer) {
            Ok(()) => return Ok(answer),
            Err(why) => ui.say(format_args!("  {why}")),
        }
    }
}

/// The regions that the account has enabled, said before the question; `None` where AWS does not tell.
async fn regions(ui: &Ui, session: &Session) -> Option<Vec<String>> {
    let asking = observe_ec2::regions(session);
    match ui.during("asking AWS for the regions", asking).await {
        Ok(names) => {
            ui.say(format_args!("regions that the account has enabled: {}", names.join(", ")));
            Some(names)
        }
        Err(error) => {
            ui.say(format_args!("the account's regions are not known: {}", error.reason()));
            None
        }
    }
}

/// Offers the zones that the account can use; where AWS does not tell, offline knowledge goes on.
async fn zones(ui: &Ui, session: &Session, start: &Document, answers: &mut Answers) -> Result<(), Failure> {
    let region = answers.text(start, "/config/region").unwrap_or_default();
    let asking = observe_ec2::zones(session, &region);
    let seen = match ui.during("asking AWS for the zones", asking).await {
        Ok(seen) => seen,
        Err(error) => {
            ui.say(format_args!("the account's zones are not known: {}", error.reason()));
            return Ok(());
        }
    };
    let fit: Vec<&Zone> = seen.iter().filter(|zone| zone.is_fit()).collect();
    let offered: Vec<String> = fit.iter().map(|zone| format!("{} ({})", zone.name, zone.id)).collect();
    ui.say(format_args!("zones of {region} that the account can use: {}", offered.join(", ")));
    let Some((chosen, why)) = network::pick(&seen) else {
        ui.say("these are fewer than the two that OSMT stands in: choose another region");
        return Ok(());
    };
    let prompt = format!("two or more zones; {why}");
    let check = |answer: &str| {
        let names: Vec<&str> = answer.split(',').map(str::trim).collect();
        let known = names.iter().all(|name| fit.iter().any(|zone| zone.name == *name));
        if !known {
            return Err(format!("it should be two or more of these, like {}", chosen.join(",")));
        }
        let mut trial = answers.clone();
        trial.azs = Some(names.iter().map(|&name| name.to_owned()).collect());
        fitting(start, &trial, init::ZONES)
    };
    let answer = until_right(ui, &prompt, Some(chosen.join(",")), check).await?;
    let names = answer.split(',').map(|name| name.trim().to_owned());
    answers.azs = Some(names.collect());
    Ok(())
}
