//! Which error code of AWS means what.
//!
//! From "Common Errors" of the services' API references, "Error responses" of Amazon S3 and "Error codes for the Amazon EC2 API".

/// Why a call failed, as far as the remedy differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There are no credentials.
    NoCredentials,
    /// Credentials are configured, and could not be loaded.
    CredentialsFailed,
    /// AWS does not know these credentials.
    BadCredentials,
    /// AWS knew these credentials; they have expired.
    Expired,
    /// The clock of this computer is wrong.
    ClockSkew,
    /// The profile names a role that may not be assumed.
    NoRole,
    /// IAM Identity Center does not give the user the profile's role in its account.
    NoAssignment,
    /// No policy allows the call.
    Denied,
    /// A policy denies the call: no grant helps.
    DeniedExplicitly,
    /// A policy that limits the caller (boundary, service control policy, session policy, VPC endpoint) does not allow the
    /// call: no grant helps.
    DeniedByLimit,
    /// The KMS key that encrypts the thing may not be used.
    DeniedByKey,
    /// The account or the Region is not enabled for the service.
    NotEnabled,
    /// The request went to another Region than the thing's.
    WrongRegion,
    /// No connection, or no answer in time.
    Unreachable,
    /// A connection, and a certificate that is not trusted.
    NotTrusted,
    /// An answer that does not come from AWS: a captive portal, a web filter.
    NotAws,
    /// AWS asks to slow down, and went on asking.
    Throttled,
    /// A quota of the account is used up.
    Quota,
    /// The KMS key is disabled, pending deletion, or does not exist.
    KeyUnusable,
    /// AWS does not accept the policy document.
    Malformed,
    /// The name belongs to something that is still being deleted or changed.
    NotFreeYet,
    /// The name belongs to another account.
    Taken,
    /// AWS has a fault.
    Unavailable,
    /// The thing does not exist.
    NotFound,
    /// Anything else; the code says what.
    Other,
}

/// The table: the codes of one reason in a row.
const TABLE: &[(Why, &[&str])] = &[
    (
        Why::ClockSkew,
        &[
            "RequestTimeTooSkewed",
            "RequestInTheFuture",
            "RequestNotYetValid",
            "RequestTimeTooSkewedException",
        ],
    ),
    (
        Why::Expired,
        &[
            "ExpiredToken",
            "ExpiredTokenException",
            "TokenRefreshRequired",
            "RequestExpired",
            "ExpiredTokenFault",
        ],
    ),
    (
        Why::BadCredentials,
        &[
            "InvalidToken",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "SignatureDoesNotMatch",
            "InvalidAccessKeyId",
            "InvalidSignatureException",
            "IncompleteSignature",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "AuthFailure",
            "InvalidSecurity",
        ],
    ),
    (
        Why::NotEnabled,
        &[
            "OptInRequired",
            "NotSignedUp",
            "SubscriptionRequiredException",
            "AllAccessDisabled",
            "AccountProblem",
            "PendingVerification",
            "RegionDisabledException",
            "InvalidRegion",
        ],
    ),
    (
        Why::WrongRegion,
        &[
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
            "PermanentRedirect",
            "TemporaryRedirect",
            "IncorrectEndpoint",
        ],
    ),
    (
        Why::Throttled,
        &[
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "TooManyRequestsException",
            "TooManyRequests",
            "SlowDown",
            "RequestLimitExceeded",
            "BandwidthLimitExceeded",
            "ProvisionedThroughputExceededException",
            "PriorRequestNotComplete",
            "EC2ThrottledException",
        ],
    ),
    (
        Why::Quota,
        &[
            "TooManyBuckets",
            "LimitExceeded",
            "LimitExceededException",
            "ServiceQuotaExceededException",
            "ResourceLimitExceeded",
            "MaximumNumberOfTrailsExceededException",
            "TooManyHostedZones",
            "PolicyLengthExceeded",
        ],
    ),
    (
        Why::KeyUnusable,
        &[
            "KMS.NotFoundException",
            "KMS.DisabledException",
            "KMS.KMSInvalidStateException",
            "KMS.InvalidStateException",
            "KMS.KeyUnavailableException",
            "KMSNotFoundException",
            "KMSDisabledException",
            "KMSInvalidStateException",
            "KMSKeyNotAccessibleException",
            "KmsKeyNotFoundException",
            "DecryptionFailure",
            "DecryptionFailureException",
            "EncryptionFailure",
            "EncryptionFailureException",
            "KeyUnavailableException",
        ],
    ),
    (Why::DeniedByKey, &["KMS.AccessDeniedException", "KMSAccessDeniedException"]),
    (
        Why::Malformed,
        &[
            "MalformedPolicy",
            "MalformedPolicyDocument",
            "MalformedPolicyDocumentException",
            "InvalidPolicyDocument",
            "PackedPolicyTooLarge",
        ],
    ),
    (Why::NotFreeYet, &["OperationAborted", "ResourceInUseException", "DeleteConflict", "ConflictException"]),
    (Why::Taken, &["BucketAlreadyExists"]),
    (
        Why::Unavailable,
        &[
            "InternalError",
            "InternalFailure",
            "InternalServerError",
            "InternalServerException",
            "InternalServiceError",
            "InternalServiceErrorException",
            "ServiceUnavailable",
            "ServiceUnavailableException",
            "Unavailable",
        ],
    ),
    (
        Why::Denied,
        &[
            "AccessDenied",
            "AccessDeniedException",
            "AccessDeniedFault",
            "UnauthorizedOperation",
            "AuthorizationError",
            "AuthorizationErrorException",
            "NotAuthorized",
            "Forbidden",
        ],
    ),
];

/// Why a call failed, by its code; without one by the HTTP status.
pub(super) fn why(operation: &str, code: Option<&str>, message: Option<&str>, status: u16) -> Why {
    let Some(code) = code.filter(|code| !code.is_empty()) else {
        return match status {
            404 => Why::NotFound,
            429 => Why::Throttled,
            500..600 => Why::Unavailable,
            _ => Why::Other,
        };
    };
    let row = TABLE.iter().find(|(_, codes)| codes.contains(&code));
    match row {
        Some((Why::Denied, _)) => denied(message.unwrap_or_default()),
        Some((why, _)) => *why,
        None if code.starts_with("NoSuch") || code.contains("NotFound") => Why::NotFound,
        // Secrets Manager has one code for each state that a secret, or the key that encrypts it, can be in.
        None if code == "InvalidRequestException" && message.is_some_and(|said| said.contains("KMS key")) => {
            Why::KeyUnusable
        }
        None if code == "InvalidRequestException" && operation == "secretsmanager:CreateSecret" => {
            Why::NotFreeYet
        }
        None => Why::Other,
    }
}

/// Whether an answer refuses because there were too many requests, whatever its protocol: the code is an element's text or
/// the end of a JSON string.
pub(super) fn is_throttled(status: u16, body: &str) -> bool {
    let codes = TABLE.iter().filter(|(why, _)| *why == Why::Throttled).flat_map(|(_, codes)| *codes);
    let mut codes = codes.map(|code| [format!(">{code}<"), format!("{code}\"")]);
    status == 429
        || (status >= 400 && codes.any(|forms| forms.iter().any(|form| body.contains(form.as_str()))))
}

/// The kinds of policy that can refuse a call.
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

/// How AWS's messages call them ("Troubleshoot access denied error messages", IAM User Guide; "sessions policy" is in it).
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
    /// What it is, in a sentence.
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

    /// What it is, where it denies.
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

    /// Who can change it. No grant to the caller helps.
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

/// Which class a refusal is of. A form that is not known is a missing grant.
fn denied(message: &str) -> Why {
    use Policy::{Boundary, ResourceControl, ServiceControl, Session, VpcEndpoint};
    match refusal(message) {
        Some((_, true)) => Why::DeniedExplicitly,
        Some((ServiceControl | ResourceControl | VpcEndpoint | Boundary | Session, false)) => {
            Why::DeniedByLimit
        }
        // Older forms do not name the policy.
        None if message.contains("with an explicit deny") => Why::DeniedExplicitly,
        _ if message.contains("perform: kms:") || message.contains("Access to KMS is not allowed") => {
            Why::DeniedByKey
        }
        _ => Why::Denied,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_has_one_meaning() {
        let mut seen = BTreeSet::new();
        for (reason, codes) in TABLE {
            for code in *codes {
                assert!(seen.insert(code), "{code} is in two rows");
                assert_eq!(why("s3:PutObject", Some(code), None, 400), *reason, "{code}");
            }
        }
    }

    #[test]
    fn a_refusal_is_distinguished_by_the_documented_message() {
        let of = |message| why("s3:GetObject", Some("AccessDenied"), Some(message), 403);
        assert_eq!(
            of(
                "User: arn:aws:iam::1:user/a is not authorized to perform: s3:GetObject because no identity-based policy allows the s3:GetObject action"
            ),
            Why::Denied
        );
        assert_eq!(
            of(
                "User: arn:aws:iam::1:user/a is not authorized to perform: s3:GetObject with an explicit deny in a service control policy"
            ),
            Why::DeniedExplicitly
        );
        assert_eq!(
            of(
                "User: arn:aws:iam::1:user/a is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext"
            ),
            Why::DeniedByKey
        );
        assert_eq!(of(""), Why::Denied);
    }

    #[test]
    fn throttling_is_seen_in_every_protocol() {
        assert!(is_throttled(503, "<Error><Code>SlowDown</Code></Error>"));
        assert!(is_throttled(400, r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#));
        assert!(!is_throttled(400, r#"{"__type":"ResourceNotFoundException"}"#));
        assert!(!is_throttled(200, "<Code>SlowDown</Code>"));
    }

    #[test]
    fn without_a_code_the_status_decides() {
        let of = |status| why("s3:GetObject", None, None, status);
        assert_eq!(
            [of(404), of(429), of(503), of(400)],
            [Why::NotFound, Why::Throttled, Why::Unavailable, Why::Other]
        );
    }
}
