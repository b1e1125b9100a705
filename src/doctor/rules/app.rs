//! What the app is told: the identity provider. These values pass an unquoted shell expansion and then Spring.

use crate::doctor::subject::Subject;
use crate::finding::{Check, Remedy, Rule, Severity, Sink};

const ISSUER: &str = "/config/app/oauth/issuer";
const CLIENT: &str = "/config/app/oauth/client_id";
const AUDIENCE: &str = "/config/app/oauth/audience";

/// Identity provider.
pub const CHECKS: &[Check<Subject>] = &[
    Check {
        rule: Rule {
            code: "OAU001",
            name: "value-breaks-in-the-shell",
            severity: Severity::Error,
            summary: "The value does not survive the container's shell",
            explain: include_str!("../../../docs/rules/OAU001.md"),
        },
        run: shell,
    },
    Check {
        rule: Rule {
            code: "OAU002",
            name: "malformed-issuer",
            severity: Severity::Error,
            summary: "The issuer is not an https URL of an identity provider",
            explain: include_str!("../../../docs/rules/OAU002.md"),
        },
        run: issuer,
    },
    Check {
        rule: Rule {
            code: "OAU003",
            name: "malformed-client-id",
            severity: Severity::Error,
            summary: "The client id is something else",
            explain: include_str!("../../../docs/rules/OAU003.md"),
        },
        run: client,
    },
];

fn shell(subject: &Subject, sink: &mut Sink<'_>) {
    for at in [ISSUER, CLIENT, AUDIENCE] {
        let Some(text) = subject.text(at) else {
            continue;
        };
        let Some(wrong) = text.chars().find(|c| breaks(*c)) else {
            continue;
        };
        // A query is told by the issuer's own rule.
        if at == ISSUER && wrong == '?' {
            continue;
        }
        let key = at.rsplit('/').next().unwrap_or_default();
        let why = match wrong {
            c if c.is_whitespace() => "white space splits the command line".to_owned(),
            '*' | '?' | '[' | ']' => format!("`{wrong}` expands to file names"),
            '$' | '{' | '}' => "Spring reads ${…} as a property".to_owned(),
            c if !c.is_ascii() => format!("`{c}` is not ASCII"),
            c => format!("`{c}` becomes a part of the value"),
        };
        sink.value(at, format!("`{key}` does not survive the container's shell: {why}"))
            .help("copy the value anew, without quotes, spaces and wildcards");
    }
}

fn breaks(c: char) -> bool {
    c.is_whitespace() || !c.is_ascii() || "*?[]${}\"'`\\|;&()!".contains(c)
}

/// Why a text is no issuer, and what to write.
fn issuer_fault(text: &str) -> Option<(&'static str, Remedy)> {
    let lower = text.to_lowercase();
    let Some((scheme, rest)) = text.split_once("://") else {
        let help = if lower.starts_with("https:") {
            Remedy::from("write https://…")
        } else {
            Remedy::write(format!("https://{}", text.trim_start_matches('/')))
        };
        return Some(("is no URL", help));
    };
    match scheme {
        "https" => {}
        "http" => return Some(("is not https", Remedy::write(format!("https://{rest}")))),
        _ if scheme.eq_ignore_ascii_case("https") => {
            return Some(("has a scheme in capitals", Remedy::write(format!("https://{rest}"))));
        }
        _ => return Some(("is not https", "write the issuer's https URL".into())),
    }
    if let Some((before, _)) = text.split_once("/.well-known") {
        return Some(("is the address of the metadata, not the issuer", Remedy::write(before)));
    }
    for end in [
        "/v1/authorize",
        "/v1/token",
        "/v1/keys",
        "/oauth2/v2.0/authorize",
        "/oauth2/v2.0/token",
        "/protocol/openid-connect/auth",
        "/protocol/openid-connect/token",
    ] {
        if let Some(before) = text.strip_suffix(end) {
            return Some(("is the address of an endpoint, not the issuer", Remedy::write(before)));
        }
    }
    if let Some((before, _)) = text.split_once(['?', '#']) {
        return Some(("has a query or fragment", Remedy::write(before)));
    }
    host_fault(text, rest)
}

/// The same for what follows the scheme: host, port and path.
fn host_fault(text: &str, rest: &str) -> Option<(&'static str, Remedy)> {
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Some(("has a user name", "write the URL without it".into()));
    }
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Some(("has a port that is none", "write a number, or leave the port out".into()));
    }
    let labels = host.split('.').all(|label| {
        !label.is_empty()
            && label.len() < 64
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    if !labels {
        return Some((
            "names no host",
            "write the provider's host, as in https://my-college.okta.com/oauth2/default".into(),
        ));
    }
    if host == "localhost" || host.starts_with("127.") || !host.contains('.') {
        return Some(("names a host that Fargate cannot reach", "write the provider's public host".into()));
    }
    if host.split('.').count() == 4 && host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Some((
            "names an IP address, for which no certificate is issued",
            "write the provider's host name".into(),
        ));
    }
    if host.contains("-admin.okta") {
        return Some(("is Okta's admin console", Remedy::write(text.replacen("-admin.okta", ".okta", 1))));
    }
    let path = &rest[authority.len()..];
    if host.starts_with("login.microsoftonline.")
        && ["/common", "/organizations", "/consumers"].iter().any(|any| path.starts_with(any))
    {
        let help = "write the tenant's id in place of it: the app wants one issuer";
        return Some(("names no tenant", help.into()));
    }
    if path.contains("//") {
        return Some((
            "has two slashes in a row",
            Remedy::write(format!("https://{authority}{}", path.replace("//", "/"))),
        ));
    }
    let exact = [
        ".okta.com",
        ".oktapreview.com",
        ".okta-emea.com",
        ".okta-gov.com",
        ".microsoftonline.com",
        ".microsoftonline.us",
        ".amazonaws.com",
        "accounts.google.com",
    ];
    if text.ends_with('/') && exact.iter().any(|end| host.ends_with(end)) {
        return Some((
            "ends with a slash, the provider's issuer does not",
            Remedy::write(text.trim_end_matches('/')),
        ));
    }
    None
}

fn issuer(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(text) = subject.text(ISSUER).filter(|text| !text.chars().any(|c| breaks(c) && c != '?')) else {
        return;
    };
    if let Some((what, help)) = issuer_fault(text) {
        sink.value(ISSUER, format!("issuer {text} {what}")).remedy(help);
    }
}

fn client(subject: &Subject, sink: &mut Sink<'_>) {
    let Some(text) = subject.text(CLIENT).filter(|text| !text.chars().any(breaks)) else {
        return;
    };
    let what = if text.starts_with("http://") || text.starts_with("https://") {
        "is a URL"
    } else if text.contains('@') {
        "is an e-mail address"
    } else if text.len() < 3 {
        "is too short"
    } else {
        return;
    };
    sink.value(CLIENT, format!("client id {text} {what}"))
        .help("copy the client id that the identity provider shows for the app");
}

#[cfg(test)]
mod tests {
    use super::issuer_fault;

    #[test]
    fn issuers_are_told_from_other_addresses() {
        for good in [
            "https://hillcrest.okta.com/oauth2/default",
            "https://login.microsoftonline.com/91d7c5e2-6a0b-4f83-b2c4-5e08a3d96f17/v2.0",
            "https://sso.moorgate.ac.uk/realms/skills",
            "https://college.eu.auth0.com/",
            "https://sso.college.edu:8443/realms/a",
        ] {
            assert_eq!(issuer_fault(good), None, "{good}");
        }
        for bad in [
            "hillcrest.okta.com",
            "http://a.okta.com",
            "https://a.okta.com/",
            "https://a.edu/x?y",
            "https://a.edu/.well-known/openid-configuration",
            "https://localhost/x",
            "https://a-admin.okta.com/oauth2/default",
            "https:/a.edu",
            "https://",
            "https://a b.edu",
        ] {
            assert!(issuer_fault(bad).is_some(), "{bad}");
        }
    }
}
