//! The profiles of `~/.aws/config` and `~/.aws/credentials`, with every name that the AWS CLI reads.
//!
//! The SDK passes over profiles whose names hold a space or a letter outside ASCII. Where there is one it is given the files'
//! contents with such names replaced by others that it takes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::{EnvConfigFileKind as Kind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

use super::{Error, Source, Variables};

/// What the two files hold.
pub(super) struct Profiles {
    pub(super) files: EnvConfigFiles,
    set: ProfileSet,
    names: BTreeSet<String>,
    paths: [String; 2],
}

impl Profiles {
    pub(super) async fn load(variables: &Variables) -> Result<Self, Error> {
        let path = |variable: &str, file: &str| {
            let home = variables.get("HOME").or_else(|| variables.get("USERPROFILE"));
            let default = || home.map(|home| PathBuf::from(home).join(".aws").join(file));
            variables.get(variable).map(PathBuf::from).or_else(default).unwrap_or_default()
        };
        let paths = [path("AWS_CONFIG_FILE", "config"), path("AWS_SHARED_CREDENTIALS_FILE", "credentials")];
        // One that is missing or cannot be read is empty, as for the SDK.
        let texts = paths.clone().map(|path| std::fs::read_to_string(path).unwrap_or_default());
        let kinds = [Kind::Config, Kind::Credentials];
        let mut names = BTreeSet::new();
        let mut builder = EnvConfigFiles::builder();
        let mut unusual = false;
        for (kind, text) in kinds.into_iter().zip(&texts) {
            let rewritten = rewrite(text, kind, &mut names);
            unusual |= rewritten != *text;
            builder = builder.with_contents(kind, rewritten);
        }
        let files = if unusual { builder.build() } else { EnvConfigFiles::default() };
        let set = aws_config::profile::load(&Fs::real(), &Env::real(), &files, None).await;
        let set = set.map_err(|error| Error::ProfileFile(error.to_string()))?;
        let paths = paths.map(|path| path.to_string_lossy().into_owned());
        Ok(Self { files, set, names, paths })
    }

    /// The name to give to the SDK; a profile that no file defines is refused.
    pub(super) fn select(&self, name: &str) -> Result<String, Error> {
        if self.names.contains(name) {
            return Ok(alias(name));
        }
        Err(Error::UnknownProfile {
            name: name.to_owned(),
            known: self.names.iter().cloned().collect(),
            paths: self.paths.clone(),
        })
    }

    /// A setting of a profile; an empty one is not set.
    pub(super) fn setting(&self, profile: &str, key: &str) -> Option<&str> {
        let profile = self.set.get_profile(&alias(profile))?;
        profile.get(key).filter(|value| !value.is_empty())
    }

    /// How a profile gets its credentials.
    pub(super) fn source(&self, profile: &str) -> Source {
        let has = |key| self.setting(profile, key).is_some();
        if has("sso_session") || has("sso_start_url") {
            Source::Sso
        } else if has("login_session") {
            Source::Login
        } else if has("role_arn") {
            Source::Role
        } else if has("credential_process") {
            Source::Process
        } else {
            Source::Other
        }
    }
}

/// A name that the SDK takes: most are their own.
fn alias(name: &str) -> String {
    let taken = |char: char| char.is_ascii_alphanumeric() || "_-/.%@:+".contains(char);
    if name.chars().all(taken) {
        return name.to_owned();
    }
    let digits: String = name.bytes().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect();
    format!("osmt-alias-{digits}")
}

fn digit(number: u8) -> char {
    char::from_digit(u32::from(number), 16).unwrap_or('0')
}

/// The text of a file with each name replaced by its alias; the names of its profiles are added to `names`.
fn rewrite(text: &str, kind: Kind, names: &mut BTreeSet<String>) -> String {
    let mut written = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let inside = line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']'));
        if let Some((inside, _)) = inside {
            let (prefix, name) = section(inside.trim(), kind);
            if matches!(prefix, None | Some("profile")) {
                names.insert(name.to_owned());
            }
            let aliased = alias(name);
            if aliased != name || name != inside.trim().rsplit([' ', '\t']).next().unwrap_or_default() {
                let prefix = prefix.map(|prefix| format!("{prefix} ")).unwrap_or_default();
                // Writing to a string cannot fail.
                let _ = writeln!(written, "[{prefix}{aliased}]");
                continue;
            }
        } else if let Some((key, value)) = line.split_once('=')
            && matches!(key.trim(), "source_profile" | "sso_session")
            && alias(value.trim()) != value.trim()
        {
            let _ = writeln!(written, "{key}= {}", alias(value.trim()));
            continue;
        }
        written.push_str(line);
    }
    written
}

/// The prefix and name of a section. In the config file a name may be quoted, as in a shell; in the credentials file the
/// whole text is the name.
fn section(inside: &str, kind: Kind) -> (Option<&str>, &str) {
    if !matches!(kind, Kind::Config) {
        return (None, inside);
    }
    let Some((prefix, name)) = inside.split_once([' ', '\t']) else {
        // `[default]` is a profile; any other without a prefix is none.
        return (if inside == "default" { None } else { Some("") }, inside);
    };
    let name = name.trim();
    let quoted = ['\'', '"'].iter().find_map(|quote| name.strip_prefix(*quote)?.strip_suffix(*quote));
    (Some(prefix), quoted.unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusual_names_get_an_alias_and_usual_files_stay() {
        let mut names = BTreeSet::new();
        let usual =
            "[default]\nregion = eu-west-1\n[profile ops]\nsource_profile = default\n[sso-session x]\n";
        assert_eq!(rewrite(usual, Kind::Config, &mut names), usual);
        assert_eq!(names.iter().collect::<Vec<_>>(), ["default", "ops"]);
        let mut names = BTreeSet::new();
        let unusual = "[profile 'My School']\nsource_profile = ä\n[profile \"a\"]\n";
        let expected =
            "[profile osmt-alias-4d79205363686f6f6c]\nsource_profile = osmt-alias-c3a4\n[profile a]\n";
        assert_eq!(rewrite(unusual, Kind::Config, &mut names), expected);
        assert_eq!(names.iter().collect::<Vec<_>>(), ["My School", "a"]);
        let mut names = BTreeSet::new();
        let credentials = "[My School]\naws_access_key_id = x\n";
        let expected = "[osmt-alias-4d79205363686f6f6c]\naws_access_key_id = x\n";
        assert_eq!(rewrite(credentials, Kind::Credentials, &mut names), expected);
    }
}
