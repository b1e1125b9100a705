//! Whether the deployed app answers as expected.

use super::Audit;
use super::state::fact;
use crate::account::app::Judged;
use crate::finding::{Check, Rule, Severity, Sink};

/// The running app.
pub(super) const CHECKS: &[Check<Audit>] = &[Check {
    rule: Rule {
        code: "APP001",
        name: "app-answers-otherwise",
        // A warning: the next apply may be the one that corrects the app.
        severity: Severity::Warning,
        summary: "The deployed app does not answer as people need it",
        explain: include_str!("../../../../docs/rules/APP001.md"),
    },
    run: answers,
}];

fn answers(audit: &Audit, sink: &mut Sink<'_>) {
    let Ok(Some(app)) = fact(&audit.facts.app, sink) else {
        return;
    };
    let domain = &audit.config.domain.name;
    if app.address.trim_end_matches('/') != format!("https://{domain}") {
        return sink.unknown(format!("the facts are about {}; record them again", app.address));
    }
    let answers = app.judge(&audit.config);
    if answers.iter().all(|answer| answer.judged == Judged::Unknown) {
        let why = answers.first().map_or("", |answer| &answer.found);
        return sink.unknown(format!("this machine cannot reach the app: {why}"));
    }
    for answer in answers {
        let found = format!("{}: {}", answer.name, answer.found);
        match answer.judged {
            Judged::Right => {}
            Judged::Wrong => {
                let finding = sink.elsewhere(found);
                if let Some(help) = answer.help {
                    finding.help(help);
                }
            }
            Judged::Unknown => sink.unknown(found),
        }
    }
}
