//! What an operator may do, as one table: service, actions, on what, under which conditions.
//!
//! The source of truth for the admin role's policies. Where a service knows names, a grant ends at this environment's
//! names; where it knows only tags, at this environment's tags; what can do neither stays in the region.
//! Facts about actions and their resources: AWS's "Service Authorization Reference".
//!
//! In a template `{p}` is the partition, `{r}` the region, `{a}` the account, `{name}` `osmt-<env>`, `{roles}` what names of roles begin with, `{env}` the
//! environment, `{zone}` the config's hosted zone, `{bucket}` and `{table}` the state's.

mod compute;
mod data;
mod grant;
mod keys;
mod network;
mod state;
mod watch;

pub(super) use self::grant::Grant;

/// One policy a part: `osmt-<env>-admin-<part>`.
pub(super) const PARTS: [(&str, &[Grant]); 6] = [
    ("state", state::GRANTS),
    ("network", network::GRANTS),
    ("compute", compute::GRANTS),
    ("data", data::GRANTS),
    ("keys", keys::GRANTS),
    ("watch", watch::GRANTS),
];
