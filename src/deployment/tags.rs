//! The tags that mark the resources of an environment.

use std::collections::BTreeMap;

const APPLICATION: &str = "Application";
/// Also one of the provider's default tags in `main.tf`.
pub(super) const ENVIRONMENT: &str = "Environment";
const MANAGED_BY: &str = "ManagedBy";

const OSMT: &str = "osmt";

/// The tags of every resource that osmt-bootstrap creates.
pub fn of(env: &str) -> [(&'static str, String); 3] {
    created_by("osmt-bootstrap", env)
}

/// The tags of a resource that another binary creates.
pub fn created_by(binary: &str, env: &str) -> [(&'static str, String); 3] {
    [(APPLICATION, OSMT.to_owned()), (ENVIRONMENT, env.to_owned()), (MANAGED_BY, binary.to_owned())]
}

/// Whether osmt-bootstrap created a resource with these tags for this environment.
pub fn are_complete<'a>(env: &str, tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
    let found: Vec<_> = tags.into_iter().collect();
    of(env).iter().all(|(key, value)| found.contains(&(*key, value.as_str())))
}

/// The environment of a resource that Terraform or one of the binaries created.
pub fn environment<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<&'a str> {
    let found: BTreeMap<_, _> = tags.into_iter().collect();
    found.get(ENVIRONMENT).copied().filter(|_| found.get(APPLICATION) == Some(&OSMT))
}

/// Whether the tags of two resources name the same creator, or neither names one.
pub fn have_same_creator(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> bool {
    one.get(MANAGED_BY) == other.get(MANAGED_BY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 4] =
        [("Application", "osmt"), ("Environment", "test"), ("ManagedBy", "osmt-bootstrap"), ("a", "b")];

    #[test]
    fn all_three_tags_are_needed() {
        assert!(are_complete("test", COMPLETE) && !are_complete("prod", COMPLETE));
        for missing in 0..3 {
            let some =
                COMPLETE.iter().enumerate().filter(|(index, _)| *index != missing).map(|(_, tag)| *tag);
            assert!(!are_complete("test", some), "{missing}");
        }
    }

    #[test]
    fn two_tags_name_the_environment_whichever_tool_created_the_resource() {
        assert_eq!(environment(COMPLETE), Some("test"));
        assert_eq!(environment([("Environment", "test"), ("Application", "osmt")]), Some("test"));
        assert_eq!(environment([("Environment", "test")]), None);
        assert_eq!(environment([("Environment", "test"), ("Application", "shop")]), None);
        assert_eq!(environment([("Application", "osmt")]), None);
        let created = created_by("osmt-release", "prod");
        assert_eq!(environment(created.iter().map(|(key, value)| (*key, value.as_str()))), Some("prod"));
        assert!(!are_complete("prod", created.iter().map(|(key, value)| (*key, value.as_str()))));
    }
}
