//! Replaces a value that is in use, or restores the previous one, in steps that a second run can continue after an interruption.
//!
//! Before anything else is written, a journal entry in the keyring records the new value, the two versions and the config's
//! revision. A second run reads the journal, detects which steps are done, and does the rest.

use secrecy::{ExposeSecret as _, SecretString};

use super::catalog::Secret;
use super::{Local, Newer};
use crate::explain::{Exit, Explain};
use crate::plan::{Action, Line, Plan, Verb};

/// Whether a rotation writes a new value or the previous one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To a new value.
    Rotate,
    /// Back to the previous version.
    Rollback,
}

impl Kind {
    /// The command's name.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Rollback => "rollback",
        }
    }
}

/// The record of a rotation that was started.
#[derive(Clone, Debug)]
pub struct Journal {
    /// Rotation or rollback.
    pub kind: Kind,
    /// `rds/password`
    pub name: String,
    /// The version that was AWSCURRENT at the start.
    pub base: String,
    /// The version that will be AWSCURRENT.
    pub target: String,
    /// The config's `secrets_revision` at the start.
    pub revision: u64,
    /// The new value; empty for a rollback, whose value is in AWS.
    pub value: SecretString,
}

impl Journal {
    /// The name of its entry in the keyring.
    pub fn entry(remote: &str) -> String {
        format!("rotation/{remote}")
    }

    /// The text of the keyring entry: one field per line, the value last.
    pub fn text(&self) -> SecretString {
        format!(
            "{}\n{}\n{}\n{}\n{}\n{}",
            self.kind.verb(),
            self.name,
            self.base,
            self.target,
            self.revision,
            self.value.expose_secret()
        )
        .into()
    }

    /// Parses the text of the keyring entry; `None` if it is not a journal.
    pub fn parse(text: &SecretString) -> Option<Self> {
        let fields: Vec<&str> = text.expose_secret().splitn(6, '\n').collect();
        let [kind, name, base, target, revision, value] = fields[..] else {
            return None;
        };
        let kind = [Kind::Rotate, Kind::Rollback].into_iter().find(|known| known.verb() == kind)?;
        Some(Self {
            kind,
            name: name.to_owned(),
            base: base.to_owned(),
            target: target.to_owned(),
            revision: revision.parse().ok()?,
            value: value.into(),
        })
    }
}

/// One step of a rotation.
#[derive(Clone, Debug)]
pub enum Step {
    /// Write the journal.
    WriteJournal {
        /// Its entry.
        entry: String,
    },
    /// Write the new value as a new version.
    PutVersion {
        /// `osmt/test/rds`
        secret: String,
        /// The key that changes.
        key: String,
    },
    /// Make another version the current one.
    MoveLabel {
        /// `osmt/test/rds`
        secret: String,
        /// The current version.
        from: String,
        /// The next current version.
        to: String,
    },
    /// Store the value in the keyring.
    UpdateKeyring {
        /// `rds/password`
        name: String,
        /// The value.
        value: SecretString,
    },
    /// Write `secrets_revision` into the config.
    UpdateConfig {
        /// The config's path.
        config: String,
        /// The revision now.
        from: u64,
        /// The revision afterwards.
        to: u64,
    },
    /// Remove the journal.
    RemoveJournal {
        /// Its entry.
        entry: String,
    },
}

impl Action for Step {
    fn line(&self) -> Line {
        let entry = |user: &str| format!("keyring entry {user}");
        let some = |text: &str| Some(text.to_owned());
        match self {
            Self::WriteJournal { entry: user } => {
                Line::new(Verb::Create, format!("{}, to continue after an interruption", entry(user)))
            }
            Self::PutVersion { secret, key } => Line::new(Verb::Update, format!("secret {secret}")).setting(
                key.clone(),
                None,
                some("a new value; the old one remains as AWSPREVIOUS"),
            ),
            Self::MoveLabel { secret, from, to } => Line::new(Verb::Update, format!("secret {secret}"))
                .setting("AWSCURRENT", Some(from.clone()), Some(to.clone())),
            Self::UpdateKeyring { name, .. } => Line::new(Verb::Update, entry(name)),
            Self::UpdateConfig { config, from, to } => Line::new(Verb::Update, config.clone()).setting(
                "secrets_revision",
                Some(from.to_string()),
                Some(to.to_string()),
            ),
            Self::RemoveJournal { entry: user } => Line::new(Verb::Delete, entry(user)),
        }
    }
}

/// The situation in which a rotation is planned.
#[derive(Debug)]
pub struct Observed<'a> {
    /// `osmt/test/rds`
    pub secret: &'a str,
    /// Whether the keyring has the journal already.
    pub begun: bool,
    /// The version that is AWSCURRENT.
    pub current: Option<&'a str>,
    /// The entries of the keyring.
    pub local: &'a Local,
    /// The config's path.
    pub config: &'a str,
    /// The config's `secrets_revision`.
    pub revision: u64,
}

/// Why a secret cannot be rotated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither the version at the start nor the new one is current.
    #[error("another user or process changed {secret} since `osmt-secrets {}` started", .kind.verb())]
    ChangedMeanwhile {
        /// `osmt/test/rds`
        secret: String,
        /// Rotation or rollback.
        kind: Kind,
    },
    /// The rotation of another value of the same secret is not finished.
    #[error("an earlier `osmt-secrets {} {name}` did not finish", .kind.verb())]
    Unfinished {
        /// Rotation or rollback.
        kind: Kind,
        /// `rds/password`
        name: String,
    },
    /// The keyring and AWS do not have the same value.
    #[error("{name} {state}")]
    NotSame {
        /// `rds/password`
        name: String,
        /// How they compare.
        state: String,
        /// Which side is newer, if known.
        newer: Option<Newer>,
    },
    /// It can only have one value.
    #[error("{name} cannot be replaced: {why}")]
    Fixed {
        /// `rds/username`
        name: String,
        /// Why.
        why: String,
    },
    /// A rollback has no version to restore.
    #[error("{secret} has no earlier version with another value")]
    NoPrevious {
        /// `osmt/test/rds`
        secret: String,
    },
}

impl Explain for Refusal {
    fn exit(&self) -> Exit {
        Exit::Refused
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::ChangedMeanwhile { .. } => Some(
                "`osmt-secrets rotate NAME --abandon` removes the unfinished rotation; then compare with `diff`, and `pull` or `push`"
                    .into(),
            ),
            Self::Unfinished { name, .. } => Some(format!(
                "run that command again to finish it, or abandon it with `osmt-secrets rotate {name} --abandon`"
            )),
            Self::NotSame { name, newer, .. } => Some(match newer {
                Some(Newer::Aws) => format!("`osmt-secrets pull {name}` takes the value from AWS; then run this again"),
                Some(Newer::Keyring) => format!("`osmt-secrets push {name}` writes the keyring's value; then run this again"),
                Some(Newer::Both | Newer::Unknown) | None => {
                    "make the keyring and AWS agree first: `osmt-secrets diff`, then `push` or `pull`".into()
                }
            }),
            Self::Fixed { .. } => None,
            Self::NoPrevious { .. } => {
                Some("`osmt-secrets history NAME` shows the versions; `rotate` generates a new value".into())
            }
        }
    }
}

/// Plans the remaining steps. `values` are the keyring's entries after the last step.
pub fn plan(
    journal: &Journal,
    secret: &Secret,
    values: &[(String, SecretString)],
    now: &Observed<'_>,
) -> Result<Plan<Step>, Refusal> {
    let entry = Journal::entry(secret.remote);
    let mut steps = Vec::new();
    if !now.begun {
        steps.push(Step::WriteJournal { entry: entry.clone() });
    }
    match now.current {
        Some(current) if current == journal.target => {}
        Some(current) if current == journal.base => steps.push(match journal.kind {
            Kind::Rotate => Step::PutVersion { secret: now.secret.to_owned(), key: secret.key.clone() },
            Kind::Rollback => Step::MoveLabel {
                secret: now.secret.to_owned(),
                from: journal.base.clone(),
                to: journal.target.clone(),
            },
        }),
        _ => {
            return Err(Refusal::ChangedMeanwhile { secret: now.secret.to_owned(), kind: journal.kind });
        }
    }
    for (name, value) in values {
        let have = now.local.values.get(name);
        if have.is_none_or(|have| have.expose_secret() != value.expose_secret()) {
            steps.push(Step::UpdateKeyring { name: name.clone(), value: value.clone() });
        }
    }
    if now.revision <= journal.revision {
        steps.push(Step::UpdateConfig {
            config: now.config.to_owned(),
            from: now.revision,
            to: journal.revision + 1,
        });
    }
    steps.push(Step::RemoveJournal { entry });
    Ok(steps.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::catalog::Catalog;

    fn journal(kind: Kind) -> Journal {
        Journal {
            kind,
            name: "rds/password".into(),
            base: "a".into(),
            target: "b".into(),
            revision: 3,
            value: "new-value".into(),
        }
    }

    #[test]
    fn a_journal_is_parsed_back() {
        let read = Journal::parse(&journal(Kind::Rotate).text()).unwrap();
        assert_eq!((read.kind, read.name.as_str()), (Kind::Rotate, "rds/password"));
        assert_eq!((read.base.as_str(), read.target.as_str()), ("a", "b"));
        assert_eq!((read.revision, read.value.expose_secret()), (3, "new-value"));
    }

    /// Runs a rotation that is interrupted after `count` steps, then a second run; returns the result.
    fn interrupted_after(count: usize) -> (usize, bool, String, Local, u64) {
        let journal = journal(Kind::Rotate);
        let catalog = Catalog::all();
        let secret = catalog.find("rds/password").unwrap();
        let values = [("rds/password".to_owned(), SecretString::from("new-value"))];
        let (mut begun, mut current, mut local, mut revision) = (false, "a".to_owned(), Local::default(), 3);
        let mut puts = 0;
        for run in 0..2 {
            let now = Observed {
                secret: "osmt/test/rds",
                begun,
                current: Some(&current.clone()),
                local: &local.clone(),
                config: "config",
                revision,
            };
            if run == 1 && !begun {
                break;
            }
            let plan = plan(&journal, secret, &values, &now).unwrap();
            let limit = if run == 0 { count } else { usize::MAX };
            for step in plan.actions.into_iter().take(limit) {
                match step {
                    Step::WriteJournal { .. } => begun = true,
                    Step::PutVersion { .. } => {
                        puts += 1;
                        current = "b".to_owned();
                    }
                    Step::UpdateKeyring { name, value } => drop(local.values.insert(name, value)),
                    Step::UpdateConfig { to, .. } => revision = to,
                    Step::RemoveJournal { .. } => begun = false,
                    Step::MoveLabel { .. } => unreachable!("a rotation does not move the label"),
                }
            }
        }
        (puts, begun, current, local, revision)
    }

    #[test]
    fn a_second_run_finishes_an_interrupted_rotation_without_a_second_value() {
        for count in 1..=5 {
            let (puts, begun, current, local, revision) = interrupted_after(count);
            assert_eq!((puts, begun, current.as_str(), revision), (1, false, "b", 4), "{count}");
            assert_eq!(local.values["rds/password"].expose_secret(), "new-value");
        }
        assert_eq!(interrupted_after(0).0, 0);
    }

    #[test]
    fn a_version_by_another_user_is_refused() {
        let now = Observed {
            secret: "osmt/test/rds",
            begun: true,
            current: Some("c"),
            local: &Local::default(),
            config: "config",
            revision: 3,
        };
        let catalog = Catalog::all();
        let secret = catalog.find("rds/password").unwrap();
        let refused = plan(&journal(Kind::Rollback), secret, &[], &now).unwrap_err();
        assert!(matches!(refused, Refusal::ChangedMeanwhile { .. }));
    }
}
