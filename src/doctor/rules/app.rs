//! The settings of the identity provider.

use crate::doctor::subject::Subject;
use crate::document::Place;
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
            summary: "The value contains characters that a shell or Spring changes",
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
            summary: "The value is not a client id",
            explain: include_str!("../../../docs/rules/OAU003.md"),
        },
        run: client,
    },
    Check {
        rule: Rule {
            code: "OAU004",
            name: "issuer-against-release",
            severity: Severity::Error,
            summary: "OSMT 2.x does not start with this issuer",
            explain: include_str!("../../../docs/rules/OAU004.md"),
        },
        run: release,
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
        // OAU002 reports an issuer with a query.
        if at == ISSUER && wrong == '?' {
            continue;
        }
        let key = at.rsplit('/').next().unwrap_or_default();
        let what = match wrong {
            c if c.is_whitespace() => "white space: a shell splits the value there".to_owned(),
            '*' | '?' | '[' | ']' => format!("`{wrong}`: a shell expands it to file names"),
            '$' | '{' | '}' => format!("`{wrong}`: Spring reads ${{…}} as a property"),
            c if !c.is_ascii() => format!("`{c}`, which is not ASCII"),
            c => format!("`{c}`, which no identity provider issues"),
        };
        sink.value(at, format!("`{key}` contains {what}"))
            .help("copy the value again, without quotes, spaces and wildcards");
    }
}

fn breaks(c: char) -> bool {
    c.is_whitespace() || !c.is_ascii() || "*?[]${}\"'`\\|;&()!".contains(c)
}

/// Why a text is not an issuer URL, and what to write.
fn issuer_fault(text: &str) -> Option<(&'static str, Remedy)> {
    let lower = text.to_lowercase();
    let Some((scheme, rest)) = text.split_once("://") else {
        let help = if lower.starts_with("https:") {
            Remedy::from("write https://…")
        } else {
            Remedy::write(format!("https://{}", text.trim_start_matches('/')))
        };
        return Some(("is not a URL", help));
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

/// Why the host, port and path of an issuer URL are wrong, and what to write.
fn host_fault(text: &str, rest: &str) -> Option<(&'static str, Remedy)> {
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Some(("has a user name", "write the URL without it".into()));
    }
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Some(("has a port that is not a number", "write a number, or leave the port out".into()));
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
            "has no host",
            "write the provider's host, as in https://my-college.okta.com/oauth2/default".into(),
        ));
    }
    if host == "localhost" || host.starts_with("127.") || !host.contains('.') {
        return Some(("has a host that Fargate cannot reach", "write the provider's public host".into()));
    }
    if host.split('.').count() == 4 && host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Some((
            "has an IP address, for which no public certificate is issued",
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
        let help = "write the tenant's id instead: the app accepts one issuer";
        return Some(("does not name a tenant", help.into()));
    }
    if let Some((_, rest)) =
        host.split_once(".auth.").filter(|(_, rest)| rest.ends_with(".amazoncognito.com"))
    {
        let region = rest.split('.').next().unwrap_or("REGION").trim_end_matches("-fips").to_owned();
        let help = format!("write https://cognito-idp.{region}.amazonaws.com/ and the user pool's id");
        return Some(("is the host of Cognito's sign-in pages, not the issuer", help.into()));
    }
    if host.ends_with(".auth0.com") && matches!(path, "") {
        return Some((
            "does not end with a slash, as Auth0's issuer does",
            Remedy::write(format!("{text}/")),
        ));
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
            "ends with a slash, but the provider's issuer does not",
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
        return;
    }
    let host = text.trim_start_matches("https://").split(['/', ':']).next().unwrap_or_default();
    if let Some(domain) =
        subject.text("/config/domain/name").filter(|domain| domain.eq_ignore_ascii_case(host))
    {
        sink.value(ISSUER, format!("the issuer is on {domain}, which is OSMT's own domain"))
            .help("write the address of the identity provider")
            .related(Place::value("/config/domain/name"), "OSMT's domain");
    }
}

/// OSMT 2.x parses the path of the issuer: without `/oauth2/` it configures two kinds of token at once and does not start.
fn release(subject: &Subject, sink: &mut Sink<'_>) {
    let fits = |issuer: &&str| {
        issuer.split_once("/oauth2/").is_some_and(|(_, id)| !id.trim_end_matches('/').is_empty())
    };
    let wanted = subject.osmt_line().filter(|line| !line.traits().any_issuer);
    let Some(issuer) = subject.text(ISSUER).filter(|text| issuer_fault(text).is_none() && !fits(text)) else {
        return;
    };
    if let (Some(_), Some((at, version))) = (wanted, subject.osmt_version()) {
        sink.value(ISSUER, format!("OSMT {version} does not start with the issuer {issuer}"))
            .help("2.x needs an issuer of the form https://HOST/oauth2/ID, as Okta has; 3.0.0 takes any")
            .related(Place::value(at), "the release");
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
    fn issuers_are_distinguished_from_other_addresses() {
        for good in [
            "https://hillcrest.okta.com/oauth2/default",
            "https://login.microsoftonline.com/91d7c5e2-6a0b-4f83-b2c4-5e08a3d96f17/v2.0",
            "https://sso.moorgate.ac.uk/realms/skills",
            "https://college.eu.auth0.com/",
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI",
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
            "https://college.eu.auth0.com",
            "https://college.auth.eu-west-1.amazoncognito.com",
            "https://college.auth.eu-west-1.amazoncognito.com/oauth2/default",
            "https://",
            "https://a b.edu",
        ] {
            assert!(issuer_fault(bad).is_some(), "{bad}");
        }
    }
}
