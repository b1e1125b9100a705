//! Terraform's state and lock, and the bucket of the load balancer's logs, whose name has the same prefix.

use super::grant::{ALWAYS, Grant, allow};

pub(super) const GRANTS: &[Grant] = &[
    allow(
        "Buckets",
        "s3",
        "CreateBucket DeleteBucket DeleteBucketPolicy GetAccelerateConfiguration GetBucket* GetEncryptionConfiguration \
         GetLifecycleConfiguration GetReplicationConfiguration ListBucket* ListTagsForResource PutBucketAcl \
         PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging PutBucketVersioning \
         PutEncryptionConfiguration PutLifecycleConfiguration TagResource UntagResource",
        &["arn:{p}:s3:::{bucket}", "arn:{p}:s3:::{name}-{a}-{r}*"],
        ALWAYS,
    ),
    allow(
        "Objects",
        "s3",
        "AbortMultipartUpload DeleteObject DeleteObjectVersion GetObject GetObjectLegalHold GetObjectRetention GetObjectTagging GetObjectVersion \
         ListMultipartUploadParts PutObject PutObjectTagging",
        &["arn:{p}:s3:::{bucket}/*", "arn:{p}:s3:::{name}-{a}-{r}*/*"],
        ALWAYS,
    ),
    allow(
        "Locks",
        "dynamodb",
        "CreateTable DeleteItem DeleteTable DescribeContinuousBackups DescribeTable GetItem ListTagsOfResource PutItem \
         Query Scan TagResource UntagResource UpdateContinuousBackups UpdateTable",
        &["arn:{p}:dynamodb:{r}:{a}:table/{table}"],
        ALWAYS,
    ),
];
