//! IAM roles, KMS keys, certificates. The admin role itself cannot be changed.

use super::grant::{ALWAYS, ANY, Grant, IN_REGION, OURS, TAGGED, allow};

const OWN_ROLE: &[&str] = &["arn:{p}:iam::{a}:role/{roles}-admin", "arn:{p}:iam::{a}:role/{roles}-ci"];
/// Also those of other regions, and of environments whose names begin with this one's.
const ADMIN_ROLES: &[&str] = &[
    "arn:{p}:iam::{a}:role/{name}-admin",
    "arn:{p}:iam::{a}:role/{name}-*-admin",
    "arn:{p}:iam::{a}:role/{name}-ci",
    "arn:{p}:iam::{a}:role/{name}-ci-plan",
    "arn:{p}:iam::{a}:role/{name}-*-ci",
    "arn:{p}:iam::{a}:role/{name}-*-ci-plan",
];

pub(super) const GRANTS: &[Grant] = &[
    allow(
        "Roles",
        "iam",
        "CreateRole DeleteRole DeleteRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies \
         ListInstanceProfilesForRole ListRolePolicies ListRoleTags PutRolePolicy TagRole UntagRole \
         UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
        &["arn:{p}:iam::{a}:role/{roles}-*"],
        ALWAYS,
    ),
    allow(
        "PoliciesOfServices",
        "iam",
        "AttachRolePolicy DetachRolePolicy",
        &["arn:{p}:iam::{a}:role/{roles}-*"],
        &[(
            "ArnEquals",
            "iam:PolicyARN",
            &[
                "arn:{p}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
                "arn:{p}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
            ],
        )],
    ),
    allow(
        "HandRolesToServices",
        "iam",
        "PassRole",
        &["arn:{p}:iam::{a}:role/{roles}-*"],
        &[(
            "StringEquals",
            "iam:PassedToService",
            &[
                "backup.amazonaws.com",
                "ecs-tasks.amazonaws.com",
                "monitoring.rds.amazonaws.com",
                "vpc-flow-logs.amazonaws.com",
            ],
        )],
    ),
    allow(
        "RolesOfServices",
        "iam",
        "CreateServiceLinkedRole",
        &["arn:{p}:iam::{a}:role/aws-service-role/*"],
        &[(
            "StringEquals",
            "iam:AWSServiceName",
            &[
                "ecs.amazonaws.com",
                "ecs.application-autoscaling.amazonaws.com",
                "elasticache.amazonaws.com",
                "elasticfilesystem.amazonaws.com",
                "elasticloadbalancing.amazonaws.com",
                "rds.amazonaws.com",
                "wafv2.amazonaws.com",
            ],
        )],
    ),
    // An operator cannot extend the permissions of the own role.
    Grant {
        deny: true,
        ..allow(
            "NotItself",
            "iam",
            "Attach* Create* Delete* Detach* PassRole Put* Tag* Untag* Update*",
            ADMIN_ROLES,
            ALWAYS,
        )
    },
    allow("Itself", "iam", "SimulatePrincipalPolicy", OWN_ROLE, ALWAYS),
    allow(
        "OwnPolicies",
        "iam",
        "GetPolicy GetPolicyVersion ListPolicyVersions",
        &["arn:{p}:iam::{a}:policy/{roles}-admin-*", "arn:{p}:iam::{a}:policy/{roles}-ci-plan"],
        ALWAYS,
    ),
    allow(
        "AccountRead",
        "iam",
        "GetAccountPasswordPolicy GetAccountSummary GetOpenIDConnectProvider ListPolicies ListRoles",
        ANY,
        ALWAYS,
    ),
    allow("KeyNew", "kms", "CreateKey TagResource", ANY, TAGGED),
    allow("KeysRead", "kms", "ListAliases", ANY, ALWAYS),
    allow(
        "Key",
        "kms",
        "CancelKeyDeletion CreateAlias CreateGrant Decrypt DeleteAlias DescribeKey DisableKeyRotation EnableKeyRotation \
         Encrypt GenerateDataKey* GetKeyPolicy GetKeyRotationStatus ListResourceTags PutKeyPolicy ReEncrypt* \
         ScheduleKeyDeletion TagResource UntagResource UpdateAlias UpdateKeyDescription",
        &["arn:{p}:kms:{r}:{a}:key/*"],
        OURS,
    ),
    // A key of the organisation for the database (operations.database_kms_key_arn), through RDS only.
    allow(
        "DatabaseKey",
        "kms",
        "CreateGrant DescribeKey",
        &["arn:{p}:kms:{r}:*:key/*"],
        &[("StringEquals", "kms:ViaService", &["rds.{r}.amazonaws.com"])],
    ),
    allow(
        "KeyName",
        "kms",
        "CreateAlias DeleteAlias UpdateAlias",
        &["arn:{p}:kms:{r}:{a}:alias/{name}"],
        ALWAYS,
    ),
    allow(
        "Certificates",
        "acm",
        "AddTagsToCertificate ListTagsForCertificate RequestCertificate",
        ANY,
        IN_REGION,
    ),
    // In all regions: one validation record is used by the certificates of every region.
    allow("CertificatesRead", "acm", "DescribeCertificate ListCertificates", ANY, ALWAYS),
    allow("Certificate", "acm", "DeleteCertificate", ANY, OURS),
];
