//! What an IT department expects of an account: each item shown with its present value, changed only where it is named.
//!
//! What a tool cannot or should not set (the root user's second factor, trails, analyzers) is reported with the
//! console's way. The baseline outlives every environment: `destroy` leaves it alone.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use super::Error;
use super::Judged;
use super::Target;
use crate::account::Known;
use crate::account::iam::Baseline;
use crate::account::iam::PasswordPolicy;
use crate::aws::Session;
use crate::aws::call;
use crate::plan::Line;
use crate::plan::Verb;

/// An item that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// The rules for users' passwords.
    PasswordPolicy,
    /// The encryption of disks that nobody asks to be encrypted.
    EbsEncryption,
}

impl Item {
    /// Every item.
    pub const ALL: [Self; 2] = [Self::PasswordPolicy, Self::EbsEncryption];

    /// As it is named on the command line: `password-policy`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PasswordPolicy => "password-policy",
            Self::EbsEncryption => "ebs-encryption",
        }
    }
}

/// What nothing here reads, and where a person looks instead.
const ELSEWHERE: [(&str, &str); 3] = [
    (
        "block public access to all buckets",
        "not checked: S3 console, Block Public Access settings for this account",
    ),
    (
        "CloudTrail",
        "not checked: CloudTrail console, Trails; one for all regions, better one of the organisation",
    ),
    (
        "IAM Access Analyzer",
        "not checked: IAM console, Access Analyzer, Analyzer settings",
    ),
];

/// One change to the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These rules for passwords, whole: IAM forgets what is not said.
    Password(PasswordPolicy),
    /// Encrypt new disks in the region, whoever makes them.
    EncryptDisks,
}

/// Judges the account's settings; pure. `named` are the items that may be changed.
pub fn judge(
    target: &Target,
    named: &BTreeSet<Item>,
    seen: &Baseline,
) -> Result<Vec<Judged<Change>>, Error> {
    let thing = format!("account {}", target.account_id);
    let told = |name: &str, text: String| Judged {
        line: Line::new(Verb::Keep, &thing).setting(name, None, Some(text)),
        change: None,
    };
    let password = "password policy";
    let mut judged = vec![match &seen.password {
        Known::Unknown(reason) if named.contains(&Item::PasswordPolicy) => {
            return Err(Error::Account {
                item: password,
                why: reason.clone(),
            });
        }
        Known::Unknown(reason) => told(password, format!("not known: {reason}")),
        Known::Known(present) => {
            let wanted = raised(present.as_ref());
            let fits = present.as_ref() == Some(&wanted);
            let from = present.as_ref().map_or_else(
                || "none of its own, so IAM's: 8 characters".to_owned(),
                text_of,
            );
            if fits || named.contains(&Item::PasswordPolicy) {
                Judged::setting(
                    (&thing, true),
                    password,
                    (Some(from), &text_of(&wanted)),
                    fits,
                    Change::Password(wanted),
                )
            } else {
                told(
                    password,
                    format!(
                        "{from}; `--with account.{}` makes it: {}",
                        Item::PasswordPolicy.name(),
                        text_of(&wanted)
                    ),
                )
            }
        }
    }];
    judged.push(disks(target, named, &seen.disks)?);
    match &seen.root {
        Known::Known(root) => {
            judged.push(told(
                "second factor of the root user",
                if root.mfa {
                    "on".into()
                } else {
                    "OFF: sign in as root, Security credentials, Assign MFA device".into()
                },
            ));
            judged.push(told(
                "access keys of the root user",
                if root.keys {
                    "THERE ARE: sign in as root, Security credentials, Access keys, delete them"
                        .into()
                } else {
                    "none".into()
                },
            ));
        }
        Known::Unknown(reason) => judged.push(told("root user", format!("not known: {reason}"))),
    }
    judged.extend(ELSEWHERE.map(|(name, text)| told(name, text.to_owned())));
    Ok(judged)
}

/// Disks that exist already stay as they are, and nothing that reads them notices.
fn disks(
    target: &Target,
    named: &BTreeSet<Item>,
    seen: &Known<bool>,
) -> Result<Judged<Change>, Error> {
    let thing = format!("account {}", target.account_id);
    let name = format!("EBS encryption by default in {}", target.region);
    let item = Item::EbsEncryption;
    let told = |text: String| Judged {
        line: Line::new(Verb::Keep, &thing).setting(&name, None, Some(text)),
        change: None,
    };
    Ok(match seen {
        Known::Unknown(reason) if named.contains(&item) => {
            return Err(Error::Account {
                item: "EBS encryption by default",
                why: reason.clone(),
            });
        }
        Known::Unknown(reason) => told(format!("not known: {reason}")),
        Known::Known(false) if !named.contains(&item) => told(format!(
            "off; `--with account.{}` makes it: on",
            item.name()
        )),
        Known::Known(on) => {
            let from = if *on { "on" } else { "off" };
            let change = Change::EncryptDisks;
            Judged::setting(
                (&thing, true),
                &name,
                (Some(from.to_owned()), "on"),
                *on,
                change,
            )
        }
    })
}

/// The rules we recommend (CIS AWS Foundations Benchmark: 14 characters, 24 passwords remembered); stricter ones stay.
fn raised(present: Option<&PasswordPolicy>) -> PasswordPolicy {
    let nothing = PasswordPolicy {
        own_change: true,
        ..PasswordPolicy::default()
    };
    let present = present.unwrap_or(&nothing);
    PasswordPolicy {
        length: present.length.max(14),
        symbol: true,
        digit: true,
        upper: true,
        lower: true,
        reuse: Some(present.reuse.unwrap_or_default().max(24)),
        ..present.clone()
    }
}

fn text_of(policy: &PasswordPolicy) -> String {
    let classes: Vec<&str> = [
        (policy.lower, "lower case"),
        (policy.upper, "upper case"),
        (policy.digit, "digit"),
        (policy.symbol, "symbol"),
    ]
    .into_iter()
    .filter_map(|(wanted, name)| wanted.then_some(name))
    .collect();
    let mut text = vec![format!("{} characters", policy.length)];
    if !classes.is_empty() {
        text.push(format!("with {}", classes.join(", ")));
    }
    if let Some(reuse) = policy.reuse.filter(|reuse| *reuse > 0) {
        text.push(format!("not one of the last {reuse}"));
    }
    if let Some(days) = policy.days.filter(|days| *days > 0) {
        text.push(format!("changed every {days} days"));
    }
    text.join("; ")
}

/// Makes one change.
pub async fn apply(session: &Session, change: &Change) -> Result<(), Error> {
    let policy = match change {
        Change::Password(policy) => policy,
        Change::EncryptDisks => {
            let operation = "ec2:EnableEbsEncryptionByDefault";
            session.ec2(&session.region, operation, &[]).await?;
            return Ok(());
        }
    };
    let request = session
        .iam()
        .update_account_password_policy()
        .minimum_password_length(policy.length)
        .require_symbols(policy.symbol)
        .require_numbers(policy.digit)
        .require_uppercase_characters(policy.upper)
        .require_lowercase_characters(policy.lower)
        .allow_users_to_change_password(policy.own_change)
        .set_password_reuse_prevention(policy.reuse.filter(|reuse| *reuse > 0))
        .set_max_password_age(policy.days.filter(|days| *days > 0))
        .hard_expiry(policy.hard_end);
    call("iam:UpdateAccountPasswordPolicy", request.send().await)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn stricter_rules_stay_and_a_second_look_finds_nothing(
            length in 6..128_i32, reuse in proptest::option::of(1..25_i32), days in proptest::option::of(1..1096_i32),
            switches in any::<[bool; 6]>(),
        ) {
            let [symbol, digit, upper, lower, own_change, hard_end] = switches;
            let policy = PasswordPolicy { length, symbol, digit, upper, lower, own_change, reuse, days, hard_end };
            let wanted = raised(Some(&policy));
            prop_assert!(wanted.length >= policy.length && wanted.reuse >= policy.reuse);
            prop_assert_eq!((wanted.days, wanted.hard_end, wanted.own_change), (days, hard_end, own_change));
            prop_assert_eq!(&raised(Some(&wanted)), &wanted);
        }
    }
}
