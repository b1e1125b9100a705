//! Where an image is, read as Docker reads it. Pure.

use crate::arn::{Partition, is_account_id};

/// Docker Hub, as an image's address names it.
pub const DOCKER_HUB: &str = "docker.io";
/// The image that OSMT's maintainers publish on Docker Hub, one tag a released version.
pub const OSMT: &str = "wguopensource/osmt-app";

/// An image in its registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The registry, as the address names it: `docker.io`, `123456789012.dkr.ecr.us-west-2.amazonaws.com`.
    pub registry: String,
    /// The repository there: `wguopensource/osmt-app`.
    pub repository: String,
    /// A tag or a digest.
    pub version: String,
}

/// A private registry of Amazon ECR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ecr {
    /// 12 digits.
    pub account_id: String,
    /// `us-west-2`
    pub region: String,
}

/// Host and path of an image's address. The first part is a host where it has a dot or a port, or is `localhost`.
pub fn host_and_path(image: &str) -> (Option<&str>, &str) {
    match image.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), path),
        _ => (None, image),
    }
}

impl Reference {
    /// Reads the config's `docker_image` and `docker_tag`. An address without a host is Docker Hub's, and a name there without
    /// a slash is one of Docker's own.
    pub fn new(docker_image: &str, docker_tag: &str) -> Self {
        let (host, path) = host_and_path(docker_image);
        let registry = host.filter(|host| *host != "index.docker.io").unwrap_or(DOCKER_HUB);
        let is_own = registry == DOCKER_HUB && !path.contains('/');
        Self {
            registry: registry.to_owned(),
            repository: if is_own { format!("library/{path}") } else { path.to_owned() },
            version: docker_tag.to_owned(),
        }
    }

    /// Whether it is the image that OSMT's maintainers publish.
    pub fn is_published_osmt(&self) -> bool {
        self.registry == DOCKER_HUB && self.repository == OSMT
    }

    /// The registry of Amazon ECR that it is in: of this account, of another one, or of a pull-through cache.
    pub fn ecr(&self) -> Option<Ecr> {
        let registry = self.registry.to_ascii_lowercase();
        let host = registry.split(':').next()?;
        let (account_id, rest) = host.split_once(".dkr.ecr")?;
        let (region, domain) =
            rest.strip_prefix("-fips").unwrap_or(rest).strip_prefix('.')?.split_once('.')?;
        let is_ecr = is_account_id(account_id) && Partition::of(region).domain == domain;
        is_ecr.then(|| Ecr { account_id: account_id.to_owned(), region: region.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_docker_reads_it() {
        for (image, registry, repository) in [
            ("wguopensource/osmt-app", "docker.io", "wguopensource/osmt-app"),
            ("docker.io/redis", "docker.io", "library/redis"),
            ("index.docker.io/a/b", "docker.io", "a/b"),
            ("redis", "docker.io", "library/redis"),
            ("localhost/a", "localhost", "a"),
            ("127.0.0.1:5000/a/b", "127.0.0.1:5000", "a/b"),
            ("quay.io:8443/a/b/c", "quay.io:8443", "a/b/c"),
        ] {
            let reference = Reference::new(image, "1");
            assert_eq!((reference.registry.as_str(), reference.repository.as_str()), (registry, repository));
        }
    }

    #[test]
    fn the_published_image_has_three_names() {
        for image in ["", "docker.io/", "index.docker.io/"] {
            assert!(Reference::new(&format!("{image}{OSMT}"), "3.0.0").is_published_osmt(), "{image}");
        }
        assert!(!Reference::new(&format!("quay.io/{OSMT}"), "3.0.0").is_published_osmt());
    }

    #[test]
    fn a_registry_of_ecr_names_its_account_and_region() {
        let region = |registry: &str| {
            let reference = Reference::new(&format!("{registry}/osmt"), "1");
            reference.ecr().map(|ecr| (ecr.account_id, ecr.region))
        };
        for (registry, expected) in [
            ("123456789012.dkr.ecr.us-west-2.amazonaws.com", "us-west-2"),
            ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ] {
            assert_eq!(
                region(registry),
                Some(("123456789012".to_owned(), expected.to_owned())),
                "{registry}"
            );
        }
        for other in [
            "public.ecr.aws",
            "dkr.ecr.us-west-2.amazonaws.com",
            "123456789012.dkr.ecr.us-west-2.amazonaws.com.example.org",
            "123456789012.dkr.ecr.us-west-2.amazonaws.com.cn",
            "12345678901.dkr.ecr.us-west-2.amazonaws.com",
        ] {
            assert_eq!(region(other), None, "{other}");
        }
    }
}
