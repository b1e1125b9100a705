//! One row of the table, and values that many rows use.

/// Some actions of one service.
pub(in crate::bootstrap::admin_role) struct Grant {
    /// The `Sid` of the statement.
    pub(in crate::bootstrap::admin_role) sid: &'static str,
    /// Whether the statement denies.
    pub(in crate::bootstrap::admin_role) deny: bool,
    /// `ec2`
    pub(in crate::bootstrap::admin_role) service: &'static str,
    /// Action names without the service, separated by spaces.
    pub(in crate::bootstrap::admin_role) actions: &'static str,
    /// ARN templates.
    pub(in crate::bootstrap::admin_role) on: &'static [&'static str],
    pub(in crate::bootstrap::admin_role) when: &'static [Condition],
}

/// Operator, key, values.
pub(in crate::bootstrap::admin_role) type Condition = (&'static str, &'static str, &'static [&'static str]);

pub(super) const fn allow(
    sid: &'static str,
    service: &'static str,
    actions: &'static str,
    on: &'static [&'static str],
    when: &'static [Condition],
) -> Grant {
    Grant { sid, deny: false, service, actions, on, when }
}

pub(super) const ANY: &[&str] = &["*"];
pub(super) const ALWAYS: &[Condition] = &[];
pub(super) const IN_REGION: &[Condition] = &[("StringEquals", "aws:RequestedRegion", &["{r}"])];
/// The resource has our tags.
pub(super) const OURS: &[Condition] = &[
    ("StringEquals", "aws:ResourceTag/Application", &["osmt"]),
    ("StringEquals", "aws:ResourceTag/Environment", &["{env}"]),
];
/// The same call sets our tags.
pub(super) const TAGGED: &[Condition] = &[
    ("StringEquals", "aws:RequestTag/Application", &["osmt"]),
    ("StringEquals", "aws:RequestTag/Environment", &["{env}"]),
];
