//! The account's own settings: each is shown with its present value, and changed only if it is named on the command line.
//!
//! What a tool cannot or should not set (the root user's MFA, trails, analyzers) is shown with the path in the console.
//! `destroy` does not change these settings: they belong to the account and not to an environment.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::judged::Thing;
use super::state_bucket::switches;
use super::{Error, Judged, Target};
use crate::account::baseline::{Analyzer, Baseline, PasswordPolicy, Root, Trail};
use crate::account::observe::baseline::PUBLIC_ACCESS;
use crate::account::{Known, PublicAccessBlock};
use crate::aws::{Session, call};
use crate::explain::count;

/// A setting that can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// The password policy of IAM users.
    PasswordPolicy,
    /// EBS encryption by default.
    EbsEncryption,
    /// The account's block on public access to S3 buckets.
    S3PublicAccess,
}

impl Item {
    /// Every item.
    pub const ALL: [Self; 3] = [Self::PasswordPolicy, Self::EbsEncryption, Self::S3PublicAccess];

    /// The name on the command line: `password-policy`.
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
    /// The complete policy: `UpdateAccountPasswordPolicy` resets every parameter that is left out.
    Password(PasswordPolicy),
    /// Encrypt all new EBS volumes in the region.
    EncryptVolumes,
    /// Block public access to every bucket of the account.
    BlockPublicAccess,
}

/// Judges the account's settings. `named` are the items that may be changed.
pub fn judge(target: &Target, named: &BTreeSet<Item>, seen: &Baseline) -> Result<Vec<Judged<Change>>, Error> {
    let thing = format!("account {}", target.deployment.account_id);
    let settable = |item, setting: &str, compared| judge_item(&thing, named, item, setting, compared);
    let shown = |setting: &str, (good, text)| Judged::shown(&thing, setting, text, good);
    let [mfa, keys] = root(&seen.root);
    let region = &target.deployment.region;
    Ok(vec![
        settable(
            Item::PasswordPolicy,
            "password policy",
            compare(&seen.password, |present| password(present.as_ref())),
        )?,
        settable(
            Item::EbsEncryption,
            &format!("EBS encryption by default in {region}"),
            compare(&seen.disks, |on| volumes(*on)),
        )?,
        settable(
            Item::S3PublicAccess,
            "public access to all S3 buckets",
            compare(&seen.buckets, |block| buckets(*block)),
        )?,
        shown("second factor of the root user", mfa),
        shown("access keys of the root user", keys),
        shown("CloudTrail", trails(&seen.trails)),
        shown(&format!("IAM Access Analyzer in {region}"), analyzers(&seen.analyzers)),
    ])
}

/// The present and the wanted value of an item.
struct Comparison {
    from: String,
    to: String,
    fits: bool,
    change: Change,
}

fn compare<T>(seen: &Known<T>, with: impl FnOnce(&T) -> Comparison) -> Result<Comparison, &str> {
    seen.as_result().map(with)
}

/// Plans a change if the item is named, and shows it otherwise. A named item that could not be read is an error.
fn judge_item(
    thing: &str,
    named: &BTreeSet<Item>,
    item: Item,
    setting: &str,
    compared: Result<Comparison, &str>,
) -> Result<Judged<Change>, Error> {
    let shown = |text: String| Judged::shown(thing, setting, text, false);
    let named = named.contains(&item);
    Ok(match compared {
        Err(reason) if named => {
            return Err(Error::UnreadableSetting { item: setting.to_owned(), why: reason.to_owned() });
        }
        Err(reason) => shown(format!("not known: {reason}")),
        Ok(Comparison { from, to, fits, change }) if fits || named => {
            Judged::setting(Thing::existing(thing), setting, Some(from), &to, fits, change)
        }
        Ok(Comparison { from, to, .. }) => {
            shown(format!("{from}; `--with account.{}` changes it to: {to}", item.name()))
        }
    })
}

fn password(present: Option<&PasswordPolicy>) -> Comparison {
    let wanted = recommended(present);
    Comparison {
        from: present.map_or_else(|| "none; IAM's default: 8 characters".to_owned(), policy_text),
        to: policy_text(&wanted),
        fits: present == Some(&wanted),
        change: Change::Password(wanted),
    }
}

/// Volumes that exist already are not changed, and encryption does not change how programs use a volume.
fn volumes(on: bool) -> Comparison {
    Comparison {
        from: if on { "on" } else { "off" }.to_owned(),
        to: "on".to_owned(),
        fits: on,
        change: Change::EncryptVolumes,
    }
}

fn buckets(block: PublicAccessBlock) -> Comparison {
    Comparison {
        from: switches(block),
        to: format!("{}, for buckets that are public now as well", switches(PublicAccessBlock::ALL)),
        fits: block == PublicAccessBlock::ALL,
        change: Change::BlockPublicAccess,
    }
}

/// Whether a setting is right, and its text.
type Verdict = (bool, String);

fn unknown(reason: &str) -> Verdict {
    (false, format!("not known: {reason}"))
}

fn root(seen: &Known<Root>) -> [Verdict; 2] {
    let root = match seen {
        Known::Known(root) => root,
        Known::Unknown(reason) => return [unknown(reason), unknown(reason)],
    };
    let mfa = if root.mfa { "on" } else { "off: sign in as root, Security credentials, Assign MFA device" };
    let keys = if root.keys {
        "present: sign in as root, Security credentials, Access keys, delete them"
    } else {
        "none"
    };
    [(root.mfa, mfa.to_owned()), (!root.keys, keys.to_owned())]
}

/// A trail must record every region (CIS AWS Foundations Benchmark).
fn trails(seen: &Known<Vec<Trail>>) -> Verdict {
    let trails = match seen {
        Known::Known(trails) => trails,
        Known::Unknown(reason) => return unknown(reason),
    };
    if let Some(trail) = trails.iter().find(|trail| trail.everywhere && trail.logging) {
        let whose = if trail.organisation { " of the organisation" } else { "" };
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
        "not all regions are recorded: {others}; in the CloudTrail console, create a trail for all regions, or better a trail of the organisation"
    );
    (false, text)
}

/// IAM lists an organisation's analyzer only in the account that administers it.
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
            "this account has no analyzer for external access: IAM console, Access Analyzer, Create analyzer (an analyzer of the organisation is not visible in this account)".to_owned(),
        ),
    }
}

/// The recommended policy (CIS AWS Foundations Benchmark: 14 characters, 24 passwords remembered); stricter values are kept.
fn recommended(present: Option<&PasswordPolicy>) -> PasswordPolicy {
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

fn policy_text(policy: &PasswordPolicy) -> String {
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
        text.push(format!("expires after {}", count(days.unsigned_abs() as usize, "day")));
    }
    text.join("; ")
}

/// The body of `PutPublicAccessBlock` (S3 Control) with all four switches on.
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
        Change::EncryptVolumes => {
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
        fn stricter_values_are_kept_and_a_second_run_finds_nothing_to_change(
            length in 6..128_i32, reuse in proptest::option::of(1..25_i32), days in proptest::option::of(1..1096_i32),
            switches in any::<[bool; 6]>(),
        ) {
            let [symbol, digit, upper, lower, own_change, hard_end] = switches;
            let policy = PasswordPolicy { length, symbol, digit, upper, lower, own_change, reuse, days, hard_end };
            let wanted = recommended(Some(&policy));
            prop_assert!(wanted.length >= policy.length && wanted.reuse >= policy.reuse);
            prop_assert_eq!((wanted.days, wanted.hard_end, wanted.own_change), (days, hard_end, own_change));
            prop_assert_eq!(&recommended(Some(&wanted)), &wanted);
        }
    }
}
