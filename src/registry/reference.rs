//! Where an image is, read as Docker reads it.

use url::Url;

/// Docker Hub's name in an image's address, and the host that its API is on.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

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

impl Reference {
    /// Reads the config's `docker_image` and `docker_tag`. The first part is a host where it has a dot or a port, or is
    /// `localhost`; without one it is Docker Hub's, and a name without a slash is one of Docker's own.
    pub fn new(docker_image: &str, docker_tag: &str) -> Self {
        let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
        let (registry, repository) = match docker_image.split_once('/') {
            Some((host, rest)) if is_host(host) => (host, rest.to_owned()),
            Some(_) => (HUB.0, docker_image.to_owned()),
            None => (HUB.0, format!("library/{docker_image}")),
        };
        let registry = if registry == "index.docker.io" { HUB.0 } else { registry };
        let repository = match (registry == HUB.0, repository.contains('/')) {
            (true, false) => format!("library/{repository}"),
            _ => repository,
        };
        Self { registry: registry.to_owned(), repository, version: docker_tag.to_owned() }
    }

    /// Scheme and host of the registry's API. As for Docker, a registry on this machine needs no TLS.
    pub(super) fn origin(&self) -> String {
        if self.registry == HUB.0 {
            return format!("https://{}", HUB.1);
        }
        let plain = format!("http://{}", self.registry);
        if crate::aws::is_loopback(&plain) { plain } else { format!("https://{}", self.registry) }
    }

    pub(super) fn is_https(&self) -> bool {
        self.origin().starts_with("https:")
    }

    /// The name of the registry in Docker's own list of credentials.
    pub(super) fn docker_server(&self) -> &str {
        if self.registry == HUB.0 { "https://index.docker.io/v1/" } else { &self.registry }
    }

    /// The region of a registry of Amazon ECR: of this account, of another one, or of a pull-through cache.
    pub fn ecr_region(&self) -> Option<String> {
        let url = Url::parse(&format!("https://{}", self.registry)).ok()?;
        let labels: Vec<&str> = url.host_str()?.split('.').collect();
        match labels.as_slice() {
            [_, "dkr", "ecr" | "ecr-fips", region, "amazonaws", "com"]
            | [_, "dkr", "ecr" | "ecr-fips", region, "amazonaws", "com", "cn"] => Some((*region).to_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_docker_reads_it() {
        for (image, registry, repository, origin) in [
            ("wguopensource/osmt-app", "docker.io", "wguopensource/osmt-app", "https://registry-1.docker.io"),
            ("docker.io/redis", "docker.io", "library/redis", "https://registry-1.docker.io"),
            ("index.docker.io/a/b", "docker.io", "a/b", "https://registry-1.docker.io"),
            ("redis", "docker.io", "library/redis", "https://registry-1.docker.io"),
            ("localhost/a", "localhost", "a", "http://localhost"),
            ("127.0.0.1:5000/a/b", "127.0.0.1:5000", "a/b", "http://127.0.0.1:5000"),
            ("quay.io:8443/a/b/c", "quay.io:8443", "a/b/c", "https://quay.io:8443"),
            ("10.0.0.1:5000/a", "10.0.0.1:5000", "a", "https://10.0.0.1:5000"),
        ] {
            let reference = Reference::new(image, "1");
            assert_eq!((reference.registry.as_str(), reference.repository.as_str()), (registry, repository));
            assert_eq!(reference.origin(), origin);
        }
    }

    #[test]
    fn a_registry_of_ecr_names_its_region() {
        let region = |registry: &str| Reference::new(&format!("{registry}/osmt"), "1").ecr_region();
        assert_eq!(region("123456789012.dkr.ecr.us-west-2.amazonaws.com").as_deref(), Some("us-west-2"));
        assert_eq!(
            region("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com").as_deref(),
            Some("us-gov-west-1")
        );
        assert_eq!(region("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn").as_deref(), Some("cn-north-1"));
        assert_eq!(region("public.ecr.aws"), None);
        assert_eq!(region("dkr.ecr.us-west-2.amazonaws.com.example.org"), None);
    }
}
