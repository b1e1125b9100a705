//! What identifies a deployment: its names, its tags, its state backend, and `main.tf`, which carries them. Pure.

pub mod environment;
pub mod main_tf;
pub mod osmt_line;

/// The redirect address that the identity provider must know: where OSMT takes up a sign-in.
pub fn sign_in_redirect(domain: &str) -> String {
    // OSMT's client registration at Spring Security is called `okta`, whoever the provider is.
    format!("https://{domain}/login/oauth2/code/okta")
}

/// The tags of everything that the binaries make: who it belongs to, and what made it.
pub fn tags(env: &str) -> [(&'static str, String); 3] {
    [
        ("Application", "osmt".to_owned()),
        ("Environment", env.to_owned()),
        ("ManagedBy", "osmt-bootstrap".to_owned()),
    ]
}

/// Whether something carries all tags of this environment's things.
pub fn is_tagged<'a>(env: &str, tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
    let found: Vec<_> = tags.into_iter().collect();
    self::tags(env).iter().all(|(key, value)| found.contains(&(*key, value.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_tags_are_needed() {
        let whole =
            [("Application", "osmt"), ("Environment", "test"), ("ManagedBy", "osmt-bootstrap"), ("a", "b")];
        assert!(is_tagged("test", whole) && !is_tagged("prod", whole));
        for missing in 0..3 {
            let some = whole.iter().enumerate().filter(|(index, _)| *index != missing).map(|(_, tag)| *tag);
            assert!(!is_tagged("test", some), "{missing}");
        }
    }
}
