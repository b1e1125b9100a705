//! Reads the Terraform directory of a config, for `doctor::workspace`.

use std::fs;
use std::path::Path;

use crate::doctor::workspace::{File, Workspace};
use crate::files;

/// Larger files count as unreadable.
const MAX_BYTES: u64 = 1 << 20;

/// The Terraform directory of a config; `None` if the folder has no Terraform code.
pub(super) fn read(config: &Path) -> Option<Workspace> {
    let folder = match config.parent()? {
        folder if folder.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| is_of_terraform(name))
        .collect();
    names.sort();
    if !names.iter().any(|name| is_code(name)) {
        return None;
    }
    let own = config.file_name()?.to_string_lossy().into_owned();
    names.retain(|name| *name != own);
    let file = |name: &str| {
        let bytes = files::read_at_most(&folder.join(name), MAX_BYTES).ok()?;
        Some(String::from_utf8(bytes).ok())
    };
    let present = |name: String| {
        let path = folder.join(&name);
        // The text of a broken link or an unreadable file is not known. A folder with such a name is ignored.
        (!path.is_dir()).then(|| File { text: file(&name).flatten(), name })
    };
    let initialised = ".terraform/terraform.tfstate".to_owned();
    let initialised = folder.join(&initialised).exists().then(|| present(initialised)).flatten();
    Some(Workspace {
        config: own,
        files: names.into_iter().filter_map(present).collect(),
        initialised,
        selected: file(".terraform/environment").flatten(),
        environment: environment(),
    })
}

fn is_code(name: &str) -> bool {
    has_end(name, &[".tf", ".tf.json"])
}

/// Whether a name ends with one of these extensions, in lower case as Terraform reads them.
fn has_end(name: &str, ends: &[&str]) -> bool {
    ends.iter().any(|end| name.ends_with(end))
}

fn is_of_terraform(name: &str) -> bool {
    has_end(name, &[".tf", ".tf.json", ".tfvars", ".tfvars.json"]) || name == ".terraform.lock.hcl"
}

/// The environment variables that Terraform reads.
fn environment() -> Vec<(String, String)> {
    let all = std::env::vars_os();
    let text = all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut found: Vec<_> =
        text.filter(|(name, value)| name.starts_with("TF_") && !value.is_empty()).collect();
    found.sort();
    found
}
