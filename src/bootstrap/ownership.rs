//! What belongs to this deployment: resources that osmt-bootstrap created, and its own keys in resources that it adopted. Pure.
//!
//! A bucket or a table that existed before without our tags is adopted: it keeps the tags that others set, and gets the tag
//! [`ADOPTED`], so that `destroy` does not delete it.

use std::collections::BTreeMap;

use super::{Error, Target};
use crate::deployment;

/// The tag of an adopted bucket or table; its value is the environment.
pub const ADOPTED: &str = "osmt:adopted";

/// The folder in which Terraform keeps the states of workspaces other than `default` ("S3 Backend", `workspace_key_prefix`).
pub(super) const WORKSPACES: &str = "env:/";

impl Target {
    /// Whether a resource has the deployment's tags, or was adopted.
    pub fn owns(&self, tags: &BTreeMap<String, String>) -> bool {
        self.is_adopted(tags)
            || deployment::tags::are_complete(
                &self.deployment.env,
                tags.iter().map(|(key, value)| (key.as_str(), value.as_str())),
            )
    }

    /// Whether this environment adopted a resource.
    pub fn is_adopted(&self, tags: &BTreeMap<String, String>) -> bool {
        tags.get(ADOPTED) == Some(&self.deployment.env)
    }

    /// The tags to set on a bucket or a table that has these tags. `default_name` is whether it has the name that is used by default.
    ///
    /// With the default name and no tags at all it was created by a run that was interrupted before it could set them.
    pub(super) fn wanted_tags(
        &self,
        present: &BTreeMap<String, String>,
        default_name: bool,
    ) -> BTreeMap<String, String> {
        let mut wanted = self.deployment.tags();
        let made_here = deployment::tags::have_same_creator(present, &wanted);
        let interrupted = default_name && present.is_empty();
        if !(made_here || interrupted) || self.is_adopted(present) {
            wanted.retain(|key, _| !present.contains_key(key));
            for key in self.deployment.tags().into_keys() {
                if let Some(kept) = present.get(&key) {
                    wanted.insert(key, kept.clone());
                }
            }
            wanted.insert(ADOPTED.to_owned(), self.deployment.env.clone());
        }
        wanted
    }

    /// Whether an object key is that of this deployment's state or lock file, in any workspace.
    pub(super) fn owns_key(&self, key: &str) -> bool {
        let key = key.strip_suffix(".tflock").unwrap_or(key);
        let of_workspace = |key: &str| {
            let rest = key.strip_prefix(WORKSPACES).and_then(|rest| rest.split_once('/'));
            rest.is_some_and(|(_, rest)| rest == self.backend.key)
        };
        key == self.backend.key || of_workspace(key)
    }

    /// Whether an item of a lock table is this deployment's lock or digest, in any workspace.
    pub(super) fn owns_item(&self, id: &str) -> bool {
        let id = id.strip_suffix("-md5").unwrap_or(id);
        let key = id.strip_prefix(&self.backend.bucket).and_then(|rest| rest.strip_prefix('/'));
        key.is_some_and(|key| !key.ends_with(".tflock") && self.owns_key(key))
    }
}

/// Refuses a resource that has the tags of another environment: two environments must not share a bucket, a table or a role.
pub(super) fn refuse_other_environment(
    target: &Target,
    thing: &str,
    tags: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let tagged =
        deployment::tags::environment(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    match tags.get(ADOPTED).map(String::as_str).or(tagged) {
        Some(other) if other != target.deployment.env => Err(Error::OtherEnvironment {
            thing: thing.to_owned(),
            other: other.to_owned(),
            env: target.deployment.env.clone(),
        }),
        _ => Ok(()),
    }
}

/// Tags as text for the plan: `Application=osmt, Environment=test`.
pub(super) fn tags_text(tags: &BTreeMap<String, String>) -> String {
    tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

/// The present values of the wanted tags, as text for the plan.
pub(super) fn present_tags(
    wanted: &BTreeMap<String, String>,
    present: &BTreeMap<String, String>,
) -> Option<String> {
    let present: BTreeMap<_, _> = present
        .iter()
        .filter(|(key, _)| wanted.contains_key(*key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    (!present.is_empty()).then(|| tags_text(&present))
}

/// Names of objects or items that do not belong to this deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Sorted.
    pub names: Vec<String>,
    /// Whether the listing was cut, so that there may be more.
    pub more: bool,
}

impl Others {
    /// Whether there are no others.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.more
    }

    /// `3 other objects (a, b, c)`
    pub(super) fn text(&self, one: &str) -> String {
        const SHOWN: usize = 5;
        let count = self.names.len();
        let mut shown = self.names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        if count > SHOWN || self.more {
            shown.push_str(", …");
        }
        let many = if count == 1 && !self.more { one.to_owned() } else { format!("{one}s") };
        let least = if self.more { "at least " } else { "" };
        format!("{least}{count} other {many} ({shown})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::tests::target;

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_what_existed_before_is_adopted() {
        let target = target();
        let ours = target.deployment.tags();
        assert_eq!(target.wanted_tags(&ours, false), ours);
        assert_eq!(target.wanted_tags(&tags(&[]), true), ours);
        // Someone removed some of our tags: osmt-bootstrap still created it.
        assert_eq!(target.wanted_tags(&tags(&[("ManagedBy", "osmt-bootstrap")]), false), ours);
        for present in [&[][..], &[("Application", "legacy"), ("CostCenter", "42")]] {
            let wanted = target.wanted_tags(&tags(present), false);
            assert_eq!(wanted[ADOPTED], "test");
            assert!(present.iter().all(|(key, value)| wanted.get(*key).is_none_or(|kept| kept == value)));
            let mut after = tags(present);
            after.extend(wanted.clone());
            assert!(target.owns(&after) && target.is_adopted(&after));
            // A second run changes nothing.
            let again = target.wanted_tags(&after, false);
            assert!(again.iter().all(|(key, value)| after.get(key) == Some(value)));
        }
    }

    #[test]
    fn the_state_of_each_workspace_and_nothing_else_is_owned() {
        let target = target();
        let key = "osmt/test/terraform.tfstate";
        for own in
            [key, &format!("{key}.tflock"), &format!("env:/blue/{key}"), &format!("env:/blue/{key}.tflock")]
        {
            assert!(target.owns_key(own), "{own}");
        }
        for other in [
            "osmt/test/terraform.tfstate.backup",
            "osmt/prod/terraform.tfstate",
            "a/osmt/test/terraform.tfstate",
            "env:/osmt/test/terraform.tfstate",
        ] {
            assert!(!target.owns_key(other), "{other}");
        }
        let bucket = &target.backend.bucket;
        assert!(target.owns_item(&format!("{bucket}/{key}")));
        assert!(target.owns_item(&format!("{bucket}/{key}-md5")));
        assert!(target.owns_item(&format!("{bucket}/env:/blue/{key}-md5")));
        assert!(!target.owns_item(&format!("other/{key}")));
        assert!(!target.owns_item(&format!("{bucket}2/{key}")));
    }
}
