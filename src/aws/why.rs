//! Why a call failed.

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
