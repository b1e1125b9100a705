//! Names and tags of container images, as the OCI Distribution Specification defines them.

use crate::deployment::image::{Reference, host_and_path};
use crate::finding::Remedy;

/// Why a text is not the name of an image, and what to write.
pub fn name_fault(image: &str) -> Option<(String, Remedy)> {
    let fault = |what: &str, help: Remedy| Some((format!("image {image} {what}"), help));
    if let Some((_, rest)) = image.split_once("://") {
        return fault("has a scheme", Remedy::write(rest));
    }
    if let Some((name, _)) = image.split_once('@') {
        return fault("has a digest", format!("write {name} here and the digest into docker_tag").into());
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    if let Some((name, _)) = last.split_once(':') {
        let head = &image[..image.len() - last.len()];
        return fault("has a tag", format!("write {head}{name} here and the tag into docker_tag").into());
    }
    if image.ends_with('/') || image.starts_with('/') || image.contains("//") {
        return fault(
            "has an extra slash",
            Remedy::write(image.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")),
        );
    }
    if let Some(wrong) = image.chars().find(|c| c.is_whitespace() || !c.is_ascii()) {
        return fault(
            &format!("has the character {wrong:?}"),
            "image names are lower-case letters, digits, . _ - and /".into(),
        );
    }
    let (host, path) = host_and_path(image);
    if let Some(host) = host {
        let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
        let labels = name.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
        if !labels || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return fault("does not name a registry", "write registry[:port]/path/name".into());
        }
        if matches!(name, "localhost" | "127.0.0.1") {
            return fault(
                "is on your own machine, which Fargate cannot reach",
                "push it to a registry, for example Amazon ECR".into(),
            );
        }
        if name.contains(".dkr.ecr") && Reference::new(image, "").ecr().is_none() {
            return fault(
                "does not name a registry of Amazon ECR",
                "write <account>.dkr.ecr.<region>.amazonaws.com/name".into(),
            );
        }
    }
    if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return fault("has upper case", Remedy::write(image.to_lowercase()));
    }
    let component = |part: &str| {
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        ends(part.chars().next())
            && ends(part.chars().next_back())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
            && !part.contains("..")
            && !part.contains("___")
            && !part.contains("._")
            && !part.contains("_.")
    };
    if !path.split('/').all(component) || image.len() > 255 {
        return fault(
            "is not an image name",
            "image names are lower-case letters, digits, . _ - and /".into(),
        );
    }
    None
}

/// Why a text is neither a tag nor a digest, and what to write.
pub fn tag_fault(tag: &str) -> Option<(String, Remedy)> {
    let fault = |what: &str, help: Remedy| Some((format!("`{tag}` {what}"), help));
    let bare = tag.trim_start_matches(['@', ':']);
    if let Some(hash) = bare.strip_prefix("sha256:").filter(|_| bare == tag) {
        let hex = |hash: &str| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hex(hash) && hash == hash.to_lowercase() {
            return None;
        }
        let help = if hex(hash) {
            Remedy::write(format!("sha256:{}", hash.to_lowercase()))
        } else {
            "copy the complete digest: sha256: and 64 hexadecimal digits".into()
        };
        let what = if hex(hash) {
            "is a digest in upper case".to_owned()
        } else {
            format!("is not a digest: {} characters follow sha256:, not 64 hexadecimal digits", hash.len())
        };
        return Some((format!("`{tag}` {what}"), help));
    }
    if bare != tag {
        return fault("starts with a separator", Remedy::write(bare));
    }
    if ["sha256", "sha512", "sha-256", "SHA256"].iter().any(|kind| tag.starts_with(&format!("{kind}:"))) {
        return fault("is not a sha256 digest", "a digest is sha256: and 64 hexadecimal digits".into());
    }
    if let Some((_, end)) = tag.rsplit_once(':') {
        return fault(
            "contains the image's name",
            format!("write {end} here and the name into docker_image").into(),
        );
    }
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let bare = tag.to_lowercase().replace("sha256", "");
    let bare = bare.trim_start_matches(['-', '_', '.', '=']);
    if bare.len() == 64 && bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return fault("is a digest, but not in the form sha256:…", Remedy::write(format!("sha256:{bare}")));
    }
    if tag.len() > 128 {
        return Some((
            format!("the tag has {} characters; the limit is 128", tag.len()),
            "choose a shorter tag".into(),
        ));
    }
    if tag.starts_with(['.', '-']) || !tag.bytes().all(word) {
        return fault(
            "is not a tag",
            "a tag has letters, digits, _ . and -, and does not start with . or -".into(),
        );
    }
    None
}
