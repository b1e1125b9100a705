//! The domain and its hosted zone.

use crate::config::NO_ZONE;
use crate::doctor::subject::Subject;
use crate::finding::{Check, Remedy, Rule, Severity, Sink};

const NAME: &str = "/config/domain/name";
const ZONE: &str = "/config/domain/hosted_zone_id";

/// Domain and zone.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "DNS001",
            name: "malformed-domain",
            severity: Severity::Error,
            summary: "The domain is not a host name",
            explain: include_str!("../../../docs/rules/DNS001.md"),
        },
        run: name,
    },
    Check {
        rule: Rule {
            code: "DNS002",
            name: "name-too-long-for-certificate",
            severity: Severity::Warning,
            summary: "The name is longer than the 64 characters of a certificate's first name",
            explain: include_str!("../../../docs/rules/DNS002.md"),
        },
        run: length,
    },
    Check {
        rule: Rule {
            code: "DNS003",
            name: "malformed-zone-id",
            severity: Severity::Error,
            summary: "The value is not the id of a hosted zone",
            explain: include_str!("../../../docs/rules/DNS003.md"),
        },
        run: zone,
    },
];

/// Why a text is not a host name, and what to write.
fn name_fault(text: &str) -> Option<(&'static str, Remedy)> {
    let help = || Remedy::from("write a host name, as in osmt.my-college.edu");
    let only = |name: &str| Remedy::write(name);
    if let Some((_, rest)) = text.split_once("://") {
        return Some(("has a scheme", only(rest.split(['/', ':', '?', '#']).next().unwrap_or(rest))));
    }
    if let Some((name, _)) = text.split_once('/') {
        return Some(("has a path", only(name)));
    }
    if text.contains('@') {
        return Some(("is an e-mail address", help()));
    }
    if let Some((name, port)) = text.split_once(':') {
        let ipv6 = port.contains(':');
        return Some(if ipv6 { ("is an IP address", help()) } else { ("has a port", only(name)) });
    }
    if text.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())) {
        return Some(("is an IP address", help()));
    }
    if text.starts_with("*.") || text.contains('*') {
        return Some(("is a wildcard", "write the one host name of the app".into()));
    }
    if let Some(name) = text.strip_suffix('.') {
        return Some(("ends with a dot", only(name)));
    }
    if text.contains("..") || text.starts_with('.') {
        return Some(("has an empty label", help()));
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some(("has upper case", only(&text.to_lowercase())));
    }
    if text.contains('_') {
        return Some(("has an underscore", only(&text.replace('_', "-"))));
    }
    if !text.is_ascii() {
        return Some(("has letters outside ASCII", "write it in its xn-- form (Punycode)".into()));
    }
    if text.bytes().any(|byte| !(byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')) {
        return Some(("has characters that are not allowed in host names", help()));
    }
    if text.split('.').any(|label| label.starts_with('-') || label.ends_with('-')) {
        return Some(("has a label with a hyphen at its end", help()));
    }
    if text.len() > 253 {
        return Some(("has more than 253 characters", "choose a shorter name".into()));
    }
    if text.split('.').any(|label| label.len() > 63) {
        return Some(("has a label of more than 63 characters", "choose a shorter name".into()));
    }
    let (_, top) = text.rsplit_once('.').unwrap_or_default();
    if top.is_empty() {
        return Some(("has one label only", help()));
    }
    if ["local", "internal", "lan", "home", "corp", "localdomain"].contains(&top)
        || text.ends_with(".home.arpa")
    {
        return Some(("is in a domain for private networks, which has no public zone", help()));
    }
    if text.ends_with(".elb.amazonaws.com") || text.ends_with(".elb.amazonaws.com.cn") {
        let help = "write a name of your own hosted zone; Terraform points it to the load balancer";
        return Some(("is the name of a load balancer, for which AWS issues no certificate", help.into()));
    }
    if [".amazonaws.com", ".cloudfront.net", ".awsapps.com"].iter().any(|end| text.ends_with(end)) {
        return Some(("is in a domain of AWS, not in your hosted zone", help()));
    }
    if top.bytes().any(|byte| byte.is_ascii_digit()) && !top.starts_with("xn--") || top.len() < 2 {
        return Some(("does not end with a top-level domain", help()));
    }
    None
}

fn name(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(text) = subject.text(NAME) else {
        return;
    };
    if let Some((what, help)) = name_fault(text) {
        sink.value(NAME, format!("domain {text} {what}")).remedy(help);
    }
}

fn length(subject: &Subject, sink: &mut Sink<'_>) {
    if let Some(text) = subject.text(NAME).filter(|text| text.len() > 64 && name_fault(text).is_none()) {
        sink.value(
            NAME,
            format!("the domain has {} characters; a certificate's first name has at most 64", text.len()),
        )
        .help("choose a shorter name");
    }
}

fn zone(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(text) = subject.text(ZONE).filter(|text| *text != NO_ZONE) else {
        return;
    };
    let form = |id: &str| {
        id.len() > 3
            && id.len() <= 32
            && id.starts_with('Z')
            && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    // Zones of CloudFront and of some load balancers: alias records refer to them, but AWS owns them.
    let owned_by_aws = [
        "Z2FDTNDATAQYW2",
        "Z35SXDOTRQ7X7K",
        "Z3AADJGX6KTTL2",
        "Z368ELLRRE2KJ0",
        "Z1H1FL5HABSF5",
        "Z32O12XQLNTSW2",
        "Z215JYRZR1TBD5",
    ];
    if owned_by_aws.contains(&text) {
        sink.value(ZONE, format!("{text} is a zone of AWS itself, for alias records"))
            .help("write the id of your own zone: `aws route53 list-hosted-zones` shows it");
        return;
    }
    if form(text) {
        return;
    }
    let bare = text.rsplit('/').next().unwrap_or_default();
    let (what, help) = if bare != text && form(bare) {
        ("is not the bare id", Remedy::write(bare))
    } else if form(&text.to_uppercase()) {
        ("is not in capitals", Remedy::write(text.to_uppercase()))
    } else if text.contains('.') {
        ("is a name, not an id", "`aws route53 list-hosted-zones` shows the id".into())
    } else {
        (
            "is not the id of a hosted zone",
            "it is Z and up to 31 capitals and digits (`aws route53 list-hosted-zones` shows it), or `none` if another team manages the DNS".into(),
        )
    };
    sink.value(ZONE, format!("{text} {what}")).remedy(help);
}

#[cfg(test)]
mod tests {
    use super::name_fault;

    #[test]
    fn host_names_are_distinguished_from_others() {
        for good in [
            "osmt.my-college.edu",
            "skills.nilgiri.ac.in",
            "a.b.co",
            "osmt.xn--bcher-kva.de",
            "1.college.edu",
        ] {
            assert_eq!(name_fault(good), None, "{good}");
        }
        for bad in [
            "osmt",
            "osmt.edu.",
            "osmt..edu",
            "10.0.0.1",
            "o_s.edu",
            "*.college.edu",
            "a@b.edu",
            "a.edu:443",
            "osmt.local",
            "osmt-123.us-west-2.elb.amazonaws.com",
            "-a.edu",
            "ösmt.edu",
        ] {
            assert!(name_fault(bad).is_some(), "{bad}");
        }
    }
}
