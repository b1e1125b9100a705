//! Reads of the whole account: passwords, root user, disks, buckets, trails, analyzers. What cannot be read is unknown.

use aws_sdk_iam::types::SummaryKeyType;
use futures_util::future::try_join_all;
use serde::Deserialize;
use serde_json::json;

use super::ec2;
use super::iam::present;
use crate::account::PublicAccessBlock;
use crate::account::baseline::{Analyzer, Baseline, PasswordPolicy, Root, Trail};
use crate::aws::{CallError, Session, call};

/// Reads everything at once.
pub async fn baseline(session: &Session) -> Baseline {
    let (password, root, disks, buckets, trails, analyzers) = tokio::join!(
        password(session),
        root(session),
        ec2::ebs_encryption(session),
        buckets(session),
        trails(session),
        analyzers(session),
    );
    Baseline {
        password: password.into(),
        root: root.into(),
        disks: disks.into(),
        buckets: buckets.into(),
        trails: trails.into(),
        analyzers: analyzers.into(),
    }
}

async fn password(session: &Session) -> Result<Option<PasswordPolicy>, CallError> {
    let answer = session.iam().get_account_password_policy().send().await;
    let answer = present(call("iam:GetAccountPasswordPolicy", answer))?;
    let policy = answer.and_then(|answer| answer.password_policy);
    Ok(policy.map(|policy| password_policy(&policy)))
}

async fn root(session: &Session) -> Result<Root, CallError> {
    let answer = session.iam().get_account_summary().send().await;
    let counts = call("iam:GetAccountSummary", answer)?.summary_map;
    let counts = counts.unwrap_or_default();
    let is = |key| counts.get(&key).copied().unwrap_or_default() > 0;
    Ok(Root {
        mfa: is(SummaryKeyType::AccountMfaEnabled),
        keys: is(SummaryKeyType::AccountAccessKeysPresent),
    })
}

/// The path of the account's own block on public access, with the account in the header.
pub const PUBLIC_ACCESS: &str = "configuration/publicAccessBlock";

async fn buckets(session: &Session) -> Result<PublicAccessBlock, CallError> {
    let operation = "s3:GetAccountPublicAccessBlock";
    let answer = match session.s3_control(operation, PUBLIC_ACCESS, None).await {
        Err(error) if error.is("NoSuchPublicAccessBlockConfiguration") => {
            return Ok(PublicAccessBlock::default());
        }
        answer => answer?,
    };
    let is = |name| Ok::<_, CallError>(answer.field(name)? == "true");
    Ok(PublicAccessBlock {
        block_public_acls: is("BlockPublicAcls")?,
        ignore_public_acls: is("IgnorePublicAcls")?,
        block_public_policy: is("BlockPublicPolicy")?,
        restrict_public_buckets: is("RestrictPublicBuckets")?,
    })
}

/// The organisation's trails and those of other regions that record this one too are among them.
async fn trails(session: &Session) -> Result<Vec<Trail>, CallError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Described {
        trail_list: Vec<One>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct One {
        name: String,
        #[serde(rename = "TrailARN")]
        arn: String,
        #[serde(default)]
        is_multi_region_trail: bool,
        #[serde(default)]
        is_organization_trail: bool,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Status {
        #[serde(default)]
        is_logging: bool,
    }
    let described = session.cloudtrail("cloudtrail:DescribeTrails", &json!({})).await?;
    let described: Described = described.json()?;
    let reads = described.trail_list.into_iter().map(|trail| async move {
        let name = json!({ "Name": trail.arn });
        let status = session.cloudtrail("cloudtrail:GetTrailStatus", &name).await?;
        let status: Status = status.json()?;
        Ok::<_, CallError>(Trail {
            name: trail.name,
            everywhere: trail.is_multi_region_trail,
            organisation: trail.is_organization_trail,
            logging: status.is_logging,
        })
    });
    let mut trails = try_join_all(reads).await?;
    trails.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(trails)
}

async fn analyzers(session: &Session) -> Result<Vec<Analyzer>, CallError> {
    #[derive(Deserialize)]
    struct Listed {
        analyzers: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        name: String,
        #[serde(rename = "type")]
        kind: String,
        status: String,
    }
    // More than a hundred in one region there cannot be.
    let listed = session.access_analyzer("access-analyzer:ListAnalyzers", "/analyzer?maxResults=100").await?;
    let listed: Listed = listed.json()?;
    let mut analyzers: Vec<Analyzer> = listed
        .analyzers
        .into_iter()
        .map(|One { name, kind, status }| Analyzer { name, kind, status })
        .collect();
    analyzers.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(analyzers)
}

fn password_policy(policy: &aws_sdk_iam::types::PasswordPolicy) -> PasswordPolicy {
    PasswordPolicy {
        length: policy.minimum_password_length().unwrap_or_default(),
        symbol: policy.require_symbols(),
        digit: policy.require_numbers(),
        upper: policy.require_uppercase_characters(),
        lower: policy.require_lowercase_characters(),
        own_change: policy.allow_users_to_change_password(),
        reuse: policy.password_reuse_prevention(),
        days: policy.max_password_age(),
        hard_end: policy.hard_expiry().unwrap_or_default(),
    }
}
