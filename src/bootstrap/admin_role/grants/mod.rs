//! The permissions of an operator, as one table: service, actions, resources, conditions.
//!
//! The admin role's policies are generated from it. If a service supports resource names, a grant is limited to this environment's
//! names; if it supports tags only, to this environment's tags; otherwise to the region.
//! Which action supports what: "Service Authorization Reference".
//!
//! In a template `{p}` is the partition, `{r}` the region, `{a}` the account, `{name}` `osmt-<env>`, `{roles}` the prefix of role
//! names, `{env}` the environment, `{zone}` the config's hosted zone, `{bucket}` the state bucket and `{table}` the lock table.

mod compute;
mod data;
mod grant;
mod keys;
mod network;
mod state;
mod watch;

pub(super) use self::grant::Grant;

/// The parts; each is one managed policy, `osmt-<env>-admin-<part>`.
pub(super) const PARTS: [(&str, &[Grant]); 6] = [
    ("state", state::GRANTS),
    ("network", network::GRANTS),
    ("compute", compute::GRANTS),
    ("data", data::GRANTS),
    ("keys", keys::GRANTS),
    ("watch", watch::GRANTS),
];
