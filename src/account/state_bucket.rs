//! The requirements for the state bucket, which `osmt-bootstrap` and `osmt-doctor` share.

use super::policy_document::PolicyDocument;
use super::{Bucket, PublicAccessBlock};
use crate::arn::Partition;

impl Bucket {
    /// The minimum retention of old versions of the state, in days.
    pub const KEEP_DAYS: i32 = 90;

    /// Whether all four switches are on.
    pub fn blocks_public_access(&self) -> bool {
        self.public_access_block == PublicAccessBlock::ALL
    }

    /// Whether every version is kept.
    pub fn is_versioned(&self) -> bool {
        self.versioning.as_deref() == Some("Enabled")
    }

    /// Whether new objects are encrypted with a KMS key. Dual-layer encryption is stricter and has no bucket key.
    pub fn is_encrypted_with_kms(&self) -> bool {
        let algorithm = self.encryption.as_deref().unwrap_or_default();
        algorithm == "aws:kms:dsse" || (algorithm == "aws:kms" && self.bucket_key)
    }

    /// Whether access control lists are off.
    pub fn has_no_access_lists(&self) -> bool {
        self.object_ownership.as_deref() == Some("BucketOwnerEnforced")
    }

    /// The ARNs of the bucket and of the objects in it.
    pub fn arns(&self) -> [String; 2] {
        let arn = format!("arn:{}:s3:::{}", Partition::of(&self.region).name, self.name);
        let objects = format!("{arn}/*");
        [arn, objects]
    }

    /// Whether its policy denies every request without TLS, to the bucket and to its objects, by any principal.
    pub fn denies_plain_http(&self) -> bool {
        let policy = self.policy.as_deref().map(PolicyDocument::parse);
        policy.is_some_and(|policy| policy.is_ok_and(|policy| policy.denies_plain_http(&self.arns())))
    }

    /// Whether no lifecycle rule deletes old versions of the state too early, or the state itself.
    pub fn keeps_history(&self, state_key: &str) -> bool {
        self.lifecycle
            .values()
            .filter(|rule| rule.covers(state_key))
            .all(|rule| !rule.expires && rule.noncurrent_days.is_none_or(|days| days >= Self::KEEP_DAYS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(statement: &str) -> Bucket {
        Bucket {
            name: "b".into(),
            region: "us-west-2".into(),
            policy: Some(format!("{{\"Version\":\"2012-10-17\",\"Statement\":{statement}}}")),
            ..Bucket::default()
        }
    }

    #[test]
    fn only_a_denial_of_everything_for_everyone_enforces_tls() {
        let whole = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;
        assert!(bucket(whole).denies_plain_http(), "one statement without its list");
        assert!(bucket(&format!("[{whole}]")).denies_plain_http());
        let listed = whole.replace(r#""Principal":"*""#, r#""Principal":{"AWS":["*"]}"#);
        assert!(bucket(&listed).denies_plain_http());
        for (good, weak) in [
            (r#""s3:*""#, r#""s3:GetObject""#),
            (r#","arn:aws:s3:::b/*""#, ""),
            (r#""Deny""#, r#""Allow""#),
            (r#""Principal":"*""#, r#""Principal":{"AWS":"arn:aws:iam::1:root"}"#),
        ] {
            assert!(!bucket(&whole.replace(good, weak)).denies_plain_http(), "{weak}");
        }
        assert!(!Bucket::default().denies_plain_http());
    }
}
