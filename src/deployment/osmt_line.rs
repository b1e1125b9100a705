//! What differs between the release lines of OSMT: one table. Pure.
//!
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

impl OsmtLine {
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

    /// Whether it can write to an Elasticsearch of this major version.
    ///
    /// 2.5.2 answers 202 with Elasticsearch 8 and loses the write; 3.0.0 and 4.0.10 work with 7.17 and 8.
    pub const fn writes_to_elasticsearch(self, major: u32) -> bool {
        match self {
            Self::V2 => major == 7,
            Self::V3 | Self::V4 => matches!(major, 7 | 8),
        }
    }

    /// Whether any OpenID provider will do; 2.x starts only with an issuer that ends in `/oauth2/<id>`, as Okta's do.
    pub const fn takes_any_issuer(self) -> bool {
        matches!(self, Self::V3 | Self::V4)
    }

    /// Whether a load balancer with an address in 100.64.0.0/10 is trusted to say that the request came by HTTPS.
    ///
    /// All lines trust 10/8, 172.16/12 and 192.168/16 (Tomcat's internal proxies).
    pub const fn trusts_shared_address_space(self) -> bool {
        matches!(self, Self::V3 | Self::V4)
    }

    /// Whether the image's `reindex` job leaves a search that works. That of 2.5.2 deletes the four indices and makes none:
    /// every search then answers 500, and a restart does not heal it.
    pub const fn reindex_works(self) -> bool {
        matches!(self, Self::V3 | Self::V4)
    }

    /// Whether it signs session tokens with a key that the deployment must give it, `APP_SESSION_TOKEN_SECRET`.
    pub const fn signs_session_tokens(self) -> bool {
        matches!(self, Self::V4)
    }

    /// Whether a user gets the roles of the provider's claim. Every release of 4.x makes each user a viewer.
    pub const fn reads_roles(self) -> bool {
        matches!(self, Self::V2 | Self::V3)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(serde::Deserialize)]
    struct OfTerraform {
        rebuilds_search: bool,
        elasticsearch: Vec<String>,
    }

    #[test]
    fn the_terraform_module_says_the_same_of_each_line() {
        let json = include_str!("../../terraform/module/osmt_lines.json");
        let lines: BTreeMap<String, OfTerraform> = serde_json::from_str(json).expect("of this form");
        assert_eq!(lines.keys().collect::<Vec<_>>(), ["2", "3", "4"]);
        for (major, said) in lines {
            let line = OsmtLine::of(&format!("{major}.0.0")).expect("a line");
            assert_eq!(said.rebuilds_search, line.reindex_works(), "{major}");
            for version in 6..=9_u32 {
                let writes = said.elasticsearch.contains(&version.to_string());
                assert_eq!(writes, line.writes_to_elasticsearch(version), "{major} with {version}");
            }
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
