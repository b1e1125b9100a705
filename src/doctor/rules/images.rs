//! Container images: names and tags that a registry accepts, and tags that do not move.

use crate::deployment::image::{DOCKER_HUB, Ecr, OSMT, Reference};
use crate::deployment::osmt_line;
use crate::deployment::osmt_line::OsmtLine;
use crate::doctor::image::{name_fault, tag_fault};
use crate::doctor::subject::Subject;
use crate::document::Place;
use crate::finding::{Check, Finding, Remedy, Rule, Severity, Sink};

const APP: &str = "/config/ecs/task/app";
const SEARCH: &str = "/config/ecs/task/elasticsearch";

/// Images.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "IMG001",
            name: "malformed-image",
            severity: Severity::Error,
            summary: "The value is not an image name",
            explain: include_str!("../../../docs/rules/IMG001.md"),
        },
        run: names,
    },
    Check {
        rule: Rule {
            code: "IMG002",
            name: "malformed-tag",
            severity: Severity::Error,
            summary: "The value is neither a tag nor a digest",
            explain: include_str!("../../../docs/rules/IMG002.md"),
        },
        run: tags,
    },
    Check {
        rule: Rule {
            code: "IMG003",
            name: "moving-tag",
            severity: Severity::Warning,
            summary: "The tag is moved to newer images",
            explain: include_str!("../../../docs/rules/IMG003.md"),
        },
        run: moving,
    },
    Check {
        rule: Rule {
            code: "IMG004",
            name: "no-such-tag",
            severity: Severity::Error,
            summary: "The publisher has no such tag",
            explain: include_str!("../../../docs/rules/IMG004.md"),
        },
        run: published,
    },
    Check {
        rule: Rule {
            code: "IMG005",
            name: "wrong-image",
            severity: Severity::Error,
            summary: "The image belongs to another service",
            explain: include_str!("../../../docs/rules/IMG005.md"),
        },
        run: swapped,
    },
    Check {
        rule: Rule {
            code: "IMG006",
            name: "elasticsearch-against-app",
            severity: Severity::Warning,
            summary: "OSMT does not work with this version of Elasticsearch",
            explain: include_str!("../../../docs/rules/IMG006.md"),
        },
        run: search_version,
    },
    Check {
        rule: Rule {
            code: "IMG007",
            name: "dead-end-version",
            severity: Severity::Warning,
            summary: "This version of OSMT upgrades to 3.0.0 only with a flag",
            explain: include_str!("../../../docs/rules/IMG007.md"),
        },
        run: dead_end,
    },
    Check {
        rule: Rule {
            code: "IMG008",
            name: "image-nearly-right",
            severity: Severity::Warning,
            summary: "The image's name is almost that of the publisher",
            explain: include_str!("../../../docs/rules/IMG008.md"),
        },
        run: nearly,
    },
    Check {
        rule: Rule {
            code: "IMG009",
            name: "registry-elsewhere",
            severity: Severity::Warning,
            summary: "The image is in an ECR registry of another account or region",
            explain: include_str!("../../../docs/rules/IMG009.md"),
        },
        run: elsewhere,
    },
    Check {
        rule: Rule {
            code: "IMG010",
            name: "tag-of-another-architecture",
            severity: Severity::Error,
            summary: "The tag is for another processor architecture than the task",
            explain: include_str!("../../../docs/rules/IMG010.md"),
        },
        run: architecture,
    },
];

/// The names of the published images.
const PUBLISHED: [(&str, &str); 2] = [(APP, OSMT), (SEARCH, "docker.elastic.co/elasticsearch/elasticsearch")];

fn nearly(subject: &Subject, sink: &mut Sink<'_>) {
    for (service, published) in PUBLISHED {
        let near = |image: &&str| (1..4).contains(&strsim::damerau_levenshtein(image, published));
        if let Some(image) = image(subject, service).filter(near) {
            sink.value(format!("{service}/docker_image"), format!("{image} is almost {published}"))
                .help(format!("did you mean {published}?"));
        }
    }
}

fn image<'a>(subject: &'a Subject, service: &str) -> Option<&'a str> {
    subject.text(&format!("{service}/docker_image")).filter(|image| name_fault(image).is_none())
}

fn tag<'a>(subject: &'a Subject, service: &str) -> Option<&'a str> {
    subject.text(&format!("{service}/docker_tag")).filter(|tag| tag_fault(tag).is_none())
}

fn names(subject: &Subject, sink: &mut Sink<'_>) {
    for service in [APP, SEARCH] {
        let at = format!("{service}/docker_image");
        if let Some((message, help)) = subject.text(&at).and_then(name_fault) {
            sink.value(at, message).remedy(help);
        }
    }
}

fn tags(subject: &Subject, sink: &mut Sink<'_>) {
    for service in [APP, SEARCH] {
        let at = format!("{service}/docker_tag");
        if let Some((message, help)) = subject.text(&at).and_then(tag_fault) {
            sink.value(at, message).remedy(help);
        }
    }
}

/// Whether a tag is moved to newer images.
pub(super) fn moves(tag: &str) -> bool {
    const MOVING: [&str; 22] = [
        "latest",
        "stable",
        "main",
        "master",
        "develop",
        "development",
        "dev",
        "edge",
        "nightly",
        "snapshot",
        "head",
        "trunk",
        "test",
        "testing",
        "staging",
        "stage",
        "prod",
        "production",
        "release",
        "current",
        "canary",
        "rc",
    ];
    let tag = tag.to_lowercase();
    MOVING.contains(&tag.as_str())
        || ["-snapshot", "-latest", "-nightly", "-edge"].iter().any(|end| tag.ends_with(end))
        || ["latest-", "nightly-", "edge-"].iter().any(|start| tag.starts_with(start) && tag.len() < 16)
}

fn moving(subject: &Subject, sink: &mut Sink<'_>) {
    for service in [APP, SEARCH] {
        let Some(tag) = tag(subject, service).filter(|tag| moves(tag)) else {
            continue;
        };
        if service == SEARCH && search_tag_fault(subject).is_some() {
            continue;
        }
        let help = if service == APP {
            "write a release, such as 3.0.0; `osmt-release select` writes it"
        } else {
            "write a version, such as 8.11.3"
        };
        sink.value(format!("{service}/docker_tag"), format!("the tag `{tag}` is moved to newer images"))
            .help(help);
    }
}

/// Whether a text is three numbers separated by dots.
fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn search_tag_fault(subject: &Subject) -> Option<String> {
    let reference = Reference::new(image(subject, SEARCH)?, "");
    let is_official = match reference.registry.as_str() {
        "docker.elastic.co" => reference.repository == "elasticsearch/elasticsearch",
        DOCKER_HUB => reference.repository == "library/elasticsearch",
        _ => false,
    };
    is_official.then_some(())?;
    let tag = tag(subject, SEARCH).filter(|tag| !tag.starts_with("sha256:"))?;
    let plain = tag.split('-').next().unwrap_or_default();
    (!is_version(plain)).then(|| format!("Elasticsearch publishes no tag `{tag}`"))
}

fn published(subject: &Subject, sink: &mut Sink<'_>) {
    let is_ours = image(subject, APP).is_some_and(|image| Reference::new(image, "").is_published_osmt());
    if let Some(tag) = tag(subject, APP).filter(|_| is_ours) {
        let bare = tag.trim_start_matches(['v', 'V']);
        let at = format!("{APP}/docker_tag");
        if bare != tag && bare.starts_with(|c: char| c.is_ascii_digit()) {
            sink.value(at, format!("OSMT's tags have no v: there is no `{tag}`")).remedy(Remedy::write(bare));
        } else if is_version(tag) && !osmt_line::PUBLISHED.contains(&tag) {
            unpublished(tag, sink.value(at, format!("no image {OSMT}:{tag} was published")));
        }
    }
    if let Some(message) = search_tag_fault(subject) {
        sink.value(format!("{SEARCH}/docker_tag"), message).help("write all three numbers, such as 8.11.3");
    }
}

/// Sets the help, and the severity, for a release that has no published image.
fn unpublished(tag: &str, finding: &mut Finding) {
    let number =
        |text: &str| text.split('.').map(|part| part.parse::<u32>().unwrap_or(u32::MAX)).collect::<Vec<_>>();
    let newest = osmt_line::PUBLISHED.last().copied().unwrap_or_default();
    match OsmtLine::of(tag) {
        Some(OsmtLine::V4) => {
            finding.help(
                "OSMT 4 has no public image: build one, push it to Amazon ECR, and write its name here",
            );
        }
        _ if number(tag) > number(newest) => {
            finding.severity(Severity::Note);
            finding
                .help(format!("{newest} was the newest known release; check that the registry has this one"));
        }
        _ => {
            finding.help(format!("the published tags are {}", osmt_line::PUBLISHED.join(", ")));
        }
    }
}

fn elsewhere(subject: &Subject, sink: &mut Sink<'_>) {
    for service in [APP, SEARCH] {
        let ecr = image(subject, service).and_then(|image| Reference::new(image, "").ecr());
        let Some(Ecr { account_id: account, region }) = ecr else { continue };
        let at = format!("{service}/docker_image");
        let own =
            |pointer: &str, other: &str| subject.text(pointer).filter(|own| *own != other).map(str::to_owned);
        if let Some(own) = own("/config/account_id", &account) {
            sink.value(at, format!("the registry is in account {account}, but the deployment is in {own}"))
                .help("its repository policy must allow this account to pull; otherwise push the image to your own")
                .related(Place::value("/config/account_id"), "the account");
        } else if let Some(own) = own("/config/region", &region) {
            sink.value(at, format!("the registry is in {region}, but the deployment is in {own}"))
                .severity(Severity::Note)
                .help("each pull crosses regions and is billed as data transfer; ECR can replicate the repository")
                .related(Place::value("/config/region"), "the region");
        }
    }
}

fn architecture(subject: &Subject, sink: &mut Sink<'_>) {
    for service in [APP, SEARCH] {
        let at = format!("{service}/cpu_architecture");
        let runs = subject.text(&at).unwrap_or("X86_64");
        let Some(tag) = tag(subject, service) else { continue };
        let lower = tag.to_lowercase();
        let is = |names: [&str; 4]| names.iter().any(|name| lower.ends_with(name));
        let built = if is(["-arm64", "-aarch64", "-arm64v8", "-arm"]) {
            "ARM64"
        } else if is(["-amd64", "-x86_64", "-x64", "-x86-64"]) {
            "X86_64"
        } else {
            continue;
        };
        if built != runs {
            sink.value(
                format!("{service}/docker_tag"),
                format!("the tag `{tag}` is for {built}, but the task runs on {runs}"),
            )
            .help(format!("use the image for {runs}, or write \"cpu_architecture\": \"{built}\""));
        }
    }
}

fn swapped(subject: &Subject, sink: &mut Sink<'_>) {
    let last = |image: &str| image.rsplit('/').next().unwrap_or_default().to_owned();
    if image(subject, APP).is_some_and(|image| last(image).contains("elasticsearch")) {
        sink.value(format!("{APP}/docker_image"), "the app's image is the Elasticsearch image")
            .help(format!("write {OSMT}"));
    }
    if image(subject, SEARCH).is_some_and(|image| last(image).contains("opensearch")) {
        sink.value(
            format!("{SEARCH}/docker_image"),
            "OpenSearch is not Elasticsearch: OSMT's client refuses it",
        )
        .help("write docker.elastic.co/elasticsearch/elasticsearch");
    }
    if image(subject, SEARCH).is_some_and(|image| last(image).contains("osmt-app")) {
        sink.value(format!("{SEARCH}/docker_image"), "Elasticsearch's image is the app's image")
            .help("write docker.elastic.co/elasticsearch/elasticsearch");
    }
}

fn search_version(subject: &Subject, sink: &mut Sink<'_>) {
    let named = image(subject, SEARCH).is_some_and(|image| image.contains("elasticsearch"));
    let Some(search) = tag(subject, SEARCH).filter(|_| named) else { return };
    let plain = search.split('-').next().unwrap_or_default();
    let major =
        plain.split('.').next().filter(|_| is_version(plain)).and_then(|major| major.parse::<u32>().ok());
    let Some(major) = major else { return };
    let at = format!("{SEARCH}/docker_tag");
    match (subject.osmt_line(), subject.osmt_version()) {
        (Some(line), Some((pointer, version))) if !line.writes_to_elasticsearch(major) => {
            let related = Place::value(pointer);
            if line == OsmtLine::V2 {
                let message =
                    format!("OSMT {version} cannot write to Elasticsearch {search}: new skills are lost");
                let finding = sink.value(at, message).severity(Severity::Error);
                finding.help("write 7.17.15, which 2.x works with").related(related, "the release");
            } else if major < 7 {
                let message = format!("the client of OSMT {version} refuses Elasticsearch {search}");
                sink.value(at, message).help("write 8.11.3").related(related, "the release");
            } else {
                sink.value(at, format!("OSMT {version} was not tested with Elasticsearch {search}"))
                    .severity(Severity::Note)
                    .help("8.11.3 is the version it was released with");
            }
        }
        (None, _) if major < 7 => {
            sink.value(at, format!("the client of OSMT refuses Elasticsearch {search}")).help("write 8.11.3");
        }
        (None, _) if major > 8 => {
            sink.value(at, format!("OSMT was not tested with Elasticsearch {search}"))
                .severity(Severity::Note)
                .help("8.11.3 is the version that OSMT 3.0.0 was released with");
        }
        (Some(_) | None, _) => {}
    }
}

fn dead_end(subject: &Subject, sink: &mut Sink<'_>) {
    if let Some(tag) = tag(subject, APP).filter(|tag| ["2.5.1", "2.5.2"].contains(tag)) {
        sink.value(
            format!("{APP}/docker_tag"),
            format!("a database migrated by {tag} can be upgraded to 3.0.0 only out of order"),
        )
        .help(
            "write 3.0.0 or 2.5.0; `osmt-release migrate --out-of-order` upgrades a database of this release",
        );
    }
}
