//! Reads the Terraform directory around a config, for `doctor::workspace`. Writes nothing.

use std::fs;
use std::path::Path;

use crate::doctor::workspace::{File, Workspace};
use crate::files;

/// More bytes than any file of the directory has.
const LARGEST: u64 = 1 << 20;

/// The directory that Terraform would read with this config; `None` where there is nothing of Terraform.
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
        let bytes = files::read_at_most(&folder.join(name), LARGEST).ok()?;
        Some(String::from_utf8(bytes).ok())
    };
    let present = |name: String| {
        let path = folder.join(&name);
        // A link to nowhere, or a file that may not be read, is not known; a folder of that name is nothing.
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

/// Terraform reads files with these extensions, in lower case.
fn has_end(name: &str, ends: &[&str]) -> bool {
    ends.iter().any(|end| name.ends_with(end))
}

fn is_of_terraform(name: &str) -> bool {
    has_end(name, &[".tf", ".tf.json", ".tfvars", ".tfvars.json"]) || name == ".terraform.lock.hcl"
}

/// The variables that Terraform reads; one that is not text cannot be meant.
fn environment() -> Vec<(String, String)> {
    let all = std::env::vars_os();
    let text = all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut found: Vec<_> =
        text.filter(|(name, value)| name.starts_with("TF_") && !value.is_empty()).collect();
    found.sort();
    found
}
