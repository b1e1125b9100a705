//! What an IT department expects of an account: each item shown with its present value, changed only where it is named.
//!
//! What a tool cannot or should not set (the root user's second factor, trails, analyzers) is reported with the
//! console's way. The baseline outlives every environment: `destroy` leaves it alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::judged::Thing;
use super::state_bucket::switches;
use super::{Error, Judged, Target};
use crate::account::baseline::{Analyzer, Baseline, PasswordPolicy, Root, Trail};
use crate::account::observe::baseline::PUBLIC_ACCESS;
use crate::account::{Known, PublicAccessBlock};
use crate::aws::{Session, call};

/// An item that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// The rules for users' passwords.
    PasswordPolicy,
    /// The default encryption of new disks.
    EbsEncryption,
    /// The block on public access to every bucket.
    S3PublicAccess,
}

impl Item {
    /// Every item.
    pub const ALL: [Self; 3] = [Self::PasswordPolicy, Self::EbsEncryption, Self::S3PublicAccess];

    /// As it is named on the command line: `password-policy`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PasswordPolicy => "password-policy",
            Self::EbsEncryption => "ebs-encryption",
            Self::S3PublicAccess => "s3-public-access",
        }
    }
}

/// One change to the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// These rules for passwords, whole: IAM forgets what is not said.
    Password(PasswordPolicy),
    /// Encrypt all new disks in the region.
    EncryptDisks,
    /// Block public access to every bucket of the account.
    BlockPublicAccess,
}

/// Judges the account's settings; pure. `named` are the items that may be changed.
pub fn judge(target: &Target, named: &BTreeSet<Item>, seen: &Baseline) -> Result<Vec<Judged<Change>>, Error> {
    let thing = format!("account {}", target.deployment.account_id);
    let settable = |item, setting: &str, look| judge_item(&thing, named, item, setting, look);
    let shown = |setting: &str, (good, text)| Judged::shown(&thing, setting, text, good);
    let [mfa, keys] = root(&seen.root);
    let region = &target.deployment.region;
    Ok(vec![
        settable(
            Item::PasswordPolicy,
            "password policy",
            look(&seen.password, |present| password(present.as_ref())),
        )?,
        settable(
            Item::EbsEncryption,
            &format!("EBS encryption by default in {region}"),
            look(&seen.disks, |on| disks(*on)),
        )?,
        settable(
            Item::S3PublicAccess,
            "public access to all S3 buckets",
            look(&seen.buckets, |block| buckets(*block)),
        )?,
        shown("second factor of the root user", mfa),
        shown("access keys of the root user", keys),
        shown("CloudTrail", trails(&seen.trails)),
        shown(&format!("IAM Access Analyzer in {region}"), analyzers(&seen.analyzers)),
    ])
}

/// A settable item as it is and as it should be.
struct Look {
    from: String,
    to: String,
    fits: bool,
    change: Change,
}

fn look<T>(seen: &Known<T>, as_it_is: impl FnOnce(&T) -> Look) -> Result<Look, &str> {
    seen.as_result().map(as_it_is)
}

/// Changed if the item is given by name, otherwise only shown; an unknown item stops a run that should change it.
fn judge_item(
    thing: &str,
    named: &BTreeSet<Item>,
    item: Item,
    setting: &str,
    look: Result<Look, &str>,
) -> Result<Judged<Change>, Error> {
    let shown = |text: String| Judged::shown(thing, setting, text, false);
    let named = named.contains(&item);
    Ok(match look {
        Err(reason) if named => {
            return Err(Error::Account { item: setting.to_owned(), why: reason.to_owned() });
        }
        Err(reason) => shown(format!("not known: {reason}")),
        Ok(look) if look.fits || named => Judged::setting(
            Thing::existing(thing),
            setting,
            Some(look.from),
            &look.to,
            look.fits,
            look.change,
        ),
        Ok(Look { from, to, .. }) => {
            shown(format!("{from}; `--with account.{}` makes it: {to}", item.name()))
        }
    })
}

fn password(present: Option<&PasswordPolicy>) -> Look {
    let wanted = raised(present);
    Look {
        from: present.map_or_else(|| "none; IAM's default: 8 characters".to_owned(), text_of),
        to: text_of(&wanted),
        fits: present == Some(&wanted),
        change: Change::Password(wanted),
    }
}

/// Disks that exist already stay as they are, and nothing that reads them notices.
fn disks(on: bool) -> Look {
    Look {
        from: if on { "on" } else { "off" }.to_owned(),
        to: "on".to_owned(),
        fits: on,
        change: Change::EncryptDisks,
    }
}

fn buckets(block: PublicAccessBlock) -> Look {
    Look {
        from: switches(block),
        to: format!("{}, also to buckets that are public now", switches(PublicAccessBlock::ALL)),
        fits: block == PublicAccessBlock::ALL,
        change: Change::BlockPublicAccess,
    }
}

/// Whether it is as it should be, and how it is.
type Verdict = (bool, String);

fn unknown(reason: &str) -> Verdict {
    (false, format!("not known: {reason}"))
}

fn root(seen: &Known<Root>) -> [Verdict; 2] {
    let root = match seen {
        Known::Known(root) => root,
        Known::Unknown(reason) => return [unknown(reason), unknown(reason)],
    };
    let mfa = if root.mfa { "on" } else { "OFF: sign in as root, Security credentials, Assign MFA device" };
    let keys = if root.keys {
        "PRESENT: sign in as root, Security credentials, Access keys, delete them"
    } else {
        "none"
    };
    [(root.mfa, mfa.to_owned()), (!root.keys, keys.to_owned())]
}

/// CIS AWS Foundations Benchmark: a trail that records every region.
fn trails(seen: &Known<Vec<Trail>>) -> Verdict {
    let trails = match seen {
        Known::Known(trails) => trails,
        Known::Unknown(reason) => return unknown(reason),
    };
    if let Some(trail) = trails.iter().find(|trail| trail.everywhere && trail.logging) {
        let whose = if trail.organisation { ", the organisation's," } else { "" };
        let text = format!("trail {}{whose} records all regions", trail.name);
        return (true, text);
    }
    let others: Vec<String> = trails
        .iter()
        .map(|trail| {
            let how = if trail.logging { "records one region" } else { "is stopped" };
            format!("trail {} {how}", trail.name)
        })
        .collect();
    let others = if others.is_empty() { "no trail".to_owned() } else { others.join(", ") };
    let text = format!(
        "NOT ALL RECORDED: {others}; in the CloudTrail console, create a trail for all regions, or better a trail of the organisation"
    );
    (false, text)
}

/// An organisation's analyzer is seen only in the account that administers it.
fn analyzers(seen: &Known<Vec<Analyzer>>) -> Verdict {
    let analyzers = match seen {
        Known::Known(analyzers) => analyzers,
        Known::Unknown(reason) => return unknown(reason),
    };
    let outside = |analyzer: &&Analyzer| {
        matches!(&*analyzer.kind, "ACCOUNT" | "ORGANIZATION") && analyzer.status == "ACTIVE"
    };
    match analyzers.iter().find(outside) {
        Some(analyzer) => (true, format!("{} is active", analyzer.name)),
        None => (
            false,
            "NONE of this account for access from outside: IAM console, Access Analyzer, Create analyzer (an organisation's is not seen from here)".to_owned(),
        ),
    }
}

/// The rules we recommend (CIS AWS Foundations Benchmark: 14 characters, 24 passwords remembered); stricter ones stay.
fn raised(present: Option<&PasswordPolicy>) -> PasswordPolicy {
    let nothing = PasswordPolicy { own_change: true, ..PasswordPolicy::default() };
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

/// All four switches on, as S3 reads it.
const ALL_BLOCKED: &str = concat!(
    r#"<PublicAccessBlockConfiguration xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/">"#,
    "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>",
    "<BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>",
    "</PublicAccessBlockConfiguration>",
);

/// Makes one change.
pub async fn apply(session: &Session, change: &Change) -> Result<(), Error> {
    let policy = match change {
        Change::Password(policy) => policy,
        Change::EncryptDisks => {
            let operation = "ec2:EnableEbsEncryptionByDefault";
            session.ec2(&session.region, operation).await?;
            return Ok(());
        }
        Change::BlockPublicAccess => {
            let operation = "s3:PutAccountPublicAccessBlock";
            let document = Some(ALL_BLOCKED.to_owned());
            session.s3_control(operation, PUBLIC_ACCESS, document).await?;
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
