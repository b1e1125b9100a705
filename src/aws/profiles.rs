//! The profiles of `~/.aws/config` and `~/.aws/credentials`, with every name and every kind of sign-in that the AWS CLI reads.
//!
//! The SDK does not read names with a space or a letter outside ASCII, nor profiles whose credentials only the AWS CLI can
//! load (`cli.rs`). Where there is one, the SDK gets the files' contents with such names replaced by others that it takes, and
//! with the AWS CLI as the `credential_process` of such profiles.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::{EnvConfigFileKind as Kind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

use super::cli::export_credentials;
use super::error::{Error, Origin, Source};
use super::sso::{Token, unreadable_token};
use super::variables::Variables;

/// What the two files hold.
pub(super) struct Profiles {
    pub(super) files: EnvConfigFiles,
    set: Option<ProfileSet>,
    paths: [String; 2],
    names: BTreeSet<String>,
    /// Those of `aws login`.
    logins: BTreeSet<String>,
    /// Those whose token of IAM Identity Center the SDK cannot read.
    tokens: BTreeMap<String, Token>,
}

impl Profiles {
    pub(super) async fn load(variables: &Variables) -> Result<Self, Error> {
        let home = variables.get("HOME").or_else(|| variables.get("USERPROFILE"));
        let path = |variable: &str, file: &str| {
            let default = || home.map(|home| PathBuf::from(home).join(".aws").join(file));
            variables.get(variable).map(PathBuf::from).or_else(default).unwrap_or_default()
        };
        let paths = [path("AWS_CONFIG_FILE", "config"), path("AWS_SHARED_CREDENTIALS_FILE", "credentials")];
        // One that is missing or cannot be read is empty, as for the SDK.
        let texts = paths.clone().map(|path| std::fs::read_to_string(path).unwrap_or_default());
        let mut profiles = Self {
            files: EnvConfigFiles::default(),
            set: None,
            paths: paths.map(|path| path.to_string_lossy().into_owned()),
            names: BTreeSet::new(),
            logins: BTreeSet::new(),
            tokens: BTreeMap::new(),
        };
        profiles.scan(&texts[0], Kind::Config);
        profiles.scan(&texts[1], Kind::Credentials);
        profiles.read(&texts).await?;
        profiles.tokens = home.map(|home| profiles.unreadable_tokens(home)).unwrap_or_default();
        if profiles.tokens.values().any(|token| token.is_time) {
            profiles.read(&texts).await?;
        }
        Ok(profiles)
    }

    /// Notes what a file defines.
    fn scan(&mut self, text: &str, kind: Kind) {
        let mut profile = None;
        for line in text.lines() {
            match Line::of(line, kind) {
                Line::Section { prefix, name } => {
                    profile = is_profile(prefix).then_some(name);
                    self.names.extend(profile.map(str::to_owned));
                }
                Line::Setting { key: "login_session", .. } => self.logins.extend(profile.map(str::to_owned)),
                Line::Setting { .. } | Line::Other => {}
            }
        }
    }

    /// Reads the files' contents in the form that the SDK takes.
    async fn read(&mut self, texts: &[String; 2]) -> Result<(), Error> {
        let mut builder = EnvConfigFiles::builder();
        let mut is_usual = true;
        for (kind, text) in [Kind::Config, Kind::Credentials].into_iter().zip(texts) {
            let rewritten = self.rewrite(text, kind);
            is_usual &= rewritten == *text;
            builder = builder.with_contents(kind, rewritten);
        }
        if !is_usual {
            self.files = builder.build();
        }
        let set = aws_config::profile::load(&Fs::real(), &Env::real(), &self.files, None).await;
        self.set = Some(set.map_err(|error| Error::ProfileFile(error.to_string()))?);
        Ok(())
    }

    /// The tokens of IAM Identity Center that are in the cache and that the SDK cannot read, by profile.
    fn unreadable_tokens(&self, home: &str) -> BTreeMap<String, Token> {
        let of = |name: &String| {
            let session = self.setting(name, "sso_session").map(|session| self.named(session));
            let token = unreadable_token(home, session.or(self.setting(name, "sso_start_url"))?)?;
            Some((name.clone(), token))
        };
        self.names.iter().filter_map(of).collect()
    }

    /// The text of a file in the form that the SDK takes.
    fn rewrite(&self, text: &str, kind: Kind) -> String {
        let mut written = String::with_capacity(text.len());
        let mut profile = None;
        for line in text.split_inclusive('\n') {
            let other = match Line::of(line, kind) {
                Line::Section { prefix, name } => {
                    profile = is_profile(prefix).then_some(name);
                    let is_bare = line.split(']').next().is_some_and(|inside| {
                        name == inside
                            .trim()
                            .trim_start_matches('[')
                            .trim_start()
                            .rsplit([' ', '\t'])
                            .next()
                            .unwrap_or_default()
                    });
                    let prefix = prefix.map(|prefix| format!("{prefix} ")).unwrap_or_default();
                    (!is_bare || alias(name) != name).then(|| format!("[{prefix}{}]", alias(name)))
                }
                Line::Setting { key: key @ ("source_profile" | "sso_session"), value }
                    if alias(value) != value && !self.is_loaded_by_cli(profile, key) =>
                {
                    Some(format!("{key} = {}", alias(value)))
                }
                Line::Setting { key, .. } => match profile.and_then(export_credentials) {
                    Some(command) if self.is_loaded_by_cli(profile, key) => match key {
                        "login_session" | "sso_session" | "sso_start_url" => {
                            Some(format!("credential_process = {command}"))
                        }
                        _ => Some(String::new()),
                    },
                    _ => None,
                },
                Line::Other => None,
            };
            match other {
                // Writing to a string cannot fail.
                Some(other) => drop(writeln!(written, "{other}")),
                None => written.push_str(line),
            }
        }
        written
    }

    /// Whether a setting says how a profile gets credentials that only the AWS CLI can load.
    fn is_loaded_by_cli(&self, profile: Option<&str>, key: &str) -> bool {
        let is_login = profile.is_some_and(|profile| self.logins.contains(profile));
        let token = profile.and_then(|profile| self.tokens.get(profile));
        let is_token = token.is_some_and(|token| token.is_time);
        match key {
            "login_session" => is_login,
            "credential_process" => is_login || is_token,
            "sso_session" | "sso_start_url" | "sso_region" | "sso_account_id" | "sso_role_name" => is_token,
            _ => false,
        }
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
        let profile = self.set.as_ref()?.get_profile(&alias(profile))?;
        profile.get(key).filter(|value| !value.is_empty())
    }

    /// Where the credentials of a profile come from.
    pub(super) fn origin(&self, asked: &str) -> Origin {
        let mut profile = asked;
        let mut seen = BTreeSet::new();
        // One that was seen before is a circle: a profile that is its own source has keys, any other circle is refused.
        while self.setting(profile, "role_arn").is_some()
            && let Some(next) = self.setting(profile, "source_profile").map(|next| self.named(next))
            && seen.insert(next)
        {
            profile = next;
        }
        let has = |key| self.setting(profile, key).is_some();
        let token = self.tokens.get(profile).cloned();
        let source = if token.is_some() || has("sso_session") || has("sso_start_url") {
            Source::Sso
        } else if self.logins.contains(profile) {
            Source::Login
        } else if has("role_arn") {
            Source::Role
        } else if has("credential_process") {
            Source::Process
        } else {
            Source::Other
        };
        let text = |key| self.setting(profile, key).map(str::to_owned);
        let assignment = text("sso_account_id").zip(text("sso_role_name"));
        Origin { asked: asked.to_owned(), profile: profile.to_owned(), source, token, cli: None, assignment }
    }

    /// The name behind an alias.
    fn named<'a>(&'a self, alias_or_name: &'a str) -> &'a str {
        self.names.iter().find(|name| alias(name) == alias_or_name).map_or(alias_or_name, String::as_str)
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

/// A line of a file of profiles.
enum Line<'a> {
    /// `[profile ops]`
    Section { prefix: Option<&'a str>, name: &'a str },
    /// `region = us-west-2`
    Setting { key: &'a str, value: &'a str },
    /// An empty line, or a comment.
    Other,
}

impl<'a> Line<'a> {
    fn of(line: &'a str, kind: Kind) -> Self {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            return Self::Other;
        }
        if let Some((inside, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let (prefix, name) = section(inside.trim(), kind);
            return Self::Section { prefix, name };
        }
        match line.split_once('=') {
            Some((key, value)) => Self::Setting { key: key.trim(), value: value.trim() },
            None => Self::Other,
        }
    }
}

/// Whether a section with this prefix is a profile.
fn is_profile(prefix: Option<&str>) -> bool {
    matches!(prefix, None | Some("profile"))
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

    /// The names of a file, and its text as the SDK gets it.
    fn rewritten(text: &str, kind: Kind) -> (Vec<String>, String) {
        let mut profiles = Profiles {
            files: EnvConfigFiles::default(),
            set: None,
            paths: <[String; 2]>::default(),
            names: BTreeSet::new(),
            logins: BTreeSet::new(),
            tokens: BTreeMap::new(),
        };
        profiles.scan(text, kind);
        let text = profiles.rewrite(text, kind);
        (profiles.names.into_iter().collect(), text)
    }

    #[test]
    fn unusual_names_get_an_alias_and_usual_files_stay() {
        let usual = "[default]\nregion = eu-west-1\n[profile ops]\nsource_profile = default\n[sso-session x]\n# [y]\n";
        let (names, text) = rewritten(usual, Kind::Config);
        assert_eq!((names, text.as_str()), (vec!["default".to_owned(), "ops".to_owned()], usual));
        let unusual = "[profile 'My School']\nsource_profile = ä\n[profile \"a\"]\n";
        let expected =
            "[profile osmt-alias-4d79205363686f6f6c]\nsource_profile = osmt-alias-c3a4\n[profile a]\n";
        let (names, text) = rewritten(unusual, Kind::Config);
        assert_eq!((names, text.as_str()), (vec!["My School".to_owned(), "a".to_owned()], expected));
        let credentials = "[My School]\naws_access_key_id = x\n";
        let expected = "[osmt-alias-4d79205363686f6f6c]\naws_access_key_id = x\n";
        assert_eq!(rewritten(credentials, Kind::Credentials).1, expected);
    }

    #[cfg(unix)]
    #[test]
    fn a_profile_of_aws_login_gets_the_aws_cli_as_its_process() {
        let text = "[profile o'b]\nregion = eu-west-1\nlogin_session = arn:aws:iam::1:user/a\ncredential_process = x\n[profile b]\ncredential_process = y\n";
        let expected = "[profile osmt-alias-6f2762]\nregion = eu-west-1\ncredential_process = aws configure export-credentials --format process --profile 'o'\\''b'\n\n[profile b]\ncredential_process = y\n";
        assert_eq!(rewritten(text, Kind::Config).1, expected);
    }
}
