//! What happens to a resource, in one word, and what that means for the users of the deployment.

use super::{Action, Change};

/// What happens to a resource, the most harmful first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It is deleted.
    Destroyed,
    /// It is deleted and created again.
    Replaced,
    /// This version does not know the action.
    Unclear,
    /// It stays in AWS and Terraform no longer manages it.
    Forgotten,
    /// It is changed in place.
    Changed,
    /// It is new.
    Created,
}

impl Mark {
    /// The mark of a change; `None` if nothing changes.
    pub fn of(change: &Change) -> Option<Self> {
        match change.action {
            Action::Nothing | Action::Read => None,
            Action::Create => Some(Self::Created),
            Action::Update => Some(Self::Changed),
            Action::Replace | Action::ReplaceAndForget => Some(Self::Replaced),
            Action::Delete => Some(Self::Destroyed),
            Action::Forget => Some(Self::Forgotten),
            Action::Unknown => Some(Self::Unclear),
        }
    }

    /// A sign that can be read without colour, and the word.
    pub const fn word(self) -> (&'static str, &'static str) {
        match self {
            Self::Destroyed => ("−", "destroyed"),
            Self::Replaced => ("±", "replaced"),
            Self::Unclear => ("?", "unclear"),
            Self::Forgotten => ("○", "forgotten"),
            Self::Changed => ("~", "changed"),
            Self::Created => ("+", "created"),
        }
    }

    /// What the change means for users; `None` if the resource type says enough.
    ///
    /// The statements about AWS are those of the rules of the same subject (`docs/rules/PLAN*.md`).
    pub fn consequence(self, change: &Change) -> Option<&'static str> {
        if change.deposed.is_some() {
            return Some("This object is left over from an earlier replacement; the resource itself stays.");
        }
        match self {
            Self::Destroyed => destroyed(&change.kind),
            Self::Replaced => replaced(&change.kind),
            Self::Unclear => {
                Some("This version of osmt-doctor does not know the action; read the plan itself.")
            }
            Self::Forgotten => Some("It stays in AWS, and costs money, but Terraform no longer manages it."),
            Self::Changed => changed(&change.kind, &change.block()),
            Self::Created => None,
        }
    }
}

fn destroyed(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "aws_db_instance" => "All skills and collections are deleted; only a snapshot brings them back.",
        "aws_efs_file_system" => "The search index is deleted; it can be built again from the database.",
        "aws_elasticache_replication_group" => "Users are signed out, and the app cannot start without it.",
        "aws_lb" | "aws_lb_listener" | "aws_lb_target_group" => "Users cannot reach the app.",
        "aws_ecs_service" | "aws_ecs_cluster" => "Its tasks are stopped.",
        "aws_route53_record" | "aws_route53_zone" => "The domain name no longer resolves to the app.",
        "aws_kms_key" => "Data encrypted with it cannot be read after AWS has deleted the key.",
        "aws_secretsmanager_secret" => "Tasks that start afterwards do not get its value.",
        "aws_cloudwatch_log_group" | "aws_s3_bucket" => "Its content is deleted with it.",
        "aws_cloudwatch_metric_alarm" => "No one is notified by it any more.",
        "aws_nat_gateway" => "Tasks in private subnets cannot reach the Internet.",
        "aws_vpc" => "The network is deleted with everything in it.",
        _ => return None,
    })
}

fn replaced(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "aws_db_instance" => "The database is deleted and an empty one is created in its place.",
        "aws_efs_file_system" => "The search index is lost and has to be built again.",
        "aws_elasticache_replication_group" => {
            "Users are signed out; the app is interrupted until the new one runs."
        }
        "aws_lb" => "Users cannot reach the app until the new load balancer and its DNS record exist.",
        "aws_ecs_service" => "The tasks are stopped before the new service starts its own.",
        "aws_ecs_task_definition" => "A new revision; the service starts new tasks from it.",
        "aws_kms_key" => "Data encrypted with the old key cannot be read after AWS has deleted it.",
        "aws_secretsmanager_secret" => "The new secret is empty until osmt-secrets push fills it.",
        "aws_cloudwatch_log_group" | "aws_s3_bucket" => "Its content is lost.",
        "aws_nat_gateway" => {
            "Tasks in private subnets have no Internet access meanwhile, and their public address changes."
        }
        "aws_vpc" | "aws_subnet" => "Everything in it has to be replaced too.",
        _ => return None,
    })
}

fn changed(kind: &str, block: &str) -> Option<&'static str> {
    Some(match kind {
        "aws_db_instance" => "Some settings restart the database or wait for its maintenance window.",
        "aws_elasticache_replication_group" => {
            "Some settings interrupt the cache while its nodes are changed."
        }
        "aws_ecs_service" if block.rsplit('.').next() == Some("app") => {
            "New tasks start before the old ones stop."
        }
        "aws_ecs_service" => "Its task stops before the new one starts: the search is interrupted.",
        "aws_security_group"
        | "aws_vpc_security_group_ingress_rule"
        | "aws_vpc_security_group_egress_rule" => "The allowed network connections change.",
        "aws_iam_role" | "aws_iam_role_policy" | "aws_iam_policy" => "The permissions of the role change.",
        _ => return None,
    })
}
