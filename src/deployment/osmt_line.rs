//! What differs between the release lines of OSMT: one table. Pure.
//!
//! `terraform/module/osmt_lines.json` is the same table for the Terraform module; a test holds the two equal.
//! 2.x and 3.x are of github.com/wgu-opensource/osmt, which had its last commit in February 2024; 4.x is of
//! github.com/skybridgeskills/osmt. What is said of 2.5.2, 3.0.0 and 4.0.10 was seen by running them.

/// A release line of OSMT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OsmtLine {
    /// 2.0.0 to 2.5.2; 1.x is of the same build.
    V2,
    /// 3.0.0
    V3,
    /// 4.0.0 to 4.0.10
    V4,
}

/// The releases with an image on Docker Hub, `wguopensource/osmt-app`: those that Maven Central has.
pub const PUBLISHED: [&str; 13] = [
    "1.0.5", "1.1.0", "2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0", "2.4.1", "2.4.2", "2.5.0", "2.5.1",
    "2.5.2", "3.0.0",
];

/// What a line needs and does.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize))]
#[expect(clippy::struct_excessive_bools, reason = "a table's columns")]
pub struct Traits {
    /// Spring's profiles of the app.
    pub profiles: &'static str,
    /// Spring's profiles of a one-off run that migrates.
    pub migrate_profiles: &'static str,
    /// Variables that the app needs beside those of all lines.
    #[cfg_attr(test, serde(serialize_with = "tests::as_map"))]
    pub environment: &'static [(&'static str, &'static str)],
    /// Whether it signs session tokens with a key that the deployment must give it, `APP_SESSION_TOKEN_SECRET`.
    pub session_token_secret: bool,
    /// Where its own image has the jar.
    pub jar: &'static str,
    /// The lists of job codes that its own image has.
    pub import_lists: &'static [&'static str],
    /// Whether the `reindex` job leaves a search that works. That of 2.5.2 deletes the four indices and makes none: every
    /// search then answers 500, and a restart does not correct it.
    pub rebuilds_search: bool,
    /// What the API's addresses begin with.
    pub api: &'static str,
    /// Where the running app names its version.
    pub version_endpoint: Option<&'static str>,
    /// The major versions of Elasticsearch that it can write to. 2.5.2 answers 202 with 8 and loses the write.
    pub elasticsearch: &'static [&'static str],
    /// The character set of a new database: with utf8mb4 the first migration of 2.x and 3.x fails.
    pub database_character_set: &'static str,
    /// Whether any OpenID provider will do; 2.x starts only with an issuer that ends in `/oauth2/<id>`, as Okta's do.
    pub any_issuer: bool,
    /// Whether a load balancer with an address in 100.64.0.0/10 is trusted to say that the request came by HTTPS. All lines
    /// trust 10/8, 172.16/12 and 192.168/16 (Tomcat's internal proxies).
    pub trusts_shared_address_space: bool,
    /// Whether a user gets the roles of the provider's claim. Every release of 4.x makes each user a viewer.
    pub reads_roles: bool,
}

const LISTS: &[&str] = &["BLS-Import.csv", "oNet-Import.csv"];

const V2: Traits = Traits {
    profiles: "apiserver,oauth2-okta",
    migrate_profiles: "review,import",
    environment: &[],
    session_token_secret: false,
    jar: "/opt/osmt/bin/osmt.jar",
    import_lists: LISTS,
    rebuilds_search: false,
    api: "/api",
    version_endpoint: None,
    elasticsearch: &["7"],
    database_character_set: "utf8mb3",
    any_issuer: false,
    trusts_shared_address_space: false,
    reads_roles: true,
};

const V3: Traits = Traits {
    rebuilds_search: true,
    api: "/api/v3",
    elasticsearch: &["7", "8"],
    any_issuer: true,
    trusts_shared_address_space: true,
    ..V2
};

const V4: Traits = Traits {
    profiles: "apiserver,oauth2",
    migrate_profiles: "migrate",
    environment: &[("SPRING_SECURITY_OAUTH2_CLIENT_REGISTRATION_OKTA_SCOPE", "openid,profile,email")],
    session_token_secret: true,
    jar: "/opt/osmt/bin/app.jar",
    import_lists: &[],
    version_endpoint: Some("/version"),
    database_character_set: "utf8mb4",
    reads_roles: false,
    ..V3
};

/// The OSMT release that a config deploys: its `app.version`, otherwise the image's tag where that is a version. Every rule
/// and every tool asks here; the module's `osmt.tf` has the same two steps.
pub fn deployed<'a>(app_version: Option<&'a str>, docker_tag: &'a str) -> Option<&'a str> {
    app_version.or_else(|| version_of_tag(docker_tag))
}

/// The version that a tag is: `3.0.0`, `v3.0.0`, `4.0.10-arm64`.
pub fn version_of_tag(tag: &str) -> Option<&str> {
    let version = tag.strip_prefix('v').unwrap_or(tag);
    let mut numbers = version.split(['-', '+']).next()?.split('.');
    let is_version = numbers.clone().count() > 1
        && numbers.all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    is_version.then_some(version)
}

impl OsmtLine {
    /// All of them, oldest first.
    pub const ALL: [Self; 3] = [Self::V2, Self::V3, Self::V4];

    /// The line of a version such as `3.0.0`; `None` for what is not a version, or is of a line not known here.
    pub fn of(version: &str) -> Option<Self> {
        let (major, minor) = version.split_once('.')?;
        minor.starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
        match major {
            "1" | "2" => Some(Self::V2),
            "3" => Some(Self::V3),
            "4" => Some(Self::V4),
            _ => None,
        }
    }

    /// `2.x`
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2 => "2.x",
            Self::V3 => "3.x",
            Self::V4 => "4.x",
        }
    }

    /// Its row of the table.
    pub const fn traits(self) -> &'static Traits {
        match self {
            Self::V2 => &V2,
            Self::V3 => &V3,
            Self::V4 => &V4,
        }
    }

    /// Whether it can write to an Elasticsearch of this major version.
    pub fn writes_to_elasticsearch(self, major: u32) -> bool {
        self.traits().elasticsearch.iter().any(|known| *known == major.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Serialize as _, Serializer};
    use serde_json::Value;

    use super::*;

    pub(super) fn as_map<S: Serializer>(pairs: &[(&str, &str)], serializer: S) -> Result<S::Ok, S::Error> {
        pairs.iter().copied().collect::<BTreeMap<_, _>>().serialize(serializer)
    }

    #[test]
    fn the_terraform_module_says_the_same_of_each_line() {
        let json = include_str!("../../terraform/module/osmt_lines.json");
        let module: BTreeMap<String, Value> = serde_json::from_str(json).expect("JSON");
        let own: BTreeMap<String, Value> = OsmtLine::ALL
            .into_iter()
            .map(|line| {
                let major = line.name().trim_end_matches(".x").to_owned();
                (major, serde_json::to_value(line.traits()).expect("a table"))
            })
            .collect();
        assert_eq!(module, own);
    }

    #[test]
    fn the_containers_scripts_know_the_files_of_each_line() {
        let wait = include_str!("../../terraform/module/containers/wait.sh");
        let maintenance = include_str!("../../terraform/module/containers/maintenance.sh");
        for line in OsmtLine::ALL {
            assert!(wait.contains(line.traits().jar), "{}", line.name());
            for list in line.traits().import_lists {
                assert!(maintenance.contains(list), "{list}");
            }
        }
    }

    #[test]
    fn a_tag_is_a_version_or_it_is_not() {
        for (tag, version) in [
            ("3.0.0", Some("3.0.0")),
            ("v4.0.10", Some("4.0.10")),
            ("4.0.10-arm64", Some("4.0.10-arm64")),
            ("2026.11.2", Some("2026.11.2")),
            ("3", None),
            ("202be96d", None),
            ("3.x", None),
            ("release-3.0.0", None),
            ("sha256:0123", None),
            ("", None),
        ] {
            assert_eq!(version_of_tag(tag), version, "{tag}");
            assert_eq!(deployed(Some("3.0.0"), tag), Some("3.0.0"));
        }
    }

    #[test]
    fn versions_belong_to_lines() {
        for (version, line) in [
            ("1.0.5", Some(OsmtLine::V2)),
            ("2.5.2", Some(OsmtLine::V2)),
            ("3.0.0", Some(OsmtLine::V3)),
            ("4.0.10", Some(OsmtLine::V4)),
            ("4.1.0-rc1", Some(OsmtLine::V4)),
            ("5.0.0", None),
            ("latest", None),
            ("3", None),
            ("661def32", None),
            ("", None),
        ] {
            assert_eq!(OsmtLine::of(version), line, "{version}");
        }
        assert!(PUBLISHED.iter().all(|version| OsmtLine::of(version).is_some()));
    }
}
