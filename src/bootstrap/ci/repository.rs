//! The repository whose CI jobs may assume the roles, and the subjects of its tokens. Pure.
//!
//! GitHub: "About security hardening with OpenID Connect", section "Example subject claims". GitLab: "Configure OpenID
//! Connect in AWS to retrieve temporary credentials". Neither was tried against AWS.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The audience of the tokens; both CI systems support any.
pub const AUDIENCE: &str = "sts.amazonaws.com";

const GITHUB: &str = "github.com";

/// A repository, and the branches and environments in it that may apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The repository whose jobs are trusted.
    pub repository: Repository,
    /// Branches from which changes are applied.
    pub branches: BTreeSet<String>,
    /// GitHub environments from which changes are applied.
    pub environments: BTreeSet<String>,
}

/// A repository: `github.com/ORG/NAME`, or `HOST/GROUP/…/PROJECT` on a GitLab host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// `github.com`, `gitlab.com`, or a self-managed GitLab host.
    pub host: String,
    /// `ORG/NAME`, `GROUP/…/PROJECT`
    pub path: String,
}

impl Repository {
    /// Parses the value of `--repository`: `ORG/NAME` or `HOST/PATH`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix("https://").unwrap_or(text);
        let text = text.strip_suffix(".git").unwrap_or(text);
        let (host, path) = match text.split_once('/') {
            Some((host, path)) if host.contains('.') => (host.to_lowercase(), path),
            _ => (GITHUB.to_owned(), text),
        };
        let good = |part: &str| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            !part.is_empty() && part.bytes().all(known)
        };
        let parts: Vec<&str> = path.split('/').collect();
        let depth = if host == GITHUB { parts.len() == 2 } else { parts.len() >= 2 };
        if depth && good(&host) && parts.iter().all(|part| good(part)) {
            Ok(Self { host, path: path.to_owned() })
        } else {
            Err("not a repository, such as github.com/ORG/NAME or gitlab.com/GROUP/PROJECT".to_owned())
        }
    }

    /// Whether it is on GitHub, whose tokens can name an environment.
    pub fn is_on_github(&self) -> bool {
        self.host == GITHUB
    }

    /// The issuer of the tokens without `https://`, as in the provider's ARN.
    pub fn issuer(&self) -> String {
        if self.is_on_github() { "token.actions.githubusercontent.com".to_owned() } else { self.host.clone() }
    }
}

/// Checks the value of `--branch` and `--ci-environment`: a name, not a pattern.
pub fn exact(text: &str) -> Result<String, String> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '*' | '?' | ':' | '$');
    if text.is_empty() || text.contains(odd) {
        Err("one name without wildcards, colons and spaces".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

impl Source {
    /// The subjects of tokens that may apply, without wildcards.
    pub fn apply_subjects(&self) -> BTreeSet<String> {
        let path = &self.repository.path;
        let branches = self.branches.iter().map(|branch| {
            if self.repository.is_on_github() {
                format!("repo:{path}:ref:refs/heads/{branch}")
            } else {
                format!("project_path:{path}:ref_type:branch:ref:{branch}")
            }
        });
        let environments = self.environments.iter().map(|name| format!("repo:{path}:environment:{name}"));
        branches.chain(environments).collect()
    }

    /// The subjects of tokens that may plan; `*` is a wildcard. GitLab runs the jobs of a merge request on its branch.
    pub fn plan_subjects(&self) -> BTreeSet<String> {
        let path = &self.repository.path;
        let mut subjects = self.apply_subjects();
        subjects.insert(if self.repository.is_on_github() {
            format!("repo:{path}:pull_request")
        } else {
            format!("project_path:{path}:ref_type:branch:ref:*")
        });
        subjects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_not_a_pattern() {
        let github = Repository::parse("my-org/osmt-infra").unwrap();
        assert_eq!(github, Repository::parse("https://github.com/my-org/osmt-infra.git").unwrap());
        assert_eq!(github.issuer(), "token.actions.githubusercontent.com");
        let gitlab = Repository::parse("gitlab.example.org/a/b/c").unwrap();
        assert_eq!((&*gitlab.issuer(), &*gitlab.path), ("gitlab.example.org", "a/b/c"));
        for bad in ["", "x", "org/*", "org/", "github.com/org", "github.com/a/b/c", "a b/c", "org/na?e", "/"]
        {
            assert!(Repository::parse(bad).is_err(), "{bad}");
        }
        for bad in ["", "*", "main*", "a:b", "a b", "${x}"] {
            assert!(exact(bad).is_err(), "{bad}");
        }
        assert_eq!(exact("release/1.0").as_deref(), Ok("release/1.0"));
    }
}
