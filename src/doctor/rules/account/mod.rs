//! Whether the account has what the config needs, according to facts that were read or recorded.
//!
//! A rule whose fact is not known is reported as unknown; it never passes.

mod app;
mod audit;
mod edge;
mod quotas;
mod secrets;
mod services;
mod sign_in;
mod state;
mod zones;

pub use self::audit::Audit;
use self::state::fact;
use crate::account::iam::elsewhere;
use crate::deployment;
use crate::deployment::operations::{FILE, REGION_IN_NAMES};
use crate::finding::{Check, Rule, Severity, Sink};

/// The themes, in the order in which they run.
pub const THEMES: &[&[Check<Audit>]] = &[
    CHECKS,
    state::CHECKS,
    secrets::CHECKS,
    edge::CHECKS,
    zones::CHECKS,
    services::CHECKS,
    quotas::CHECKS,
    sign_in::CHECKS,
    app::CHECKS,
];

const CHECKS: &[Check<Audit>] = &[
    Check {
        rule: Rule {
            code: "ACC001",
            name: "wrong-account",
            severity: Severity::Error,
            summary: "The facts are of another AWS account than the config's",
            explain: include_str!("../../../../docs/rules/ACC001.md"),
        },
        run: account,
    },
    Check {
        rule: Rule {
            code: "ACC002",
            name: "wrong-region",
            severity: Severity::Error,
            summary: "The facts are of another region than the config's",
            explain: include_str!("../../../../docs/rules/ACC002.md"),
        },
        run: region,
    },
    Check {
        rule: Rule {
            code: "ACC003",
            name: "old-facts",
            severity: Severity::Warning,
            summary: "The recorded facts are old",
            explain: include_str!("../../../../docs/rules/ACC003.md"),
        },
        run: age,
    },
    Check {
        rule: Rule {
            code: "ACC004",
            name: "role-names-of-another-region",
            severity: Severity::Error,
            summary: "The environment's IAM roles belong to a deployment in another region",
            explain: include_str!("../../../../docs/rules/ACC004.md"),
        },
        run: role_names,
    },
];

/// Facts are old, a warning, after this time.
const OLD_HOURS: i64 = 24;
/// Facts are not used, unknown, after this time.
const STALE_HOURS: i64 = 7 * 24;

fn account(audit: &Audit, sink: &mut Sink<'_>) {
    match audit.facts.account_id.as_result() {
        Err(reason) => sink.unknown(reason),
        Ok(there) if *there != audit.config.account_id => {
            let wanted = &audit.config.account_id;
            let message = format!("the facts are of account {there}, but the config has {wanted}");
            sink.value("/config/account_id", message).help(format!("choose a profile of account {wanted}"));
        }
        Ok(_) => {}
    }
}

fn age(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(recorded) = audit.facts.recorded.as_deref() else {
        return sink.unknown("the facts do not say when they were recorded");
    };
    let Ok(then) = recorded.parse::<jiff::Timestamp>() else {
        return sink.unknown(format!("the facts were recorded at {recorded:?}, which is not a time"));
    };
    let hours = audit.now.duration_since(then).as_hours();
    // Clocks differ by minutes, not by hours.
    if hours < 0 {
        return sink.unknown(format!("the facts were recorded at {then}, which is in the future"));
    }
    let age = format!("the facts were recorded {} days ago, at {then}", hours / 24);
    if hours >= STALE_HOURS {
        sink.unknown(format!("{age}: they may no longer be true"));
    }
    if hours >= OLD_HOURS {
        sink.elsewhere(age).help("record them again: `osmt-doctor facts > FILE`");
    }
}

fn region(audit: &Audit, sink: &mut Sink<'_>) {
    let (there, wanted) = (&audit.facts.region, &audit.config.region);
    if there != wanted {
        let message = format!("the facts are of {there}, but the config has {wanted}");
        sink.value("/config/region", message).help("leave `--region` out, or correct the config");
    }
}

/// IAM roles are global: unless their names contain the Region, two deployments of the environment have the same role names.
fn role_names(audit: &Audit, sink: &mut Sink<'_>) {
    if audit.region_in_names == Some(true) {
        return;
    }
    let Ok(Some(role)) = fact(&audit.facts.app_role, sink) else {
        return;
    };
    if role.name != deployment::app_role(&audit.config.env) {
        return sink.unknown(format!("the facts are about the role {}; record them again", role.name));
    }
    if role.regions.is_empty() {
        return sink.unknown(format!("the trust policy of the role {} names no region", role.name));
    }
    let wanted = &audit.config.region;
    let Some(other) = elsewhere(&role.regions, wanted) else {
        return;
    };
    let name = &role.name;
    if audit.region_in_names.is_none() {
        return sink.unknown(format!(
            "the role {name} belongs to {other}, and whether {FILE} sets `{REGION_IN_NAMES}` is not known"
        ));
    }
    let message = format!(
        "the IAM role {name} belongs to the deployment in {other}, and Terraform would create it again for {wanted}"
    );
    sink.value("/config/region", message).help(format!("set `{REGION_IN_NAMES} = true` in {FILE}"));
}
