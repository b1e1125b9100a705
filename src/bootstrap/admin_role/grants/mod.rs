//! What an operator may do, as one table: service, actions, on what, under which conditions.
//!
//! The source of truth for the admin role's policies. Where a service knows names, a grant ends at this environment's
//! names; where it knows only tags, at this environment's tags; what can do neither stays in the region.
//! Facts about actions and their resources: AWS's "Service Authorization Reference".
//!
//! In a template `{p}` is the partition, `{r}` the region, `{a}` the account, `{name}` `osmt-<env>`, `{env}` the
//! environment, `{zone}` the config's hosted zone, `{bucket}` and `{table}` the state's.

mod compute;
mod data;
mod keys;
mod network;
mod state;
mod watch;

/// Some actions of one service.
pub(super) struct Grant {
    /// The statement's id.
    pub(super) sid: &'static str,
    /// Whether it forbids instead.
    pub(super) deny: bool,
    /// `ec2`
    pub(super) service: &'static str,
    /// Names without the service, separated by spaces.
    pub(super) actions: &'static str,
    /// ARN templates.
    pub(super) on: &'static [&'static str],
    /// Operator, key, values.
    pub(super) when: &'static [Condition],
}

/// Operator, key, values.
pub(super) type Condition = (&'static str, &'static str, &'static [&'static str]);

const fn allow(
    sid: &'static str,
    service: &'static str,
    actions: &'static str,
    on: &'static [&'static str],
    when: &'static [Condition],
) -> Grant {
    Grant { sid, deny: false, service, actions, on, when }
}

const ANY: &[&str] = &["*"];
const ALWAYS: &[Condition] = &[];
const IN_REGION: &[Condition] = &[("StringEquals", "aws:RequestedRegion", &["{r}"])];
/// It carries our tags.
const OURS: &[Condition] = &[
    ("StringEquals", "aws:ResourceTag/Application", &["osmt"]),
    ("StringEquals", "aws:ResourceTag/Environment", &["{env}"]),
];
/// It is given our tags by this very call.
const TAGGED: &[Condition] = &[
    ("StringEquals", "aws:RequestTag/Application", &["osmt"]),
    ("StringEquals", "aws:RequestTag/Environment", &["{env}"]),
];

/// One policy a part: `osmt-<env>-admin-<part>`.
pub(super) const PARTS: [(&str, &[Grant]); 6] = [
    ("state", state::GRANTS),
    ("network", network::GRANTS),
    ("compute", compute::GRANTS),
    ("data", data::GRANTS),
    ("keys", keys::GRANTS),
    ("watch", watch::GRANTS),
];
