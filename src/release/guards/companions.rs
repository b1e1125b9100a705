//! Guards on Elasticsearch and on the lists that the image contains.

use crate::finding::{Severity, Sink};
use crate::release::Candidate;
use crate::release::companions::major;

const ELASTICSEARCH: &str = "/config/ecs/task/elasticsearch/docker_tag";

pub(super) fn elasticsearch(candidate: &Candidate, sink: &mut Sink<'_>) {
    let Some(own) = &candidate.snapshot.companions.elasticsearch else { return };
    let Some(wanted) = major(own) else { return };
    let Some(found) = major(&candidate.elasticsearch) else {
        sink.unknown(format!(
            "ecs.task.elasticsearch.docker_tag {} is not a version",
            candidate.elasticsearch
        ));
        return;
    };
    if found == wanted {
        return;
    }
    let message = format!(
        "OSMT {} is developed with Elasticsearch {own}, but the config selects {}",
        candidate.label, candidate.elasticsearch
    );
    let finding = sink.value(ELASTICSEARCH, message);
    if found > wanted {
        finding.help(format!(
            "set ecs.task.elasticsearch.docker_tag to {own}: an older OSMT cannot write to a newer Elasticsearch"
        ));
    } else {
        finding.severity(Severity::Note);
    }
}

pub(super) fn import_lists(candidate: &Candidate, sink: &mut Sink<'_>) {
    if candidate.snapshot.companions.import_lists == Some(false) {
        sink.elsewhere(format!(
            "the Dockerfile of {} does not copy `import/` into the image",
            candidate.label
        ))
        .help("`osmt-release migrate` skips the import; a new database then has no job codes");
    }
}
