//! Writes a file of the doctor. A file of another kind is replaced only after a confirmation.

use std::path::Path;

use crate::command::Ui;
use crate::explain::{Exit, Failure};
use crate::files;

/// The maximum size of a file of the doctor.
const MAX_BYTES: u64 = 16 << 20;

/// Writes the file, except with `--dry-run`. Before a file of another kind is replaced, it asks.
pub(super) async fn save(
    path: &Path,
    content: &str,
    kind: &str,
    is_of_kind: fn(&[u8]) -> bool,
    ui: &Ui,
) -> Result<Exit, Failure> {
    let before = match files::read_at_most(path, MAX_BYTES) {
        Ok(bytes) => Some(bytes),
        Err(files::Error::Missing(_)) => None,
        Err(error) => return Err(error.into()),
    };
    if ui.flags.dry_run {
        return Ok(Exit::Pending);
    }
    if before.as_deref().is_some_and(|bytes| !bytes.is_empty() && !is_of_kind(bytes)) {
        let shown = files::shown(path);
        ui.warn(format_args!("{shown} exists and is not {kind}"));
        ui.confirm(&format!("Overwrite {shown}?")).await?;
    }
    files::rewrite(path, before.as_deref(), content.as_bytes())?;
    Ok(Exit::Done)
}

/// The result of `save` as text: the status in JSON, and the verb for people.
pub(super) fn words(exit: Exit) -> (&'static str, &'static str) {
    if exit == Exit::Done { ("applied", "wrote") } else { ("pending", "would write") }
}
