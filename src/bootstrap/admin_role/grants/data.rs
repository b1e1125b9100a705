//! Database and its backups, cache, file system of the search index, secrets.

use super::grant::{ALWAYS, ANY, Grant, IN_REGION, OURS, TAGGED, allow};

pub(super) const GRANTS: &[Grant] = &[
    allow("DatabaseRead", "rds", "Describe*", ANY, IN_REGION),
    allow(
        "Database",
        "rds",
        "AddTagsToResource CreateDBInstance CreateDBParameterGroup CreateDBSnapshot CreateDBSubnetGroup DeleteDBInstance \
         DeleteDBParameterGroup DeleteDBSubnetGroup ListTagsForResource ModifyDBInstance ModifyDBParameterGroup \
         ModifyDBSubnetGroup RebootDBInstance RemoveTagsFromResource ResetDBParameterGroup \
         RestoreDBInstanceFromDBSnapshot RestoreDBInstanceToPointInTime",
        &[
            "arn:{p}:rds:{r}:{a}:db:{name}",
            "arn:{p}:rds:{r}:{a}:subgrp:{name}",
            "arn:{p}:rds:{r}:{a}:pg:{name}-*",
            "arn:{p}:rds:{r}:{a}:og:default*",
            "arn:{p}:rds:{r}:{a}:snapshot:{name}-*",
        ],
        ALWAYS,
    ),
    // The source of a restore may have any name: an automatic snapshot, a copy, another database, a retained backup.
    allow(
        "DatabaseRestore",
        "rds",
        "RestoreDBInstanceFromDBSnapshot RestoreDBInstanceToPointInTime",
        &["arn:{p}:rds:{r}:{a}:snapshot:*", "arn:{p}:rds:{r}:{a}:db:*", "arn:{p}:rds:{r}:{a}:auto-backup:*"],
        ALWAYS,
    ),
    allow("BackupPlanNew", "backup", "CreateBackupPlan TagResource", ANY, TAGGED),
    allow(
        "BackupPlan",
        "backup",
        "CreateBackupSelection DeleteBackupPlan DeleteBackupSelection GetBackupPlan GetBackupSelection ListTags \
         TagResource UntagResource UpdateBackupPlan",
        &["arn:{p}:backup:{r}:{a}:backup-plan:*"],
        OURS,
    ),
    allow("CacheRead", "elasticache", "Describe*", ANY, IN_REGION),
    allow(
        "Cache",
        "elasticache",
        "AddTagsToResource CreateCacheSubnetGroup CreateReplicationGroup DecreaseReplicaCount DeleteCacheSubnetGroup \
         DeleteReplicationGroup IncreaseReplicaCount ListTagsForResource ModifyCacheCluster ModifyCacheSubnetGroup \
         ModifyReplicationGroup RemoveTagsFromResource",
        &[
            "arn:{p}:elasticache:{r}:{a}:replicationgroup:{name}",
            "arn:{p}:elasticache:{r}:{a}:cluster:{name}-*",
            "arn:{p}:elasticache:{r}:{a}:subnetgroup:{name}",
            "arn:{p}:elasticache:{r}:{a}:snapshot:{name}-*",
            "arn:{p}:elasticache:{r}:{a}:parametergroup:*",
        ],
        ALWAYS,
    ),
    allow("FilesRead", "elasticfilesystem", "Describe* ListTagsForResource", ANY, IN_REGION),
    allow("FilesNew", "elasticfilesystem", "CreateAccessPoint CreateFileSystem TagResource", ANY, TAGGED),
    allow(
        "Files",
        "elasticfilesystem",
        "CreateAccessPoint CreateMountTarget DeleteAccessPoint DeleteFileSystem DeleteFileSystemPolicy DeleteMountTarget \
         PutBackupPolicy PutFileSystemPolicy PutLifecycleConfiguration TagResource UntagResource \
         UpdateFileSystem UpdateFileSystemProtection",
        ANY,
        OURS,
    ),
    allow(
        "Secrets",
        "secretsmanager",
        "CreateSecret DeleteSecret DescribeSecret GetResourcePolicy GetSecretValue ListSecretVersionIds PutSecretValue \
         RestoreSecret TagResource UntagResource UpdateSecret UpdateSecretVersionStage",
        &["arn:{p}:secretsmanager:{r}:{a}:secret:osmt/{env}/*"],
        ALWAYS,
    ),
];
