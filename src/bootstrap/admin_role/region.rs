//! Whether the roles and policies of an environment are those of a deployment in another region. Pure.
//!
//! IAM is global, and the names hold the environment but not the region: an account that has the environment in two regions
//! would have one role for both, and each deployment would take the other's permissions away.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::iam::Policy;
use crate::bootstrap::{Error, Target};

/// Refuses policies that are for another region.
pub(in crate::bootstrap) fn of_this_region(
    target: &Target,
    policies: &BTreeMap<String, Policy>,
) -> Result<(), Error> {
    match other_region(target, policies) {
        Some(other) => Err(Error::OtherRegion {
            env: target.deployment.env.clone(),
            other,
            region: target.deployment.region.clone(),
        }),
        None => Ok(()),
    }
}

/// The region that the policies are for, if it is another one.
pub(in crate::bootstrap) fn other_region(
    target: &Target,
    policies: &BTreeMap<String, Policy>,
) -> Option<String> {
    let regions: BTreeSet<&str> = policies.values().flat_map(|policy| regions(&policy.document)).collect();
    let is_ours = regions.is_empty() || regions.contains(target.deployment.region.as_str());
    regions.into_iter().next().filter(|_| !is_ours).map(str::to_owned)
}

/// The regions in the ARNs of a document.
fn regions(document: &str) -> impl Iterator<Item = &str> {
    let arns = document.split("\"arn:").skip(1);
    arns.filter_map(|rest| rest.split(':').nth(2)).filter(|region| !region.is_empty() && *region != "*")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bootstrap::admin_role::policy;
    use crate::bootstrap::tests::target;

    fn policies(region: &str) -> BTreeMap<String, Policy> {
        let mut of = target();
        region.clone_into(&mut of.deployment.region);
        let one = |part: &'static str| {
            let document = policy::document(&of, None, part).to_string();
            (part.to_owned(), Policy { document, ..Policy::default() })
        };
        policy::parts().chain([policy::READ_ONLY]).map(one).collect()
    }

    #[test]
    fn the_policies_of_another_region_are_recognised() {
        let target = target();
        assert_eq!(other_region(&target, &policies(&target.deployment.region)), None);
        assert_eq!(other_region(&target, &policies("eu-central-1")).as_deref(), Some("eu-central-1"));
        assert!(of_this_region(&target, &policies("eu-central-1")).is_err());
        // Nothing that names a region: a run that was interrupted, or a policy that was emptied by hand.
        assert_eq!(other_region(&target, &BTreeMap::new()), None);
        let empty = Policy { document: json!({"Statement": []}).to_string(), ..Policy::default() };
        assert_eq!(other_region(&target, &BTreeMap::from([("state".to_owned(), empty)])), None);
    }
}
