//! Assigns AWS's error codes to reasons.
//!
//! From "Common Errors" of the services' API references, "Error responses" of Amazon S3 and "Error codes for the Amazon EC2 API".

use super::messages::{self, Vague};
use super::why::Why;

/// The error codes of each reason.
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

/// The reason for an error code, or for an HTTP status without a code.
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
    let by_words = |vague| messages::why(vague, message.unwrap_or_default());
    match row {
        Some((Why::Denied, _)) => by_words(Vague::Denied).unwrap_or(Why::Denied),
        Some((why, _)) => *why,
        None if code.starts_with("NoSuch") || code.contains("NotFound") => Why::NotFound,
        None if code == "InvalidRequestException" => match by_words(Vague::InvalidRequest) {
            Some(why) => why,
            None if operation == "secretsmanager:CreateSecret" => Why::NotFreeYet,
            None => Why::Other,
        },
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
