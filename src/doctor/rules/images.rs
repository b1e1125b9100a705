//! Container images: names and tags that a registry takes, and tags that stay what they are.

use crate::doctor::image::{name_fault, tag_fault};
use crate::doctor::subject::Subject;
use crate::finding::{Check, Remedy, Rule, Severity, Sink};

const APP: &str = "/config/ecs/task/app";
const SEARCH: &str = "/config/ecs/task/elasticsearch";

/// Images.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "IMG001",
            name: "malformed-image",
            severity: Severity::Error,
            summary: "Not the name of an image",
            explain: include_str!("../../../docs/rules/IMG001.md"),
        },
        run: names,
    },
    Check {
        rule: Rule {
            code: "IMG002",
            name: "malformed-tag",
            severity: Severity::Error,
            summary: "Neither a tag nor a digest",
            explain: include_str!("../../../docs/rules/IMG002.md"),
        },
        run: tags,
    },
    Check {
        rule: Rule {
            code: "IMG003",
            name: "moving-tag",
            severity: Severity::Warning,
            summary: "A tag that means another image tomorrow",
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
            summary: "The image is another service's",
            explain: include_str!("../../../docs/rules/IMG005.md"),
        },
        run: swapped,
    },
    Check {
        rule: Rule {
            code: "IMG006",
            name: "elasticsearch-against-app",
            severity: Severity::Warning,
            summary: "This Elasticsearch was never the app's",
            explain: include_str!("../../../docs/rules/IMG006.md"),
        },
        run: search_version,
    },
    Check {
        rule: Rule {
            code: "IMG007",
            name: "dead-end-version",
            severity: Severity::Warning,
            summary: "From this version of OSMT no straight way leads to 3.0.0",
            explain: include_str!("../../../docs/rules/IMG007.md"),
        },
        run: dead_end,
    },
    Check {
        rule: Rule {
            code: "IMG008",
            name: "image-nearly-right",
            severity: Severity::Warning,
            summary: "The image's name is nearly that of the publisher",
            explain: include_str!("../../../docs/rules/IMG008.md"),
        },
        run: nearly,
    },
];

/// What the publishers call their images.
const PUBLISHED: [(&str, &str); 2] =
    [(APP, "wguopensource/osmt-app"), (SEARCH, "docker.elastic.co/elasticsearch/elasticsearch")];

fn nearly(subject: &Subject, sink: &mut Sink<'_>) {
    for (service, published) in PUBLISHED {
        let near = |image: &&str| (1..4).contains(&strsim::damerau_levenshtein(image, published));
        if let Some(image) = image(subject, service).filter(near) {
            sink.value(format!("{service}/docker_image"), format!("{image} is nearly {published}"))
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

fn moves(tag: &str) -> bool {
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
            "write a release, as in 3.0.0; `osmt-release select` does"
        } else {
            "write a version, as in 8.11.3"
        };
        sink.value(format!("{service}/docker_tag"), format!("the tag `{tag}` is moved to newer images"))
            .help(help);
    }
}

/// Whether a text is three numbers with dots between.
fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn search_tag_fault(subject: &Subject) -> Option<String> {
    let official = [
        "docker.elastic.co/elasticsearch/elasticsearch",
        "elasticsearch",
        "library/elasticsearch",
        "docker.io/library/elasticsearch",
    ];
    image(subject, SEARCH).filter(|image| official.contains(image))?;
    let tag = tag(subject, SEARCH).filter(|tag| !tag.starts_with("sha256:"))?;
    let plain = tag.split('-').next().unwrap_or_default();
    (!is_version(plain)).then(|| format!("Elasticsearch publishes no tag `{tag}`"))
}

fn published(subject: &Subject, sink: &mut Sink<'_>) {
    let official = [
        "wguopensource/osmt-app",
        "docker.io/wguopensource/osmt-app",
        "index.docker.io/wguopensource/osmt-app",
    ];
    if let (true, Some(tag)) =
        (image(subject, APP).is_some_and(|image| official.contains(&image)), tag(subject, APP))
    {
        let bare = tag.trim_start_matches(['v', 'V']);
        if bare != tag && bare.starts_with(|c: char| c.is_ascii_digit()) {
            sink.value(format!("{APP}/docker_tag"), format!("OSMT's tags have no v: there is no `{tag}`"))
                .remedy(Remedy::write(bare));
        }
    }
    if let Some(message) = search_tag_fault(subject) {
        sink.value(format!("{SEARCH}/docker_tag"), message).help("write all three numbers, as in 8.11.3");
    }
}

fn swapped(subject: &Subject, sink: &mut Sink<'_>) {
    let last = |image: &str| image.rsplit('/').next().unwrap_or_default().to_owned();
    if image(subject, APP).is_some_and(|image| last(image).contains("elasticsearch")) {
        sink.value(format!("{APP}/docker_image"), "the app's image is Elasticsearch's")
            .help("write wguopensource/osmt-app");
    }
    if image(subject, SEARCH).is_some_and(|image| last(image).contains("osmt-app")) {
        sink.value(format!("{SEARCH}/docker_image"), "Elasticsearch's image is the app's")
            .help("write docker.elastic.co/elasticsearch/elasticsearch");
    }
}

fn search_version(subject: &Subject, sink: &mut Sink<'_>) {
    let named = image(subject, SEARCH).is_some_and(|image| image.contains("elasticsearch"));
    let (Some(app), Some(search)) = (tag(subject, APP), tag(subject, SEARCH).filter(|_| named)) else {
        return;
    };
    let major = |tag: &str| {
        is_version(tag.split('-').next().unwrap_or_default())
            .then(|| tag.split('.').next().and_then(|n| n.parse::<u32>().ok()))
            .flatten()
    };
    let Some(number) = major(search) else { return };
    if number < 7 || number == 7 && major(app).is_some_and(|app| app >= 3) {
        sink.value(
            format!("{SEARCH}/docker_tag"),
            format!("Elasticsearch {search} refuses the client of OSMT {app}"),
        )
        .help("write 8.11.3");
    } else if number > 8 {
        sink.value(
            format!("{SEARCH}/docker_tag"),
            format!("OSMT {app} was never tried with Elasticsearch {search}"),
        )
        .severity(Severity::Note)
        .help("8.11.3 is what it was made with");
    }
}

fn dead_end(subject: &Subject, sink: &mut Sink<'_>) {
    if let Some(tag) = tag(subject, APP).filter(|tag| ["2.5.1", "2.5.2"].contains(tag)) {
        sink.value(
            format!("{APP}/docker_tag"),
            format!("a database made by {tag} is upgraded to 3.0.0 only out of order"),
        )
        .help("write 3.0.0, or 2.5.0; `osmt-release migrate --out-of-order` goes on from here");
    }
}
