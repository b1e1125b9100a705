//! The names of a deployment's roles and policies. IAM is global, and the short names contain the environment but not the region:
//! if an account has the environment in two regions, the names of the second deployment contain its region.

use std::collections::{BTreeMap, BTreeSet};

use super::{name, policies_among, policy};
use crate::account::iam::{Policy, Role, elsewhere};
use crate::account::observe;
use crate::account::policy_document::PolicyDocument;
use crate::aws::{CallError, Session};
use crate::bootstrap::ownership::refuse_other_environment;
use crate::bootstrap::{Error, Target};

/// Sets `region_in_names` of the target: the names that the roles and policies have, or will get.
pub(in crate::bootstrap) async fn with_role_names(
    session: &Session,
    target: &Target,
) -> Result<Target, CallError> {
    let with = |region_in_names| Target { region_in_names, ..target.clone() };
    let (short, long) = (with(false), with(true));
    let existing = observe::iam::policies(session).await?;
    let (of_short, of_long) = tokio::join!(
        Box::pin(policies_among(session, &short, &existing)),
        Box::pin(policies_among(session, &long, &existing)),
    );
    Ok(with(region_in_names(target, &of_short?, &of_long?)))
}

/// Whether the names contain the region: such policies exist, or a deployment in another region has the short names.
fn region_in_names(
    target: &Target,
    short: &BTreeMap<String, Policy>,
    long: &BTreeMap<String, Policy>,
) -> bool {
    long.values().any(|policy| target.owns(&policy.tags)) || other_region(target, short).is_some()
}

/// A note for a deployment whose role names contain the region.
pub fn remark(target: &Target) -> Option<String> {
    target.region_in_names.then(|| {
        format!(
            "the names of this deployment's roles and policies contain its region ({}), because the account has environment {} in another region, too; set `region_in_names = true` in operations.tf for the roles that Terraform creates",
            name(target),
            target.deployment.env
        )
    })
}

/// Refuses roles and policies of another region or another environment.
pub(in crate::bootstrap) fn refuse_others(
    target: &Target,
    policies: &BTreeMap<String, Policy>,
    roles: &[(String, &Role)],
) -> Result<(), Error> {
    for (name, role) in roles {
        refuse_other_environment(target, &format!("IAM role {name}"), &role.tags)?;
    }
    for part in policy::parts().chain([policy::READ_ONLY]) {
        if let Some(present) = policies.get(part) {
            refuse_other_environment(
                target,
                &format!("IAM policy {}", policy::name(target, part)),
                &present.tags,
            )?;
        }
    }
    // Another run may have created them since the names were chosen.
    match other_region(target, policies) {
        Some(other) => Err(Error::OtherRegion {
            env: target.deployment.env.clone(),
            other,
            region: target.deployment.region.clone(),
        }),
        None => Ok(()),
    }
}

/// The region in the policies, if it is not the target's.
pub(in crate::bootstrap) fn other_region(
    target: &Target,
    policies: &BTreeMap<String, Policy>,
) -> Option<String> {
    let documents = policies.values().filter_map(|policy| PolicyDocument::parse(&policy.document).ok());
    let regions: BTreeSet<String> = documents.flat_map(|document| document.regions()).collect();
    elsewhere(&regions, &target.deployment.region).map(str::to_owned)
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
            (part.to_owned(), Policy { document, tags: of.deployment.tags(), ..Policy::default() })
        };
        policy::parts().chain([policy::READ_ONLY]).map(one).collect()
    }

    #[test]
    fn the_policies_of_another_region_are_recognised() {
        let target = target();
        assert_eq!(other_region(&target, &policies(&target.deployment.region)), None);
        assert_eq!(other_region(&target, &policies("eu-central-1")).as_deref(), Some("eu-central-1"));
        assert!(refuse_others(&target, &policies("eu-central-1"), &[]).is_err());
        // No region in the policies: a run was interrupted, or the policy was emptied by hand.
        assert_eq!(other_region(&target, &BTreeMap::new()), None);
        let empty = Policy { document: json!({"Statement": []}).to_string(), ..Policy::default() };
        assert_eq!(other_region(&target, &BTreeMap::from([("state".to_owned(), empty)])), None);
    }

    #[test]
    fn no_access_to_buckets_of_another_region() {
        let target = target();
        let prefix = format!("arn:aws:s3:::{}-{}-", target.deployment.prefix(), target.deployment.account_id);
        let own = format!("{prefix}{}", target.deployment.region);
        for part in policy::parts().chain([policy::READ_ONLY]) {
            let document = policy::document(&target, None, part).to_string();
            assert_eq!(document.matches(&prefix).count(), document.matches(&own).count(), "{document}");
        }
        assert!(policy::document(&target, None, "state").to_string().contains(&format!("{own}*/*")));
    }

    #[test]
    fn a_second_region_gets_names_with_the_region_and_keeps_them() {
        let (target, none) = (target(), BTreeMap::new());
        let own = policies(&target.deployment.region);
        let other = policies("eu-central-1");
        for (short, long, expected) in [
            (&none, &none, false),
            (&own, &none, false),
            (&other, &none, true),
            (&other, &own, true),
            // The first deployment was deleted; the names are kept.
            (&none, &own, true),
        ] {
            assert_eq!(region_in_names(&target, short, long), expected);
        }
        // The policies of environment `test-us-west-2`.
        let mut foreign = own.clone();
        for policy in foreign.values_mut() {
            policy.tags.insert("Environment".into(), "test-us-west-2".into());
        }
        assert!(!region_in_names(&target, &none, &foreign));
        assert!(refuse_others(&target, &foreign, &[]).is_err());
        let long = Target { region_in_names: true, ..target };
        assert_eq!(policy::name(&long, "state"), "osmt-test-us-west-2-admin-state");
        assert_eq!(remark(&long).map(|text| text.contains("osmt-test-us-west-2-admin")), Some(true));
    }
}
