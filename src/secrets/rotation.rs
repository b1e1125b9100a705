//! Replacing a value that is in use, and going back: steps that can stop anywhere and go on later.
//!
//! A journal entry in the keyring holds the new value, the two versions and the config's revision before anything is
//! written. A second run reads it, sees how far the first came, and does the rest.

use secrecy::{ExposeSecret as _, SecretString};

use super::catalog::Secret;
use super::{Local, Newer};
use crate::explain::{Exit, Explain};
use crate::plan::{Action, Line, Plan, Verb};

/// Which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To a new value.
    Rotate,
    /// To the version before.
    Rollback,
}

impl Kind {
    /// The verb on the command line.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Rollback => "rollback",
        }
    }
}

/// What was begun.
#[derive(Clone, Debug)]
pub struct Journal {
    /// Which way.
    pub kind: Kind,
    /// `rds/password`
    pub name: String,
    /// The version that was AWSCURRENT.
    pub base: String,
    /// The version that will be.
    pub target: String,
    /// The config's `secrets_revision` at the beginning.
    pub revision: u64,
    /// The new value; empty for a rollback, whose value is in AWS.
    pub value: SecretString,
}

impl Journal {
    /// The name of its entry in the keyring.
    pub fn entry(remote: &str) -> String {
        format!("rotation/{remote}")
    }

    /// As the keyring keeps it: one field a line, the value last.
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

    /// Reads what the keyring kept; `None` where it is not a journal.
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

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    /// Write the journal.
    Begin {
        /// Its entry.
        entry: String,
    },
    /// Write the new value as a new version.
    Put {
        /// `osmt/test/rds`
        secret: String,
        /// The key that changes.
        key: String,
    },
    /// Make another version the current one.
    Move {
        /// `osmt/test/rds`
        secret: String,
        /// The version that is current.
        from: String,
        /// The version that will be.
        to: String,
    },
    /// Give the keyring the value.
    Keep {
        /// `rds/password`
        name: String,
        /// The value.
        value: SecretString,
    },
    /// Write `secrets_revision` into the config.
    Bump {
        /// The config's path.
        config: String,
        /// What it is.
        from: u64,
        /// What it will be.
        to: u64,
    },
    /// Remove the journal.
    End {
        /// Its entry.
        entry: String,
    },
}

impl Action for Step {
    fn line(&self) -> Line {
        let entry = |user: &str| format!("keyring entry {user}");
        let some = |text: &str| Some(text.to_owned());
        match self {
            Self::Begin { entry: user } => {
                Line::new(Verb::Create, format!("{}, so that an interruption loses nothing", entry(user)))
            }
            Self::Put { secret, key } => Line::new(Verb::Update, format!("secret {secret}")).setting(
                key.clone(),
                None,
                some("a new value; the one before stays as AWSPREVIOUS"),
            ),
            Self::Move { secret, from, to } => Line::new(Verb::Update, format!("secret {secret}")).setting(
                "AWSCURRENT",
                Some(from.clone()),
                Some(to.clone()),
            ),
            Self::Keep { name, .. } => Line::new(Verb::Update, entry(name)),
            Self::Bump { config, from, to } => Line::new(Verb::Update, config.clone()).setting(
                "secrets_revision",
                Some(from.to_string()),
                Some(to.to_string()),
            ),
            Self::End { entry: user } => Line::new(Verb::Delete, entry(user)),
        }
    }
}

/// What is there when a rotation begins or goes on.
#[derive(Debug)]
pub struct Now<'a> {
    /// `osmt/test/rds`
    pub secret: &'a str,
    /// Whether the journal is in the keyring already.
    pub begun: bool,
    /// The version that is AWSCURRENT.
    pub current: Option<&'a str>,
    /// What the keyring holds.
    pub local: &'a Local,
    /// The config's path.
    pub config: &'a str,
    /// The config's `secrets_revision`.
    pub revision: u64,
}

/// Why a rotation cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither the version it began on nor the one it made is current.
    #[error("{secret} was changed by another user or process since the {} began", .kind.verb())]
    Overtaken {
        /// `osmt/test/rds`
        secret: String,
        /// Which way.
        kind: Kind,
    },
    /// It is another one that waits.
    #[error("a {} of {name} is unfinished", .kind.verb())]
    Unfinished {
        /// Which way.
        kind: Kind,
        /// `rds/password`
        name: String,
    },
    /// The two sides must agree first.
    #[error("{name} {state}")]
    Apart {
        /// `rds/password`
        name: String,
        /// How they compare.
        state: String,
        /// Which side is newer, where that is known.
        newer: Option<Newer>,
    },
    /// It can have no other value.
    #[error("{name} cannot be replaced: {why}")]
    Fixed {
        /// `rds/username`
        name: String,
        /// Why.
        why: String,
    },
    /// There is nothing to go back to.
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
            Self::Overtaken { .. } => Some(
                "`osmt-secrets rotate NAME --abandon` removes the unfinished rotation; then look with `diff`, and `pull` or `push`"
                    .into(),
            ),
            Self::Unfinished { kind, name } => Some(format!(
                "`osmt-secrets {} {name}` finishes it; `osmt-secrets rotate {name} --abandon` drops it",
                kind.verb()
            )),
            Self::Apart { name, newer, .. } => Some(match newer {
                Some(Newer::Aws) => format!("`osmt-secrets pull {name}` takes the value from AWS; then run this again"),
                Some(Newer::Keyring) => format!("`osmt-secrets push {name}` writes the keyring's value; then run this again"),
                Some(Newer::Both | Newer::Unknown) | None => {
                    "make the keyring and AWS agree first: `osmt-secrets diff`, then `push` or `pull`".into()
                }
            }),
            Self::Fixed { .. } => None,
            Self::NoPrevious { .. } => Some("`osmt-secrets history NAME` shows the versions; `rotate` makes a new value".into()),
        }
    }
}

/// The steps that are left. `values` is what the keyring must hold in the end.
pub fn plan(
    journal: &Journal,
    secret: &Secret,
    values: &[(String, SecretString)],
    now: &Now<'_>,
) -> Result<Plan<Step>, Refusal> {
    let entry = Journal::entry(secret.remote);
    let mut steps = Vec::new();
    if !now.begun {
        steps.push(Step::Begin { entry: entry.clone() });
    }
    match now.current {
        Some(current) if current == journal.target => {}
        Some(current) if current == journal.base => steps.push(match journal.kind {
            Kind::Rotate => Step::Put { secret: now.secret.to_owned(), key: secret.key.clone() },
            Kind::Rollback => Step::Move {
                secret: now.secret.to_owned(),
                from: journal.base.clone(),
                to: journal.target.clone(),
            },
        }),
        _ => {
            return Err(Refusal::Overtaken { secret: now.secret.to_owned(), kind: journal.kind });
        }
    }
    for (name, value) in values {
        let have = now.local.values.get(name);
        if have.is_none_or(|have| have.expose_secret() != value.expose_secret()) {
            steps.push(Step::Keep { name: name.clone(), value: value.clone() });
        }
    }
    if now.revision <= journal.revision {
        steps.push(Step::Bump {
            config: now.config.to_owned(),
            from: now.revision,
            to: journal.revision + 1,
        });
    }
    steps.push(Step::End { entry });
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
    fn a_journal_reads_back() {
        let read = Journal::parse(&journal(Kind::Rotate).text()).unwrap();
        assert_eq!((read.kind, read.name.as_str()), (Kind::Rotate, "rds/password"));
        assert_eq!((read.base.as_str(), read.target.as_str()), ("a", "b"));
        assert_eq!((read.revision, read.value.expose_secret()), (3, "new-value"));
    }

    /// Does the steps in order and stops after `count`; gives what a second run would see.
    fn world(count: usize) -> (usize, bool, String, Local, u64) {
        let journal = journal(Kind::Rotate);
        let catalog = Catalog::all();
        let secret = catalog.find("rds/password").unwrap();
        let values = [("rds/password".to_owned(), SecretString::from("new-value"))];
        let (mut begun, mut current, mut local, mut revision) = (false, "a".to_owned(), Local::default(), 3);
        let mut puts = 0;
        for run in 0..2 {
            let now = Now {
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
                    Step::Begin { .. } => begun = true,
                    Step::Put { .. } => {
                        puts += 1;
                        current = "b".to_owned();
                    }
                    Step::Keep { name, value } => drop(local.values.insert(name, value)),
                    Step::Bump { to, .. } => revision = to,
                    Step::End { .. } => begun = false,
                    Step::Move { .. } => unreachable!("a rotation moves no label"),
                }
            }
        }
        (puts, begun, current, local, revision)
    }

    #[test]
    fn an_interruption_anywhere_is_finished_by_a_second_run_and_rotates_once() {
        for count in 1..=5 {
            let (puts, begun, current, local, revision) = world(count);
            assert_eq!((puts, begun, current.as_str(), revision), (1, false, "b", 4), "{count}");
            assert_eq!(local.values["rds/password"].expose_secret(), "new-value");
        }
        assert_eq!(world(0).0, 0);
    }

    #[test]
    fn a_version_of_another_user_stops_it() {
        let now = Now {
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
        assert!(matches!(refused, Refusal::Overtaken { .. }));
    }
}
