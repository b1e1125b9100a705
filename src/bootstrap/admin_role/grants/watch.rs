//! Logs, alarms, events, budget; and read access to the account's monitoring.

use super::grant::{ALWAYS, ANY, Grant, IN_REGION, allow};

pub(super) const GRANTS: &[Grant] = &[
    allow(
        "LogsRead",
        "logs",
        "CreateLogDelivery DeleteLogDelivery DeleteResourcePolicy DescribeLogGroups DescribeResourcePolicies \
         PutResourcePolicy",
        ANY,
        IN_REGION,
    ),
    allow(
        "Logs",
        "logs",
        "AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteMetricFilter DeleteRetentionPolicy DescribeLogStreams \
         DescribeMetricFilters DisassociateKmsKey FilterLogEvents GetLogEvents ListTagsForResource PutMetricFilter \
         PutRetentionPolicy TagResource UntagResource",
        &[
            "arn:{p}:logs:{r}:{a}:log-group:/osmt/{env}/*",
            "arn:{p}:logs:{r}:{a}:log-group:aws-waf-logs-{name}*",
            "arn:{p}:logs:{r}:{a}:log-group:/aws/rds/instance/{name}/*",
            "arn:{p}:logs:{r}:{a}:log-group:/aws/ecs/containerinsights/{name}/*",
        ],
        ALWAYS,
    ),
    // `osmt-doctor check --live` compares the quotas with what the config needs.
    allow("QuotasRead", "servicequotas", "GetAWSDefaultServiceQuota GetServiceQuota", ANY, IN_REGION),
    allow("AlarmsRead", "cloudwatch", "DescribeAlarms", ANY, IN_REGION),
    allow(
        "Alarms",
        "cloudwatch",
        "DeleteAlarms ListTagsForResource PutMetricAlarm TagResource UntagResource",
        &[
            "arn:{p}:cloudwatch:{r}:{a}:alarm:{name}-*",
            "arn:{p}:cloudwatch:{r}:{a}:alarm:TargetTracking-service/{name}/*",
        ],
        ALWAYS,
    ),
    allow(
        "Dashboard",
        "cloudwatch",
        "DeleteDashboards GetDashboard ListTagsForResource PutDashboard",
        &["arn:{p}:cloudwatch::{a}:dashboard/{name}"],
        ALWAYS,
    ),
    allow(
        "Events",
        "events",
        "DeleteRule DescribeRule ListTagsForResource ListTargetsByRule PutRule PutTargets RemoveTargets TagResource \
         UntagResource",
        &["arn:{p}:events:{r}:{a}:rule/{name}-*"],
        ALWAYS,
    ),
    allow(
        "Topic",
        "sns",
        "CreateTopic DeleteTopic GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource SetTopicAttributes \
         Subscribe TagResource UntagResource",
        &["arn:{p}:sns:{r}:{a}:{name}-*"],
        ALWAYS,
    ),
    allow(
        "Subscriptions",
        "sns",
        "GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe",
        ANY,
        IN_REGION,
    ),
    allow(
        "Budget",
        "budgets",
        "ListTagsForResource ModifyBudget TagResource UntagResource ViewBudget",
        &["arn:{p}:budgets::{a}:budget/{name}", "arn:{p}:budgets::{a}:budget/{name}-{r}"],
        ALWAYS,
    ),
    allow("TrailsRead", "cloudtrail", "DescribeTrails GetTrailStatus", ANY, ALWAYS),
    allow("AnalyzersRead", "access-analyzer", "ListAnalyzers", ANY, IN_REGION),
    allow("PublicAccessRead", "s3", "GetAccountPublicAccessBlock", ANY, ALWAYS),
];
