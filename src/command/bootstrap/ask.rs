//! The questions of `init`: on a terminal one by one until the answer can be right, elsewhere by naming the flags.
//!
//! What the account can tell need not be typed: its number, the regions it has enabled, the zones that it can use.

use crate::account::Zone;
use crate::account::observe_ec2;
use crate::aws;
use crate::aws::Session;
use crate::bootstrap::dns;
use crate::bootstrap::init;
use crate::bootstrap::init::Answers;
use crate::bootstrap::init::QUESTIONS;
use crate::bootstrap::network;
use crate::command::Common;
use crate::command::Ui;
use crate::document::Document;
use crate::explain::Exit;
use crate::explain::Failure;

/// Asks for what is open.
pub(super) async fn ask(
    common: &Common,
    ui: &Ui,
    start: &Document,
    answers: &mut Answers,
) -> Result<(), Failure> {
    let open = init::open_questions(start, answers);
    if !open.is_empty() && (ui.yes || !ui.can_ask()) {
        let flags: Vec<String> = open
            .iter()
            .map(|&index| format!("--{}", QUESTIONS[index].flag))
            .collect();
        return Err(Failure::new(
            Exit::Usage,
            format!("these answers are missing: {}", flags.join(", ")),
        )
        .help("give them as flags, or run it on a terminal without `--yes`"));
    }
    if open.is_empty() {
        return Ok(());
    }
    // Without AWS everything is asked.
    let settings = common.aws(None, ui);
    let opening = ui.during("asking AWS who you are", aws::open(&settings, None));
    let session = opening.await.ok();
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
                Err("one of the regions that the account has enabled".to_owned())
            }
            _ => (question.check)(answer).map_err(str::to_owned),
        };
        let answer = until_right(ui, question.prompt, hint, check).await?;
        answers.texts[index] = Some(answer);
    }
    if let Some(session) = session
        && init::zones_are_open(start, answers)
    {
        zones(ui, &session, start, answers).await?;
    }
    Ok(())
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
            Err(wanted) => ui.say(format_args!("  it should be {wanted}")),
        }
    }
}

/// The regions that the account has enabled, said before the question; `None` where AWS does not tell.
async fn regions(ui: &Ui, session: &Session) -> Option<Vec<String>> {
    let asking = observe_ec2::regions(session);
    match ui.during("asking AWS for the regions", asking).await {
        Ok(names) => {
            ui.say(format_args!(
                "regions that the account has enabled: {}",
                names.join(", ")
            ));
            Some(names)
        }
        Err(error) => {
            ui.say(format_args!(
                "the account's regions are not known: {}",
                error.reason()
            ));
            None
        }
    }
}

/// Offers the zones that the account can use; where AWS does not tell, offline knowledge goes on.
async fn zones(
    ui: &Ui,
    session: &Session,
    start: &Document,
    answers: &mut Answers,
) -> Result<(), Failure> {
    let region = answers.text(start, "/config/region").unwrap_or_default();
    let asking = observe_ec2::zones(session, &region);
    let seen = match ui.during("asking AWS for the zones", asking).await {
        Ok(seen) => seen,
        Err(error) => {
            ui.say(format_args!(
                "the account's zones are not known: {}",
                error.reason()
            ));
            return Ok(());
        }
    };
    let fit: Vec<&Zone> = seen.iter().filter(|zone| zone.is_fit()).collect();
    let offered: Vec<String> = fit
        .iter()
        .map(|zone| format!("{} ({})", zone.name, zone.id))
        .collect();
    ui.say(format_args!(
        "zones of {region} that the account can use: {}",
        offered.join(", ")
    ));
    let Some((chosen, why)) = network::pick(&seen) else {
        ui.say("these are fewer than the two that OSMT stands in: choose another region");
        return Ok(());
    };
    let prompt = format!("two or more zones; {why}");
    let check = |answer: &str| {
        let names: Vec<&str> = answer.split(',').map(str::trim).collect();
        let known = names
            .iter()
            .all(|name| fit.iter().any(|zone| zone.name == *name));
        let distinct = (1..names.len()).all(|index| !names[..index].contains(&names[index]));
        if names.len() >= 2 && known && distinct {
            Ok(())
        } else {
            Err(format!("two or more of these, like {}", chosen.join(",")))
        }
    };
    let answer = until_right(ui, &prompt, Some(chosen.join(",")), check).await?;
    let names = answer.split(',').map(|name| name.trim().to_owned());
    answers.azs = Some(names.collect());
    Ok(())
}
