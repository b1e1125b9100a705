//! The differences between the release lines of OSMT, in one table. Pure.
//!
//! `terraform/module/osmt_lines.json` is the same table for the Terraform module; a test compares the two.
//! 2.x and 3.x are released by github.com/wgu-opensource/osmt, whose last commit is of February 2024; 4.x by
//! github.com/skybridgeskills/osmt. The values were observed by running 2.5.2, 3.0.0 and 4.0.10.

/// A release line of OSMT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OsmtLine {
    /// 2.0.0 to 2.5.2, and 1.x, which is built in the same way.
    V2,
    /// 3.0.0
    V3,
    /// 4.0.0 to 4.0.10
    V4,
}

/// The releases with an image on Docker Hub, `wguopensource/osmt-app`. They are the releases on Maven Central.
pub const PUBLISHED: [&str; 13] = [
    "1.0.5", "1.1.0", "2.0.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0", "2.4.1", "2.4.2", "2.5.0", "2.5.1",
    "2.5.2", "3.0.0",
];

/// The properties of a release line.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize))]
#[expect(clippy::struct_excessive_bools, reason = "a table's columns")]
pub struct Traits {
    /// The Spring profiles of the app.
    pub profiles: &'static str,
    /// The Spring profiles of a task that only migrates the database.
    pub migrate_profiles: &'static str,
    /// Environment variables that only this line needs.
    #[cfg_attr(test, serde(serialize_with = "tests::as_map"))]
    pub environment: &'static [(&'static str, &'static str)],
    /// Whether it needs a key to sign session tokens, `APP_SESSION_TOKEN_SECRET`.
    pub session_token_secret: bool,
    /// The path of the jar in its image.
    pub jar: &'static str,
    /// The lists of job codes in its image.
    pub import_lists: &'static [&'static str],
    /// Whether search works after the `reindex` job. The job of 2.5.2 deletes the four indices and does not create them again:
    /// every search then answers 500, even after a restart.
    pub rebuilds_search: bool,
    /// The path prefix of the API.
    pub api: &'static str,
    /// The path at which the app reports its version.
    pub version_endpoint: Option<&'static str>,
    /// The major versions of Elasticsearch that it can write to. With 8, 2.5.2 answers 202 but the write is lost.
    pub elasticsearch: &'static [&'static str],
    /// The character set of a new database: with utf8mb4 the first migration of 2.x and 3.x fails.
    pub database_character_set: &'static str,
    /// Whether it accepts any OpenID provider. 2.x starts only if the issuer ends in `/oauth2/<id>`, as Okta's do.
    pub any_issuer: bool,
    /// Whether it trusts `X-Forwarded-Proto` from a load balancer in 100.64.0.0/10. All lines trust 10/8, 172.16/12 and 192.168/16
    /// (Tomcat's internal proxies).
    pub trusts_shared_address_space: bool,
    /// Whether users get the roles of the provider's claim. In every release of 4.x each user is a viewer.
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

/// The OSMT release that a config deploys: its `app.version`, otherwise the image's tag if that is a version. The module's
/// `osmt.tf` does the same.
pub fn deployed<'a>(app_version: Option<&'a str>, docker_tag: &'a str) -> Option<&'a str> {
    app_version.or_else(|| version_of_tag(docker_tag))
}

/// The version in a tag such as `3.0.0`, `v3.0.0` or `4.0.10-arm64`; `None` if the tag is not a version.
pub fn version_of_tag(tag: &str) -> Option<&str> {
    let version = tag.strip_prefix('v').unwrap_or(tag);
    let mut numbers = version.split(['-', '+']).next()?.split('.');
    let is_version = numbers.clone().count() > 1
        && numbers.all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    is_version.then_some(version)
}

impl OsmtLine {
    /// All lines, oldest first.
    pub const ALL: [Self; 3] = [Self::V2, Self::V3, Self::V4];

    /// The line of a version such as `3.0.0`; `None` if it is not a version or its line is unknown.
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

    /// Its row in the table.
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
    fn the_terraform_module_has_the_same_table() {
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
    fn the_scripts_of_the_containers_contain_the_files_of_each_line() {
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
    fn versions_in_tags_are_recognised() {
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
