//! What AWS says in the words of a message alone: one error code covers several reasons. The only place that reads a message.
//!
//! A message without any of these words keeps the usual meaning of its code.

use super::why::Why;

/// Codes that cover several reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vague {
    /// `AccessDenied` and its like.
    Denied,
    /// `InvalidRequestException` of Secrets Manager: one code for each state that a secret, or the key that encrypts it, can
    /// be in.
    InvalidRequest,
}

/// The words from which the reason of a code is known; the first row that matches is used.
const WORDS: [(Vague, &str, Why); 4] = [
    // The general form of all refusals ("Troubleshoot access denied error messages", IAM User Guide); of those that name the
    // policy see `POLICIES`.
    (Vague::Denied, "with an explicit deny", Why::DeniedExplicitly),
    // The same page: the action that was refused, here that of KMS within a call to another service.
    (Vague::Denied, "perform: kms:", Why::DeniedByKey),
    // Secrets Manager (github.com/aws/aws-cdk/issues/7677).
    (Vague::Denied, "Access to KMS is not allowed", Why::DeniedByKey),
    // Secrets Manager, where the key is disabled or pending deletion. Not seen on AWS.
    (Vague::InvalidRequest, "KMS key", Why::KeyUnusable),
];

/// The reason that the message of a vague code names.
pub(super) fn why(vague: Vague, message: &str) -> Option<Why> {
    use Policy::{Boundary, ResourceControl, ServiceControl, Session, VpcEndpoint};
    match refusal(message).filter(|_| vague == Vague::Denied) {
        Some((_, true)) => return Some(Why::DeniedExplicitly),
        Some((ServiceControl | ResourceControl | VpcEndpoint | Boundary | Session, false)) => {
            return Some(Why::DeniedByLimit);
        }
        Some((Policy::Identity | Policy::Resource | Policy::Trust, false)) | None => {}
    }
    let row = WORDS.iter().find(|(of, words, _)| *of == vague && message.contains(words));
    row.map(|(_, _, why)| *why)
}

/// The kinds of policy that can deny a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// Of the organisation, on its accounts.
    ServiceControl,
    /// Of the organisation, on the resources of its accounts.
    ResourceControl,
    /// Of a VPC endpoint that the request went through.
    VpcEndpoint,
    /// Of the caller's user or role.
    Boundary,
    /// Of the session, given when the role was assumed.
    Session,
    /// Attached to the caller.
    Identity,
    /// Of the resource itself, such as a bucket policy.
    Resource,
    /// Of the role that was to be assumed.
    Trust,
}

/// Their names in AWS's messages ("Troubleshoot access denied error messages", IAM User Guide, which has "sessions policy").
const POLICIES: [(Policy, &str); 9] = [
    (Policy::ServiceControl, "service control policy"),
    (Policy::ResourceControl, "resource control policy"),
    (Policy::VpcEndpoint, "VPC endpoint policy"),
    (Policy::Boundary, "permissions boundary"),
    (Policy::Session, "session policy"),
    (Policy::Session, "sessions policy"),
    (Policy::Identity, "identity-based policy"),
    (Policy::Resource, "resource-based policy"),
    (Policy::Trust, "role trust policy"),
];

impl Policy {
    /// Its name, for a message.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ServiceControl => "a service control policy of the organisation",
            Self::ResourceControl => "a resource control policy of the organisation",
            Self::VpcEndpoint => "the policy of a VPC endpoint",
            Self::Boundary => "the permissions boundary of the caller",
            Self::Session => "the session policy of the caller's credentials",
            Self::Identity => "a policy of the caller",
            Self::Resource => "the policy of the resource",
            Self::Trust => "the role's trust policy",
        }
    }

    /// Its name, for a message about an explicit deny.
    pub(super) fn denies(self) -> &'static str {
        match self {
            Self::ServiceControl => "a service control policy that denies it explicitly",
            Self::ResourceControl => "a resource control policy that denies it explicitly",
            Self::VpcEndpoint => "a VPC endpoint policy that denies it explicitly",
            Self::Boundary => "a permissions boundary that denies it explicitly",
            Self::Session => "a session policy that denies it explicitly",
            Self::Identity => "a policy of the caller that denies it explicitly",
            Self::Resource => "the resource's own policy, which denies it explicitly",
            Self::Trust => "the role's trust policy, which denies it explicitly",
        }
    }

    /// Who can change it. More permissions for the caller do not help.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Self::ServiceControl => {
                "a grant does not help: ask who administers the organisation (AWS Organizations) to change the service control policy (SCP)"
            }
            Self::ResourceControl => {
                "a grant does not help: ask who administers the organisation that owns the resource (AWS Organizations) to change the resource control policy (RCP)"
            }
            Self::VpcEndpoint => {
                "a grant does not help: the request went through a VPC endpoint of your network; ask who runs the VPC to change the endpoint's policy, or run it from another network"
            }
            Self::Boundary => {
                "a grant does not help: ask the account's administrator to change the permissions boundary of your user or role"
            }
            Self::Session => {
                "a grant to the role does not help: these credentials were issued with a session policy; get new ones without it (AssumeRole without `Policy` and `PolicyArns`), or ask who issues them"
            }
            Self::Identity => {
                "a grant does not help: ask the account's administrator to remove the deny from the policies of your user, group, role or permission set"
            }
            Self::Resource => {
                "a grant does not help: ask the resource's owner to change its policy (bucket policy, key policy, policy of the secret or table)"
            }
            Self::Trust => "ask the owner of the role to let you assume it in its trust policy",
        }
    }
}

/// A policy that refused, and whether by an explicit deny. One code covers all; the forms of the message are documented.
fn refusal(message: &str) -> Option<(Policy, bool)> {
    let named =
        |rest: &str| POLICIES.iter().find(|(_, words)| rest.starts_with(words)).map(|(policy, _)| *policy);
    if let Some((_, rest)) = message.split_once("with an explicit deny in ") {
        let article = ["a ", "an ", "the "].iter().find_map(|article| rest.strip_prefix(article));
        return Some((named(article.unwrap_or(rest))?, true));
    }
    let (_, rest) = message.split_once("because no ")?;
    Some((named(rest)?, false))
}

/// The kind of the policy that refused, where the message names it.
pub(super) fn policy(message: &str) -> Option<Policy> {
    refusal(message).map(|(policy, _)| policy)
}
