//! How the registry of an image is reached.

use crate::aws::is_loopback;
use crate::deployment::image::{DOCKER_HUB, Reference};

/// Scheme and host of a registry's API. As for Docker, a registry on this machine needs no TLS.
pub(super) fn origin(reference: &Reference) -> String {
    let Reference { registry, .. } = reference;
    if registry == DOCKER_HUB {
        return "https://registry-1.docker.io".to_owned();
    }
    let plain = format!("http://{registry}");
    if is_loopback(&plain) { plain } else { format!("https://{registry}") }
}

/// The name of a registry in Docker's own list of credentials.
pub(super) fn docker_server(reference: &Reference) -> &str {
    if reference.registry == DOCKER_HUB { "https://index.docker.io/v1/" } else { &reference.registry }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_registry_on_this_machine_needs_no_tls() {
        for (image, expected) in [
            ("redis", "https://registry-1.docker.io"),
            ("localhost/a", "http://localhost"),
            ("127.0.0.1:5000/a/b", "http://127.0.0.1:5000"),
            ("quay.io:8443/a/b/c", "https://quay.io:8443"),
            ("10.0.0.1:5000/a", "https://10.0.0.1:5000"),
        ] {
            assert_eq!(origin(&Reference::new(image, "1")), expected);
        }
    }
}
