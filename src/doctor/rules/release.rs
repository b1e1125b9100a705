//! The OSMT release in the config: an unknown release line, lost roles, a default password.

use super::images::moves;
use crate::deployment::osmt_line;
use crate::deployment::osmt_line::OsmtLine;
use crate::doctor::image::tag_fault;
use crate::doctor::subject::Subject;
use crate::finding::{Check, Rule, Severity, Sink};

const TAG: &str = "/config/ecs/task/app/docker_tag";
const ROLES: &str = "/config/app/extra_environment/APP_ENABLEROLES";
/// The Terraform module sets `SPRING_PROFILES_ACTIVE`; the other variable adds profiles to it.
const PROFILES: [&str; 2] = [
    "/config/app/extra_environment/SPRING_PROFILES_INCLUDE",
    "/config/app/extra_environment/SPRING_PROFILES_ACTIVE",
];
const SECRETS: &str = "/config/app/extra_secrets";

/// The release.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "OSM001",
            name: "unknown-release",
            severity: Severity::Error,
            summary: "The release line of OSMT is not known",
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
            summary: "The profile single-auth is on with its default password",
            explain: include_str!("../../../docs/rules/OSM003.md"),
        },
        run: administrator,
    },
    Check {
        rule: Rule {
            code: "OSM004",
            name: "release-not-stated",
            severity: Severity::Note,
            summary: "The OSMT release in the image is not given",
            explain: include_str!("../../../docs/rules/OSM004.md"),
        },
        run: unstated,
    },
];

fn unknown(subject: &Subject, sink: &mut Sink<'_>) {
    let Some((at, version)) = subject.osmt_version().filter(|(_, version)| OsmtLine::of(version).is_none())
    else {
        return;
    };
    let known: Vec<&str> = OsmtLine::ALL.into_iter().map(OsmtLine::name).collect();
    let finding = sink
        .value(at, format!("OSMT {version} does not belong to a known release line ({})", known.join(", ")));
    finding.help(if at == "/config/app/version" {
        "write the OSMT release that the image contains; `osmt-release select` writes it"
    } else {
        // The tag may follow the organisation's own numbering, which Terraform refuses too.
        "write the OSMT release that the image contains into app.version"
    });
}

fn unstated(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(tag) = subject.text(TAG).filter(|tag| tag_fault(tag).is_none()) else { return };
    if subject.osmt_version().is_none() && osmt_line::version_of_tag(tag).is_none() && !moves(tag) {
        sink.value(
            TAG,
            "neither the tag nor app.version gives the OSMT release in the image: Terraform runs it as 3.x",
        )
        .help("write the release into app.version; `osmt-release select` writes it");
    }
}

fn roles(subject: &Subject, sink: &mut Sink<'_>) {
    let lost = subject.osmt_line().is_some_and(|line| !line.traits().reads_roles);
    let Some((at, version)) = subject.osmt_version().filter(|_| lost && subject.is_production()) else {
        return;
    };
    if single_auth(subject).is_some() {
        return;
    }
    if subject.text(ROLES).is_some_and(|value| value.eq_ignore_ascii_case("false")) {
        sink.value(ROLES, "every user who can sign in can edit and publish")
            .severity(Severity::Warning)
            .help("configure the identity provider so that only editors can sign in");
        return;
    }
    sink.value(at, format!("OSMT {version} gives every user the role of a viewer: no user can edit in production"))
        .help(
            "either APP_ENABLEROLES=false in app.extra_environment (then every user who signs in can edit), \
             or SPRING_PROFILES_INCLUDE=single-auth there with a password of your own (then one shared administrator); or stay on 3.0.0",
        );
}

fn administrator(subject: &Subject, sink: &mut Sink<'_>) {
    let own = subject.texts(SECRETS).iter().any(|(_, name)| *name == "SINGLE_AUTH_ADMIN_PASSWORD");
    if let Some(at) = single_auth(subject).filter(|_| !own) {
        sink.value(at, "the profile single-auth has an administrator `admin` with the password `admin`")
            .help("add SINGLE_AUTH_ADMIN_PASSWORD to app.extra_secrets, or leave the profile out");
    }
}

/// The pointer of the setting that turns the profile single-auth on.
fn single_auth(subject: &Subject) -> Option<&'static str> {
    PROFILES.into_iter().find(|at| {
        let profiles = subject.text(at).unwrap_or_default();
        profiles.split(',').any(|one| one.trim() == "single-auth")
    })
}
