//! The Terraform program: `OSMT_TERRAFORM`, otherwise `terraform`, otherwise OpenTofu's `tofu`.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::explain::visible;

/// The variable that names the program.
pub(super) const VARIABLE: &str = "OSMT_TERRAFORM";
const NAMES: [&str; 2] = ["terraform", "tofu"];

/// The program to start, and its name for messages.
pub(super) struct Terraform {
    program: PathBuf,
    name: String,
    is_named: bool,
}

impl Terraform {
    /// The program according to the environment.
    #[expect(clippy::disallowed_methods, reason = "this is `command`, which reads the environment")]
    pub(super) fn here() -> Self {
        Self::among(std::env::var_os(VARIABLE), std::env::var_os("PATH").as_deref())
    }

    fn among(named: Option<OsString>, path: Option<&OsStr>) -> Self {
        if let Some(named) = named.filter(|named| !named.is_empty()) {
            let name = quoted(&visible(&named.to_string_lossy()));
            let program = PathBuf::from(named);
            // A relative path is relative to the current directory, not to the directory in which the program is started.
            let has_folder = program.components().count() > 1;
            let absolute = has_folder.then(|| std::path::absolute(&program).ok()).flatten();
            return Self { program: absolute.unwrap_or(program), name, is_named: true };
        }
        let folders: Vec<PathBuf> =
            path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
        let is_installed =
            |name: &&str| folders.iter().any(|folder| is_program(&folder.join(with_suffix(name))));
        let name = NAMES.into_iter().find(is_installed).unwrap_or(NAMES[0]);
        Self { program: name.into(), name: name.to_owned(), is_named: false }
    }

    /// A new command that runs the program.
    #[expect(clippy::disallowed_methods, reason = "this is `command`, which starts programs")]
    pub(super) fn command(&self) -> Command {
        Command::new(&self.program)
    }

    /// The program's name, quoted for a shell.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether `OSMT_TERRAFORM` named it.
    pub(super) fn is_named(&self) -> bool {
        self.is_named
    }

    /// Replaces the program in a text with commands: `` `terraform plan` `` becomes `` `tofu plan` `` if OpenTofu is used.
    pub(super) fn spell<'a>(&self, text: &'a str) -> Cow<'a, str> {
        const TYPED: &str = "`terraform";
        if self.name == NAMES[0] || !text.contains(TYPED) {
            return Cow::Borrowed(text);
        }
        let mut parts = text.split(TYPED);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            // The text may have a line break after the name.
            out.push_str(if part.starts_with(char::is_whitespace) { "`" } else { TYPED });
            if part.starts_with(char::is_whitespace) {
                out.push_str(&self.name);
            }
            out.push_str(part);
        }
        Cow::Owned(out)
    }
}

fn quoted(name: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || "_-/.:+\\".contains(char);
    if name.chars().all(is_plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

fn with_suffix(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests write files")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn folder(programs: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for name in programs {
            let file = folder.path().join(name);
            std::fs::write(&file, "").expect("a file");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("a program");
        }
        folder
    }

    fn name(named: &str, programs: &[&str]) -> String {
        let folder = folder(programs);
        Terraform::among(Some(named.into()), Some(folder.path().as_os_str())).name
    }

    #[test]
    fn the_variable_comes_first_then_terraform_then_opentofu() {
        assert_eq!(name("", &["tofu", "terraform"]), "terraform");
        assert_eq!(name("", &["tofu"]), "tofu");
        assert_eq!(name("", &[]), "terraform");
        assert_eq!(name("tofu", &["tofu", "terraform"]), "tofu");
        assert_eq!(name("/opt/my tools/it's", &["terraform"]), "'/opt/my tools/it'\\''s'");
        assert_eq!(Terraform::among(None, None).name, "terraform");
    }

    #[test]
    fn a_file_that_is_not_executable_is_skipped() {
        let folder = folder(&["tofu"]);
        std::fs::write(folder.path().join("terraform"), "notes").expect("a file");
        assert_eq!(Terraform::among(None, Some(folder.path().as_os_str())).name, "tofu");
    }

    #[test]
    fn only_commands_are_replaced() {
        let tofu = Terraform::among(Some("tofu".into()), None);
        for (given, wanted) in [
            ("run `terraform apply`, then `terraform\n  plan`", "run `tofu apply`, then `tofu\n  plan`"),
            ("Terraform reads `terraform.tfstate` in terraform/invocation", ""),
            ("`terraform` or `tofu`", ""),
        ] {
            assert_eq!(tofu.spell(given), if wanted.is_empty() { given } else { wanted });
        }
        let named = Terraform::among(Some("/opt/a b/tofu".into()), None);
        assert_eq!(named.spell("`terraform apply`"), "`'/opt/a b/tofu' apply`");
    }
}
