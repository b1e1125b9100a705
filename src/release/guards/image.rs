//! Guards on the image: the registry has it, for the task's platform, built from the selected commit.

use crate::account::Known;
use crate::finding::Sink;
use crate::git;
use crate::registry::Image;
use crate::release::{Candidate, POINTER};

/// Runs a check on the image as its registry describes it. If the registry did not answer, the check is unknown, not passed.
fn described(candidate: &Candidate, sink: &mut Sink<'_>, check: impl Fn(Option<&Image>, &mut Sink<'_>)) {
    match &candidate.image {
        Known::Known(image) => check(image.as_ref(), sink),
        Known::Unknown(reason) => sink.unknown(reason.clone()),
    }
}

pub(super) fn not_found(candidate: &Candidate, sink: &mut Sink<'_>) {
    described(candidate, sink, |image, sink| {
        if image.is_none() {
            let name = crate::release::image(&candidate.docker_image, &candidate.docker_tag);
            sink.value(POINTER, format!("the registry has no image {name}")).help(
                "build and push it first, give another tag with `--tag`, or correct `ecs.task.app.docker_image`",
            );
        }
    });
}

pub(super) fn other_platform(candidate: &Candidate, sink: &mut Sink<'_>) {
    described(candidate, sink, |image, sink| {
        let Some(image) = image.filter(|image| image.manifest.is_none()) else {
            return;
        };
        let offered: Vec<String> = image.platforms.iter().map(ToString::to_string).collect();
        let offered = if offered.is_empty() { "no platform".to_owned() } else { offered.join(", ") };
        let wanted = &candidate.platform;
        sink.value(POINTER, format!("the image is for {offered}, but the task runs on {wanted}"))
            .help(format!("build the image for it: `docker buildx build --platform {wanted}`"));
    });
}

pub(super) fn other_revision(candidate: &Candidate, sink: &mut Sink<'_>) {
    described(candidate, sink, |image, sink| {
        let commit = &candidate.snapshot.commit;
        let Some(revision) = image.and_then(|image| image.revision.as_ref()) else {
            return;
        };
        // The label may contain a short commit id.
        let same = revision.len() >= 7 && commit.starts_with(revision.as_str());
        if !same {
            sink.value(
                POINTER,
                format!(
                    "the image's label says that it was built from {revision}, but the selected commit is {}",
                    git::short(commit)
                ),
            )
            .help("select the commit that the image was built from, or build the image again");
        }
    });
}
