//! Guards on the revision: is it OSMT, is the working tree clean, is it pushed, does the image belong to it.

use crate::account::Known;
use crate::deployment::image::{OSMT, Reference};
use crate::deployment::osmt_line::OsmtLine;
use crate::finding::{Severity, Sink};
use crate::git;
use crate::release::checkout::POM;
use crate::release::migrations::FOLDER;
use crate::release::{Candidate, Link, POINTER};

pub(super) fn not_osmt(candidate: &Candidate, sink: &mut Sink<'_>) {
    let lacks = [(!candidate.snapshot.has_pom, POM), (candidate.snapshot.migrations.is_empty(), FOLDER)];
    for (_, what) in lacks.iter().filter(|(lacks, _)| *lacks) {
        sink.elsewhere(format!("{} has no {what}", candidate.label))
            .help("select a commit of OSMT's own history");
    }
}

pub(super) fn dirty(candidate: &Candidate, sink: &mut Sink<'_>) {
    let Some(changes) = &candidate.changes else {
        return;
    };
    if !changes.tracked.is_empty() {
        sink.elsewhere(format!(
            "the working tree differs from {} in {}",
            candidate.label,
            some(&changes.tracked)
        ))
        .help("commit or stash the changes");
    }
    if !changes.untracked.is_empty() {
        sink.elsewhere(format!(
            "{} not under version control and not part of {}",
            match changes.untracked.as_slice() {
                [one] => format!("{one} is"),
                many => format!("{} are", some(many)),
            },
            candidate.label
        ))
        .severity(Severity::Note);
    }
}

pub(super) fn unpushed(candidate: &Candidate, sink: &mut Sink<'_>) {
    if !candidate.skipped.is_empty() {
        sink.elsewhere(format!("skipped {}, which no remote has", some(&candidate.skipped)))
            .severity(Severity::Note)
            .help("give the tag to select it anyway");
    }
    match &candidate.pushed {
        Known::Known(true) => {}
        Known::Known(false) => {
            sink.elsewhere(format!("no remote has {}", candidate.label))
                .help("push it, or `git fetch` if it was pushed from elsewhere");
        }
        Known::Unknown(reason) => sink.unknown(reason.clone()),
    }
}

pub(super) fn no_image(candidate: &Candidate, sink: &mut Sink<'_>) {
    let is_public = Reference::new(&candidate.docker_image, "").is_published_osmt();
    if !is_public || candidate.given.is_some() {
        return;
    }
    let help = "build an image of this commit, push it to a registry of yours with the commit as its tag, and name that \
        registry in ecs.task.app.docker_image";
    match (&candidate.release, &candidate.snapshot.version) {
        (None, _) => {
            sink.value(
                POINTER,
                format!("{} is not a release, and {OSMT} has images of releases only", candidate.label),
            )
            .help(help);
        }
        (Some(release), _) if candidate.pushed == Known::Known(false) => {
            sink.value(
                POINTER,
                format!(
                    "no remote has the release tag {}, so {OSMT} may have no image of it",
                    release.tag.name
                ),
            )
            .help(help);
        }
        (Some(release), Some(version)) if version.is_snapshot() => {
            sink.value(
                POINTER,
                format!(
                    "{} was built as {}, and {OSMT} has no image of that version",
                    release.tag.name, version.text
                ),
            )
            .help(help);
        }
        _ => {}
    }
}

pub(super) fn version_differs(candidate: &Candidate, sink: &mut Sink<'_>) {
    let Some(release) = &candidate.release else {
        return;
    };
    match &candidate.snapshot.version {
        Some(version) if version.text == release.version => {}
        Some(version) => {
            sink.elsewhere(format!(
                "tag {} is {} in {POM} ({})",
                release.tag.name, version.text, version.from
            ))
            .help("if the image's tag is not the release's, give it with `--tag`");
        }
        None => sink.unknown(format!("{POM} has no version that can be read without Maven")),
    }
}

pub(super) fn other_commit(candidate: &Candidate, sink: &mut Sink<'_>) {
    let tag = &candidate.docker_tag;
    let other = match &candidate.given {
        None => return,
        Some(Link::Named(commit) | Link::Recorded(commit)) if *commit == candidate.snapshot.commit => return,
        Some(Link::Named(commit)) => format!("the image tag {tag} is of commit {}", git::short(commit)),
        Some(Link::Recorded(commit)) => {
            format!("{tag} was recorded as an image of commit {}", git::short(commit))
        }
        Some(Link::Ambiguous(tags)) => format!("the tags {} are different commits", tags.join(" and ")),
        Some(Link::Unknown) => {
            sink.value(POINTER, format!("nothing in the repository links {tag} to {}", candidate.label))
                .severity(Severity::Warning)
                .help("make sure that the image was built from that commit; `osmt-release tag REV` records the link");
            return;
        }
    };
    sink.value(POINTER, format!("{other}, not of {}", candidate.label))
        .help("select the commit that the image was built from: the migrations that run are the image's");
}

pub(super) fn unknown_line(candidate: &Candidate, sink: &mut Sink<'_>) {
    if let Some(version) = candidate.line.as_deref().filter(|version| OsmtLine::of(version).is_none()) {
        let known: Vec<&str> = OsmtLine::ALL.into_iter().map(OsmtLine::name).collect();
        let known = known.join(", ");
        sink.elsewhere(format!("OSMT {version} does not belong to a known release line ({known})")).help(
            "use a newer version of this toolkit: the Terraform module does not know how to run it either",
        );
    }
}

pub(super) fn ambiguous(candidate: &Candidate, sink: &mut Sink<'_>) {
    if let Some(release) = &candidate.release
        && !candidate.duplicates.is_empty()
    {
        sink.elsewhere(format!(
            "{} and {} are different commits with the same image tag {}",
            release.tag.name,
            candidate.duplicates.join(", "),
            release.version
        ))
        .help("delete the wrong tag (`git tag -d`), or fetch the tags again");
    }
}

/// The first names of a list, and the number of the others.
fn some(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, more @ ..] => format!("{one}, {two} and {} more", more.len()),
        [] => String::new(),
    }
}
