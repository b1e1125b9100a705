//! Why a call failed.

/// Why a call failed. Reasons with the same remedy are one variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There are no credentials.
    NoCredentials,
    /// Credentials are configured but could not be loaded.
    CredentialsFailed,
    /// AWS does not know these credentials.
    BadCredentials,
    /// The credentials have expired.
    Expired,
    /// The clock of this computer is wrong.
    ClockSkew,
    /// The profile names a role that may not be assumed.
    NoRole,
    /// IAM Identity Center does not give the user the profile's role in its account.
    NoAssignment,
    /// No policy allows the call.
    Denied,
    /// A policy denies the call; more permissions do not help.
    DeniedExplicitly,
    /// A policy that limits the caller (boundary, service control policy, session policy, VPC endpoint) does not allow the
    /// call: no grant helps.
    DeniedByLimit,
    /// The caller may not use the KMS key that encrypts the resource.
    DeniedByKey,
    /// The account or the Region is not enabled for the service.
    NotEnabled,
    /// The request was sent to another Region than the resource's.
    WrongRegion,
    /// No connection, or no answer in time.
    Unreachable,
    /// The host's certificate is not trusted.
    NotTrusted,
    /// The response is not from AWS: a captive portal, a web filter.
    NotAws,
    /// AWS throttled every attempt.
    Throttled,
    /// A quota of the account is reached.
    Quota,
    /// The KMS key is disabled, pending deletion, or does not exist.
    KeyUnusable,
    /// AWS does not accept the policy document.
    Malformed,
    /// A resource with this name is still being deleted or changed.
    NotFreeYet,
    /// Another account uses the name.
    Taken,
    /// An error in AWS.
    Unavailable,
    /// The resource does not exist.
    NotFound,
    /// Any other reason; see the code.
    Other,
}
