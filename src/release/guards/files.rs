//! Guards on the files that Flyway reads: names, encoding and settings.

use crate::finding::{Severity, Sink};
use crate::release::Candidate;

pub(super) fn names(candidate: &Candidate, sink: &mut Sink<'_>) {
    for issue in &candidate.snapshot.migrations.ignored {
        sink.elsewhere(format!("Flyway ignores {}", issue.file)).help(issue.why.clone());
    }
}

pub(super) fn settings(candidate: &Candidate, sink: &mut Sink<'_>) {
    for setting in &candidate.snapshot.migrations.settings {
        let message = match &setting.value {
            Some(value) => format!("{} sets {} to {value}", setting.file, setting.key),
            None => format!("{} sets {}, which is not read from YAML", setting.file, setting.key),
        };
        let finding = sink.elsewhere(message);
        if setting.moves_migrations() {
            finding.help("Flyway may read other migrations than those that were compared");
        } else {
            finding.severity(Severity::Warning).help(
                "with this setting Flyway may accept or refuse other migrations than these findings say",
            );
        }
    }
}

pub(super) fn unreadable(candidate: &Candidate, sink: &mut Sink<'_>) {
    for issue in &candidate.snapshot.migrations.unreadable {
        sink.elsewhere(format!("{}: {}", issue.file, issue.why)).help("select a commit that has it as UTF-8");
    }
    for issue in &candidate.snapshot.migrations.unsure {
        sink.unknown(format!("{}: {}", issue.file, issue.why));
    }
}
