//! The questions of `init`. On a terminal each question is repeated until the answer is valid; elsewhere the missing flags are named.
//!
//! The account's id, its enabled regions and its zones are suggested. The answers are kept in a file until the config is written, so
//! that an interrupted run can offer them again.

use super::doctor_errors::{errors, is_at};
use super::draft::Draft;
use super::prompt;
use super::prompt::Reply;
use crate::account::iam::elsewhere;
use crate::account::{Zone, observe};
use crate::aws::Session;
use crate::bootstrap::certificate::dns;
use crate::bootstrap::init;
use crate::bootstrap::init::{Answers, QUESTIONS, Question, network};
use crate::command::{Context, Ui};
use crate::config::NO_ZONE;
use crate::document::Document;
use crate::explain::{Exit, Failure};
use crate::{aws, deployment};

/// One question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// One of [`QUESTIONS`], by index.
    Text(usize),
    /// The VPC's address block.
    Network,
    /// The availability zones.
    Zones,
}

/// The result of a question.
enum Outcome {
    Answered,
    Back,
}

/// The questions of a run; answers can be corrected.
pub(super) struct Wizard<'a> {
    ui: &'a Ui,
    start: &'a Document,
    session: Option<Session>,
    steps: Vec<Step>,
    draft: Draft,
}

/// The user's decision after the summary.
pub(super) enum Decision {
    Write,
    /// An answer was changed: show the summary again.
    Again,
}

/// Asks the open questions; for a new config also about the network, which has a default. `None` if no question is open.
pub(super) async fn ask<'a>(
    cx: &'a Context,
    start: &'a Document,
    is_new: bool,
    answers: &mut Answers,
) -> Result<Option<Wizard<'a>>, Failure> {
    let ui = &cx.ui;
    let open = init::open_questions(start, answers);
    if !open.is_empty() && (ui.flags.yes || !ui.can_ask()) {
        let flags: Vec<String> = open.iter().map(|&index| format!("--{}", QUESTIONS[index].flag)).collect();
        return Err(Failure::new(Exit::Usage, format!("these answers are missing: {}", flags.join(", ")))
            .help("give them as flags, or run it on a terminal without `--yes`"));
    }
    if open.is_empty() {
        return Ok(None);
    }
    let mut steps: Vec<Step> = open.into_iter().map(Step::Text).collect();
    if answers.vpc_cidr.is_none() && is_new {
        steps.push(Step::Network);
    }
    if answers.azs.is_none() {
        steps.push(Step::Zones);
    }
    let draft = Draft::read(&cx.shared.dir);
    if !draft.answers.is_empty() {
        ui.say("the answers of the previous run are suggested; press Enter to accept them");
    }
    let session = sign_in(cx).await?;
    if let (Some(account), Some(session)) = (answers.text(start, "/config/account_id"), &session)
        && account != session.account_id
    {
        ui.say(other_account(session));
    }
    let mut wizard = Wizard { ui, start, session, steps, draft };
    ui.say("`?` explains a question, `<` goes back");
    let mut at = 0;
    while at < wizard.steps.len() {
        match wizard.step(at, answers).await? {
            Outcome::Answered => at += 1,
            Outcome::Back => at = at.saturating_sub(1),
        }
    }
    Ok(Some(wizard))
}

/// What AWS offers as the answer to a question.
#[derive(Default)]
struct Offer {
    hint: Option<String>,
    /// Those that the account has enabled.
    regions: Option<Vec<String>>,
    /// The hosted zone that is nearest to the domain.
    zone: Option<String>,
}

impl Wizard<'_> {
    async fn step(&mut self, at: usize, answers: &mut Answers) -> Result<Outcome, Failure> {
        let number = format!("[{}/{}] ", at + 1, self.steps.len());
        let outcome = match self.steps[at] {
            Step::Text(index) => self.text(&number, index, answers).await?,
            Step::Network => self.network(&number, answers).await?,
            Step::Zones => self.zones(&number, answers).await?,
        };
        if let Outcome::Answered = outcome {
            self.draft.keep(answers);
        }
        Ok(outcome)
    }

    /// The session, if it is one of the account in the answers.
    fn session(&self, answers: &Answers) -> Option<&Session> {
        let session = self.session.as_ref()?;
        let answered = answers.text(self.start, "/config/account_id");
        answered.is_none_or(|account| account == session.account_id).then_some(session)
    }

    /// The other region of the account in which Terraform has created the environment; `None` if there is none or AWS cannot be asked.
    pub(super) async fn other_region(&self, answers: &Answers) -> Option<String> {
        let session = self.session(answers)?;
        let text = |pointer| answers.text(self.start, pointer).unwrap_or_default();
        let name = deployment::app_role(&text("/config/env"));
        let asking = observe::iam::task_role(session, &name);
        let role = self.ui.during("asking AWS for other deployments", asking).await.ok().flatten()?;
        elsewhere(&role.regions, &text("/config/region")).map(str::to_owned)
    }

    async fn text(&self, number: &str, index: usize, answers: &mut Answers) -> Result<Outcome, Failure> {
        let question = QUESTIONS[index];
        let ui = self.ui;
        let offer = self.offer(&question, answers).await;
        let kept = answers.texts[index].clone().or_else(|| self.draft.answers.get(question.flag).cloned());
        let hint = kept.or(offer.hint);
        if let Some(names) = offer.regions.clone().filter(|_| prompt::is_rich(ui)) {
            let first =
                hint.as_ref().and_then(|hint| names.iter().position(|name| name == hint)).unwrap_or(0);
            let prompt = format!("{number}{}", question.prompt);
            let Some(chosen) = prompt::one_of(&prompt, names.clone(), first).await? else {
                return Ok(Outcome::Back);
            };
            answers.texts[index] = Some(names[chosen].clone());
            return Ok(Outcome::Answered);
        }
        let mut wrong = None;
        loop {
            let prompt = format!("{number}{}", question.prompt);
            let answer = match prompt::line(ui, &prompt, hint.as_deref(), wrong.as_deref()).await? {
                Reply::Text(answer) => answer,
                Reply::Back => return Ok(Outcome::Back),
                Reply::Help => {
                    ui.say(format_args!("  {}", question.help));
                    continue;
                }
            };
            let mut trial = answers.clone();
            trial.texts[index] = Some(answer.clone());
            let mut verdict = match &offer.regions {
                Some(names) if !names.contains(&answer) => {
                    Err("answer with a region that is enabled in the account".to_owned())
                }
                // The doctor would report these as a placeholder only after the file is written.
                _ if answer.contains(['<', '>']) => Err("leave `<` and `>` out".to_owned()),
                _ => check_answer(self.start, &trial, question.pointer),
            };
            if question.flag == "domain" {
                verdict = verdict.and_then(|()| init::host_name(&answer).map(drop));
            }
            if let (Ok(()), Some(found), Some(session)) = (&verdict, &offer.zone, self.session(answers))
                && *found != answer
                && answer != NO_ZONE
            {
                verdict = check_zone(ui, session, &answer, found).await;
            }
            match verdict {
                Ok(()) => {
                    if question.flag == "account-id"
                        && let Some(session) = self.session.as_ref().filter(|one| one.account_id != answer)
                    {
                        ui.say(other_account(session));
                    }
                    answers.texts[index] = Some(answer);
                    return Ok(Outcome::Answered);
                }
                Err(why) => {
                    ui.say(format_args!("  {why}"));
                    wrong = Some(answer);
                }
            }
        }
    }

    /// What AWS says to a question.
    async fn offer(&self, question: &Question, answers: &Answers) -> Offer {
        let Some(session) = self.session(answers) else { return Offer::default() };
        match question.flag {
            "account-id" => Offer { hint: Some(session.account_id.clone()), ..Offer::default() },
            "region" => {
                let regions = regions(self.ui, session).await;
                let is_enabled = regions.as_ref().is_none_or(|names| names.contains(&session.region));
                Offer { hint: is_enabled.then(|| session.region.clone()), regions, zone: None }
            }
            "hosted-zone-id" => {
                let domain = answers.text(self.start, init::DOMAIN).unwrap_or_default();
                let asking = dns::nearest_zone(session, &domain);
                let zone = self.ui.during("asking AWS for the hosted zone", asking).await;
                let zone = zone.ok().flatten().map(|zone| zone.id);
                Offer { hint: zone.clone(), regions: None, zone }
            }
            _ => Offer::default(),
        }
    }

    async fn network(&self, number: &str, answers: &mut Answers) -> Result<Outcome, Failure> {
        let default = init::text(self.start, init::VPC);
        let kept = answers.vpc_cidr.clone().or_else(|| self.draft.answers.get("vpc-cidr").cloned());
        let hint = kept.or(default.clone());
        let prompt =
            format!("{number}address block of the VPC; it must not overlap with your other networks");
        let mut wrong = None;
        loop {
            let answer = match prompt::line(self.ui, &prompt, hint.as_deref(), wrong.as_deref()).await? {
                Reply::Text(answer) => answer,
                Reply::Back => return Ok(Outcome::Back),
                Reply::Help => {
                    self.ui.say("  a private block of /16 to /25, such as 10.20.0.0/22; choose one that no network uses that you connect to this VPC");
                    continue;
                }
            };
            let mut trial = answers.clone();
            trial.vpc_cidr = Some(answer.clone());
            let verdict =
                network::refuse_public(&answer).and_then(|()| check_answer(self.start, &trial, init::VPC));
            match verdict {
                Ok(()) => {
                    // If the default block is accepted, its subnets are not computed again.
                    answers.vpc_cidr = Some(answer).filter(|answer| default.as_ref() != Some(answer));
                    return Ok(Outcome::Answered);
                }
                Err(why) => {
                    self.ui.say(format_args!("  {why}"));
                    wrong = Some(answer);
                }
            }
        }
    }

    /// Offers the zones that the account can use. If AWS cannot be asked, the first two of the region are used.
    async fn zones(&self, number: &str, answers: &mut Answers) -> Result<Outcome, Failure> {
        let ui = self.ui;
        let Some(session) = self.session(answers) else { return Ok(Outcome::Answered) };
        if answers.azs.is_none() && !init::zones_are_open(self.start, answers) {
            return Ok(Outcome::Answered);
        }
        let region = answers.text(self.start, "/config/region").unwrap_or_default();
        let asking = observe::ec2::zones(session, &region);
        let seen = match ui.during("asking AWS for the zones", asking).await {
            Ok(seen) => seen,
            Err(error) => {
                ui.say(format_args!("the account's zones are not known: {}", error.reason()));
                return Ok(Outcome::Answered);
            }
        };
        let fit: Vec<&Zone> = seen.iter().filter(|zone| zone.is_fit()).collect();
        let offered: Vec<String> = fit.iter().map(|zone| format!("{} ({})", zone.name, zone.id)).collect();
        let Some((chosen, why)) = network::pick(&seen) else {
            ui.say(format_args!(
                "{region} has fewer than the two zones that OSMT needs: go back with `<` and choose another region"
            ));
            return Ok(Outcome::Answered);
        };
        let prompt = format!("{number}two or more zones; {why}");
        if prompt::is_rich(ui) {
            let before = answers.azs.clone().unwrap_or(chosen);
            let marks: Vec<bool> = fit.iter().map(|zone| before.contains(&zone.name)).collect();
            loop {
                let Some(picked) = prompt::some_of(&prompt, offered.clone(), marks.clone()).await? else {
                    return Ok(Outcome::Back);
                };
                let names: Vec<String> = picked.iter().map(|&index| fit[index].name.clone()).collect();
                match self.check_zones(answers, &names) {
                    Ok(()) => {
                        answers.azs = Some(names);
                        return Ok(Outcome::Answered);
                    }
                    Err(why) => ui.say(format_args!("  {why}")),
                }
            }
        }
        ui.say(format_args!("zones of {region} that the account can use: {}", offered.join(", ")));
        let hint = answers.azs.clone().unwrap_or(chosen).join(",");
        loop {
            let answer = match prompt::line(ui, &prompt, Some(&hint), None).await? {
                Reply::Text(answer) => answer,
                Reply::Back => return Ok(Outcome::Back),
                Reply::Help => {
                    ui.say(
                        "  subnets, database and load balancer are spread over these zones; two are enough",
                    );
                    continue;
                }
            };
            let names: Vec<String> = answer.split(',').map(|name| name.trim().to_owned()).collect();
            let verdict = if names.iter().all(|name| fit.iter().any(|zone| zone.name == *name)) {
                self.check_zones(answers, &names)
            } else {
                Err(format!("answer with two or more of these, such as {hint}"))
            };
            match verdict {
                Ok(()) => {
                    answers.azs = Some(names);
                    return Ok(Outcome::Answered);
                }
                Err(why) => ui.say(format_args!("  {why}")),
            }
        }
    }

    fn check_zones(&self, answers: &Answers, names: &[String]) -> Result<(), String> {
        let mut trial = answers.clone();
        trial.azs = Some(names.to_vec());
        check_answer(self.start, &trial, init::ZONES)
    }

    /// Shows every answer, and offers to change one before the files are written.
    pub(super) async fn decide(&mut self, answers: &mut Answers) -> Result<Decision, Failure> {
        let lines = self.summary(answers);
        let stopped = || {
            let message = "not confirmed";
            Failure::new(Exit::Refused, message).help("run this again: the answers are kept and suggested")
        };
        let rich = prompt::is_rich(self.ui);
        if !rich {
            for line in &lines {
                self.ui.say(line);
            }
        }
        let number = if rich {
            let mut items = vec!["write the files".to_owned()];
            items.extend(lines.iter().map(|line| format!("change {}", line.trim_start())));
            items.push("stop; the answers are kept for the next run".to_owned());
            match prompt::action("Write?", items).await? {
                Some(0) => return Ok(Decision::Write),
                Some(number) if number <= lines.len() => number,
                _ => return Err(stopped()),
            }
        } else {
            let question = "Write? [y/N, or the number of an answer to change it] ";
            let answer = self.ui.ask(question).await?;
            match answer.trim().to_lowercase().as_str() {
                "y" | "yes" => return Ok(Decision::Write),
                other => match other.parse::<usize>() {
                    Ok(number) if (1..=lines.len()).contains(&number) => number,
                    _ => return Err(stopped()),
                },
            }
        };
        // After a change of the region, the zones are asked again.
        let step = self.steps[number - 1];
        self.step(number - 1, answers).await?;
        let is_region = matches!(step, Step::Text(index) if QUESTIONS[index].flag == "region");
        if let Some(zones) = self.steps.iter().position(|step| *step == Step::Zones).filter(|_| is_region) {
            answers.azs = None;
            self.step(zones, answers).await?;
        }
        Ok(Decision::Again)
    }

    fn summary(&self, answers: &Answers) -> Vec<String> {
        let each = self.steps.iter().enumerate().map(|(at, step)| {
            let (name, value) = match step {
                Step::Text(index) => {
                    let value = answers.text(self.start, QUESTIONS[*index].pointer);
                    (QUESTIONS[*index].flag, value.unwrap_or_default())
                }
                Step::Network => {
                    let default = init::text(self.start, init::VPC);
                    ("vpc-cidr", answers.vpc_cidr.clone().or(default).unwrap_or_default())
                }
                Step::Zones => (
                    "azs",
                    answers
                        .azs
                        .as_ref()
                        .map_or("the first two of the region".to_owned(), |azs| azs.join(", ")),
                ),
            };
            format!("{:>3}  {name}: {value}", at + 1)
        });
        each.collect()
    }

    /// Deletes the kept answers, once they are in the config.
    pub(super) fn delete_draft(&self) {
        self.draft.delete();
    }
}

/// Opens a session for suggestions. Without credentials the reason is shown, and nothing is suggested.
async fn sign_in(cx: &Context) -> Result<Option<Session>, Failure> {
    let ui = &cx.ui;
    let settings = cx.shared.aws(ui)?;
    let opening = aws::open(&settings, None);
    match ui.during("signing in to AWS", opening).await {
        Ok(session) => Ok(Some(session)),
        Err(error) => {
            ui.say(format_args!("{error}; continuing without suggestions"));
            Ok(None)
        }
    }
}

fn other_account(session: &Session) -> String {
    format!("your credentials are for account {}; continuing without suggestions", session.account_id)
}

/// Refuses a hosted zone that does not exist in the account, if another zone of the account contains the domain.
async fn check_zone(ui: &Ui, session: &Session, id: &str, found: &str) -> Result<(), String> {
    let asking = observe::hosted_zone(session, id);
    match ui.during("asking AWS for the hosted zone", asking).await {
        Ok(None) => Err(format!(
            "hosted zone {id} does not exist in account {}; the zone that contains the domain is {found}",
            session.account_id
        )),
        Ok(Some(_)) => Ok(()),
        Err(error) => {
            ui.say(format_args!("it is not known whether hosted zone {id} exists: {}", error.reason()));
            Ok(())
        }
    }
}

/// Checks an answer with the doctor's rules, as if it were in the config.
fn check_answer(start: &Document, trial: &Answers, pointer: &str) -> Result<(), String> {
    let config = init::config(start, trial).map_err(|error| error.to_string())?;
    let mut findings = errors(&config, true).into_iter();
    match findings.find(|finding| is_at(finding, pointer)) {
        Some(finding) => Err(finding.message),
        None => Ok(()),
    }
}

/// The regions that the account has enabled; `None` if AWS cannot be asked.
async fn regions(ui: &Ui, session: &Session) -> Option<Vec<String>> {
    let asking = observe::ec2::regions(session);
    match ui.during("asking AWS for the regions", asking).await {
        Ok(names) => {
            if !prompt::is_rich(ui) {
                ui.say(format_args!("regions that the account has enabled: {}", names.join(", ")));
            }
            Some(names)
        }
        Err(error) => {
            ui.say(format_args!("the account's regions are not known: {}", error.reason()));
            None
        }
    }
}
