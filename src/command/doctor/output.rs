//! Writing a file that the doctor made: another kind of file is replaced only after a yes.

use std::path::Path;

use crate::command::Ui;
use crate::explain::{Exit, Failure};
use crate::files;

/// Larger than any file of this tool; what is larger is another file.
const LARGEST: u64 = 16 << 20;

/// Writes the file; with `--dry-run` only says that it would. A file that is not of this kind is replaced after a question.
pub(super) async fn save(
    path: &Path,
    content: &str,
    kind: &str,
    is_of_kind: fn(&[u8]) -> bool,
    ui: &Ui,
) -> Result<Exit, Failure> {
    let before = match files::read_at_most(path, LARGEST) {
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

/// What `save` did, for JSON and for people.
pub(super) fn words(exit: Exit) -> (&'static str, &'static str) {
    if exit == Exit::Done { ("applied", "wrote") } else { ("pending", "would write") }
}
