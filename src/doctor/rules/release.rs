//! What the release of OSMT that runs brings with it: lost roles, a default password, a line that is not known.

use crate::deployment::osmt_line::OsmtLine;
use crate::doctor::subject::Subject;
use crate::finding::{Check, Rule, Severity, Sink};

const ROLES: &str = "/config/app/extra_environment/APP_ENABLEROLES";
const PROFILES: &str = "/config/app/extra_environment/SPRING_PROFILES_ACTIVE";
const SECRETS: &str = "/config/app/extra_secrets";

/// The release.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "OSM001",
            name: "unknown-release",
            severity: Severity::Error,
            summary: "A release line of OSMT that is not known",
            explain: include_str!("../../../docs/rules/OSM001.md"),
        },
        run: unknown,
    },
    Check {
        rule: Rule {
            code: "OSM002",
            name: "roles-lost",
            severity: Severity::Error,
            summary: "OSMT 4 makes every user a viewer",
            explain: include_str!("../../../docs/rules/OSM002.md"),
        },
        run: roles,
    },
    Check {
        rule: Rule {
            code: "OSM003",
            name: "default-administrator",
            severity: Severity::Error,
            summary: "The profile single-auth with its default password",
            explain: include_str!("../../../docs/rules/OSM003.md"),
        },
        run: administrator,
    },
];

fn unknown(subject: &Subject, sink: &mut Sink<'_>) {
    let Some((at, version)) = subject.osmt_version().filter(|(_, version)| OsmtLine::of(version).is_none())
    else {
        return;
    };
    let finding =
        sink.value(at, format!("OSMT {version} is not a release line that is known here: 2.x, 3.x, 4.x"));
    if at == "/config/app/version" {
        finding.help("write the release that the image holds; `osmt-release select` does");
    } else {
        // The tag may follow the organisation's own numbering.
        finding.severity(Severity::Note).help("write the OSMT release that the image holds into app.version");
    }
}

fn roles(subject: &Subject, sink: &mut Sink<'_>) {
    let lost = subject.osmt_line().is_some_and(|line| !line.reads_roles());
    let Some((at, version)) = subject.osmt_version().filter(|_| lost && subject.is_production()) else {
        return;
    };
    if is_single_auth(subject) {
        return;
    }
    if subject.text(ROLES).is_some_and(|value| value.eq_ignore_ascii_case("false")) {
        sink.value(ROLES, "every user who can sign in can edit and publish")
            .severity(Severity::Warning)
            .help("let the identity provider admit only the people who edit");
        return;
    }
    sink.value(at, format!("OSMT {version} gives every user the role of a viewer: no user can edit in production"))
        .help(
            "either APP_ENABLEROLES=false in app.extra_environment (then every user who signs in can edit), \
             or the profile single-auth with a password of your own (then one shared administrator); or stay on 3.0.0",
        );
}

fn administrator(subject: &Subject, sink: &mut Sink<'_>) {
    let own = subject.texts(SECRETS).iter().any(|(_, name)| *name == "SINGLE_AUTH_ADMIN_PASSWORD");
    if is_single_auth(subject) && !own {
        sink.value(
            PROFILES,
            "the profile single-auth has an administrator `admin` with the password `admin`",
        )
        .help("add SINGLE_AUTH_ADMIN_PASSWORD to app.extra_secrets, or leave the profile out");
    }
}

fn is_single_auth(subject: &Subject) -> bool {
    subject.text(PROFILES).is_some_and(|profiles| profiles.split(',').any(|one| one.trim() == "single-auth"))
}
