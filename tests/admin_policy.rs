//! The admin role's policies: they allow every call that a life of the stack makes and that the binaries make, they fit
//! into IAM's limits, and they end where they should.
//!
//! `tests/operations.txt` lists what was called, as the emulator logged it: the binaries and Terraform from an empty
//! account through changes to the destruction, with every setting of `operations.tf` on, but for the calls that make the
//! admin role itself, which are an administrator's. To add what a new log holds:
//! `jq -r '"\(.service):\(.operation)"' calls.jsonl | sort -u - tests/operations.txt -o tests/operations.txt`

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use osmt::bootstrap::Target;
use osmt::bootstrap::admin_role::policy as admin_policy;
use osmt::deployment::{Deployment, Lock, StateBackend};
use serde_json::Value;

const ZONE: &str = "Z0123456789ABCDEFGHIJ";

fn target() -> Target {
    let deployment =
        Deployment { account_id: "123456789012".into(), region: "us-west-2".into(), env: "test".into() };
    Target { backend: StateBackend::standard(&deployment), deployment, region_in_names: false }
}

/// One whose names are as long as AWS and the schema allow.
fn longest() -> Target {
    let Target { deployment, backend, .. } = target();
    Target {
        region_in_names: true,
        deployment: Deployment {
            region: "us-gov-west-1".into(),
            env: "abcdefgh-ijklmno".into(),
            ..deployment
        },
        backend: StateBackend { bucket: "b".repeat(63), lock: Lock::Table("t".repeat(255)), ..backend },
    }
}

fn statements(target: &Target) -> Vec<Value> {
    admin_policy::parts()
        .flat_map(|part| {
            let document = admin_policy::document(target, Some(ZONE), part);
            document["Statement"].as_array().unwrap().clone()
        })
        .collect()
}

fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().flat_map(strings).collect(),
        value => value.as_str().into_iter().collect(),
    }
}

/// `*` matches any text, as in IAM.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    text.strip_prefix(head)
        .is_some_and(|text| (0..=text.len()).any(|at| text.get(at..).is_some_and(|text| matches(rest, text))))
}

/// Whether the policies allow an action, on some resource or on this one; conditions are taken to hold.
fn allowed(statements: &[Value], action: &str, resource: Option<&str>) -> bool {
    let applies = |statement: &Value, effect: &str| {
        statement["Effect"] == effect
            && strings(&statement["Action"]).iter().any(|pattern| matches(pattern, action))
            && resource.is_none_or(|resource| {
                strings(&statement["Resource"]).iter().any(|pattern| matches(pattern, resource))
            })
    };
    let denied = resource.is_some() && statements.iter().any(|one| applies(one, "Deny"));
    !denied && statements.iter().any(|one| applies(one, "Allow"))
}

/// IAM's names for an operation that the emulator logged; most are the same.
fn actions(service: &str, operation: &str) -> Vec<String> {
    let service = match service {
        "applicationautoscaling" => "application-autoscaling",
        "efs" => "elasticfilesystem",
        "elb" | "elbv2" => "elasticloadbalancing",
        other => other,
    };
    let name = match (service, operation) {
        // No permission is needed for it.
        ("sts", "GetCallerIdentity") => return Vec::new(),
        ("budgets", read) if read.starts_with("Describe") => "ViewBudget",
        ("budgets", tag) if tag.contains("Resource") => tag,
        ("budgets", _) => "ModifyBudget",
        ("s3", operation) => match operation {
            "HeadBucket" | "ListObjectsV2" | "ListObjects" => "ListBucket",
            "ListObjectVersions" => "ListBucketVersions",
            "HeadObject" => "GetObject",
            "DeleteObjects" => {
                return ["s3:DeleteObject", "s3:DeleteObjectVersion"].map(str::to_owned).into();
            }
            // At the wire a deleted object and an upload given up look alike.
            "AbortMultipartUpload" => {
                return ["s3:AbortMultipartUpload", "s3:DeleteObject"].map(str::to_owned).into();
            }
            "GetBucketEncryption" => "GetEncryptionConfiguration",
            "PutBucketEncryption" | "DeleteBucketEncryption" => "PutEncryptionConfiguration",
            "GetBucketLifecycle" | "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
            "PutBucketLifecycle" | "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => {
                "PutLifecycleConfiguration"
            }
            "GetBucketReplication" => "GetReplicationConfiguration",
            "GetBucketAccelerateConfiguration" => "GetAccelerateConfiguration",
            "GetBucketCors" => "GetBucketCORS",
            "GetObjectLockConfiguration" => "GetBucketObjectLockConfiguration",
            "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
            "PutPublicAccessBlock" | "DeletePublicAccessBlock" => "PutBucketPublicAccessBlock",
            "DeleteBucketOwnershipControls" => "PutBucketOwnershipControls",
            "DeleteBucketTagging" => "PutBucketTagging",
            same => same,
        },
        (_, same) => same,
    };
    vec![format!("{service}:{name}")]
}

#[test]
fn every_call_of_a_life_of_the_stack_is_allowed() {
    let statements = statements(&target());
    let operations = include_str!("operations.txt");
    assert!(operations.lines().count() > 200, "the list is not whole");
    let refused: BTreeSet<String> = operations
        .lines()
        .map(|line| line.split_once(':').unwrap())
        .flat_map(|(service, operation)| actions(service, operation))
        .filter(|action| !allowed(&statements, action, None))
        .collect();
    assert!(refused.is_empty(), "not allowed: {refused:?}");
}

/// What only the administrator who makes the role, its policies and the account's baseline calls.
const ADMINISTRATORS: [&str; 18] = [
    "iam:AddClientIDToOpenIDConnectProvider",
    "iam:CreateOpenIDConnectProvider",
    "iam:DeleteOpenIDConnectProvider",
    "iam:TagOpenIDConnectProvider",
    // Not a call, but what the CI's trust policies let others do.
    "sts:AssumeRoleWithWebIdentity",
    "ec2:EnableEbsEncryptionByDefault",
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:TagPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:UpdateAccountPasswordPolicy",
    "s3:PutAccountPublicAccessBlock",
    "sts:GetCallerIdentity",
    // Not a call, but what the trust policy lets others do.
    "sts:AssumeRole",
    // Before there are credentials.
    "sso:GetRoleCredentials",
];

#[test]
fn every_call_in_the_source_is_allowed_or_an_administrators() {
    let mut called = BTreeSet::new();
    for folder in ["account", "bootstrap", "registry", "release", "secrets", "aws"] {
        calls_in(&support::root().join("src").join(folder), &mut called);
    }
    assert!(called.len() > 40, "the source was not read: {called:?}");
    let statements = statements(&target());
    let refused: Vec<&String> = called
        .iter()
        .filter(|call| {
            let (service, operation) = call.split_once(':').unwrap();
            !ADMINISTRATORS.contains(&call.as_str())
                && !actions(service, operation).iter().all(|action| allowed(&statements, action, None))
        })
        .collect();
    assert!(refused.is_empty(), "not allowed: {refused:?}");
}

/// Collects every `"service:Action"` in the source, but for the policies' own table.
fn calls_in(folder: &Path, called: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("grants") {
                calls_in(&path, called);
            }
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        let literals = product.split('"').filter(|literal| {
            literal.split_once(':').is_some_and(|(service, name)| {
                let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                !["", "aws"].contains(&service)
                    && service.bytes().all(small)
                    && name.starts_with(|first: char| first.is_ascii_uppercase())
                    && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
        });
        called.extend(literals.map(str::to_owned));
    }
}

#[test]
fn the_documents_fit_into_iams_limits_for_the_longest_names() {
    let longest = longest();
    assert!(admin_policy::parts().count() <= admin_policy::ATTACHED_LIMIT - 3, "others attach too");
    for part in admin_policy::parts() {
        let document = admin_policy::document(&longest, Some(&"Z".repeat(32)), part).to_string();
        let size = document.chars().filter(|one| !one.is_whitespace()).count();
        assert!(size <= admin_policy::POLICY_LIMIT, "{part}: {size}");
        assert!(admin_policy::name(&longest, part).len() <= 128);
    }
    let principals =
        (0..10).map(|number| format!("arn:aws-us-gov:iam::123456789012:user/operators/{number:0>40}"));
    let trust = admin_policy::trust(&principals.collect(), true, None).to_string();
    assert!(trust.len() <= admin_policy::TRUST_LIMIT, "{}", trust.len());
}

#[test]
fn the_documents_keep_to_iams_grammar() {
    let mut without_table = target();
    without_table.backend.lock = Lock::File;
    for target in [target(), without_table] {
        let statements = statements(&target);
        let mut sids = BTreeSet::new();
        for statement in &statements {
            let members: Vec<&str> = statement.as_object().unwrap().keys().map(String::as_str).collect();
            let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
            assert!(members.iter().all(|member| known.contains(member)), "{members:?}");
            let sid = statement["Sid"].as_str().unwrap();
            assert!(sids.insert(sid), "{sid} twice");
            assert!(sid.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{sid}");
            assert!(["Allow", "Deny"].contains(&statement["Effect"].as_str().unwrap()));
            let actions = strings(&statement["Action"]);
            assert!(!actions.is_empty());
            let unique: BTreeSet<_> = actions.iter().collect();
            assert_eq!(unique.len(), actions.len(), "{sid} names an action twice");
            for action in actions {
                let (service, name) = action.split_once(':').unwrap();
                assert!(
                    service
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                    "{action}"
                );
                assert!(name.starts_with(|first: char| first.is_ascii_uppercase()), "{action}");
            }
            let resources = strings(&statement["Resource"]);
            assert!(!resources.is_empty());
            for resource in resources {
                assert!(resource == "*" || resource.splitn(6, ':').count() == 6, "{resource}");
            }
            assert!(!statement.to_string().contains("{p}") && !statement.to_string().contains("\"\""));
            for hole in ["{p}", "{r}", "{a}", "{name}", "{env}", "{bucket}", "{table}", "{zone}"] {
                assert!(!statement.to_string().contains(hole), "{statement}");
            }
        }
    }
}

#[test]
fn the_role_ends_at_its_environment_and_never_widens_itself() {
    let statements = statements(&target());
    let on = |action: &str, resource: &str| allowed(&statements, action, Some(resource));
    let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
    let secret = |name: &str| format!("arn:aws:secretsmanager:us-west-2:123456789012:secret:{name}-AbCdEf");
    // One of ours, and the same of another project.
    for (action, ours, others) in [
        ("iam:PutRolePolicy", role("osmt-test-app-task"), role("osmt-prod-app-task")),
        ("iam:PassRole", role("osmt-test-app-task"), role("Administrator")),
        ("secretsmanager:GetSecretValue", secret("osmt/test/rds"), secret("osmt/prod/rds")),
        (
            "s3:PutObject",
            "arn:aws:s3:::osmt-test-123456789012-us-west-2/osmt/test/terraform.tfstate".into(),
            "arn:aws:s3:::payroll/x".into(),
        ),
        (
            "rds:DeleteDBInstance",
            "arn:aws:rds:us-west-2:123456789012:db:osmt-test".into(),
            "arn:aws:rds:us-west-2:123456789012:db:payroll".into(),
        ),
        (
            "route53:ChangeResourceRecordSets",
            format!("arn:aws:route53:::hostedzone/{ZONE}"),
            "arn:aws:route53:::hostedzone/Z9".into(),
        ),
        (
            "ecs:UpdateService",
            "arn:aws:ecs:us-west-2:123456789012:service/osmt-test/osmt-test-app".into(),
            "arn:aws:ecs:us-west-2:123456789012:service/payroll/app".into(),
        ),
    ] {
        assert!(on(action, &ours), "{action} on {ours}");
        assert!(!on(action, &others), "{action} on {others}");
    }
    for action in [
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:DeleteRole",
        "iam:PassRole",
    ] {
        assert!(!on(action, &role("osmt-test-admin")), "{action}");
        assert!(!on(action, &role("osmt-test-2-admin")), "{action}");
    }
    assert!(on("iam:GetRole", &role("osmt-test-admin")));
    assert!(!on("route53:DeleteHostedZone", &format!("arn:aws:route53:::hostedzone/{ZONE}")));
    for never in [
        "iam:CreateUser",
        "iam:CreateAccessKey",
        "iam:CreatePolicyVersion",
        "organizations:LeaveOrganization",
        "sts:AssumeRole",
        "ec2:RunInstances",
        "kms:DisableKey",
    ] {
        assert!(!allowed(&statements, never, None), "{never}");
    }
}

#[test]
fn only_a_user_a_role_or_an_account_can_be_trusted() {
    for good in [
        "arn:aws:iam::123456789012:user/ann",
        "arn:aws:iam::123456789012:user/team/ann",
        "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_1",
        "arn:aws:iam::123456789012:root",
        "arn:aws-us-gov:iam::123456789012:role/ops",
    ] {
        assert_eq!(admin_policy::principal(good).as_deref(), Ok(good));
    }
    for bad in [
        "",
        "*",
        "ann",
        "123456789012",
        "arn:aws:iam::*:root",
        "arn:aws:iam::123456789012:user/*",
        "arn:aws:iam::123456789012:user/",
        "arn:aws:iam::123456789012:group/ops",
        "arn:aws:sts::123456789012:assumed-role/ops/ann",
        "arn:aws:s3:::bucket",
    ] {
        assert!(admin_policy::principal(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_plan_role_reads_what_a_plan_reads_and_changes_nothing() {
    let target = target();
    let document = admin_policy::document(&target, Some(ZONE), admin_policy::READ_ONLY);
    let statements = document["Statement"].as_array().unwrap();
    let all: BTreeSet<&str> = statements.iter().flat_map(|one| strings(&one["Action"])).collect();
    let reads = |action: &&str| {
        let name = action.split_once(':').unwrap().1;
        ["Describe", "Get", "List", "View", "Decrypt", "Scan", "Query"]
            .iter()
            .any(|verb| name.starts_with(verb))
    };
    assert!(all.iter().all(reads), "{all:?}");
    let lacking: BTreeSet<String> = include_str!("operations.txt")
        .lines()
        .map(|line| line.split_once(':').unwrap())
        .filter(|(_, operation)| {
            ["Describe", "Get", "List", "Head"].iter().any(|verb| operation.starts_with(verb))
        })
        .flat_map(|(service, operation)| actions(service, operation))
        .filter(|action| !allowed(statements, action, None))
        .collect();
    assert!(lacking.is_empty(), "{lacking:?}");
    let size = admin_policy::document(&longest(), Some(ZONE), admin_policy::READ_ONLY).to_string().len();
    assert!(size <= admin_policy::POLICY_LIMIT, "{size}");
}
