//! Guards on the files that Flyway reads: their names, their bytes, the settings beside them.

use crate::finding::{Severity, Sink};
use crate::release::Candidate;

pub(super) fn names(candidate: &Candidate, sink: &mut Sink<'_>) {
    for odd in &candidate.snapshot.migrations.ignored {
        sink.elsewhere(format!("Flyway passes over {}", odd.file)).help(odd.why.clone());
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
            finding.help("the migrations that were compared may not be those that Flyway reads");
        } else {
            finding.severity(Severity::Warning).help("Flyway may decide differently from these findings");
        }
    }
}

pub(super) fn unreadable(candidate: &Candidate, sink: &mut Sink<'_>) {
    for odd in &candidate.snapshot.migrations.unreadable {
        sink.elsewhere(format!("{}: {}", odd.file, odd.why)).help("select a commit that has it as UTF-8");
    }
    for odd in &candidate.snapshot.migrations.unsure {
        sink.unknown(format!("{}: {}", odd.file, odd.why));
    }
}
