//! Whether OSMT will accept the identity provider, and whether the provider knows the client.

use super::Audit;
use super::state::fact;
use crate::account::services::SignIn;
use crate::finding::{Check, Rule, Severity, Sink};

const ISSUER: &str = "/config/app/oauth/issuer";
const CLIENT: &str = "/config/app/oauth/client_id";

/// The errors with which a provider that knows the client asks for a sign-in (OpenID Connect Core 1.0, section 3.1.2.6).
const SIGN_IN_REQUIRED: [&str; 4] =
    ["login_required", "interaction_required", "account_selection_required", "consent_required"];

/// Issuer and client.
pub(super) const CHECKS: &[Check<Audit>] = &[
    Check {
        rule: Rule {
            code: "IDP001",
            name: "issuer-answers-otherwise",
            severity: Severity::Error,
            summary: "The identity provider does not answer as this issuer",
            explain: include_str!("../../../../docs/rules/IDP001.md"),
        },
        run: issuer,
    },
    Check {
        rule: Rule {
            code: "IDP002",
            name: "client-refused",
            severity: Severity::Error,
            summary: "The identity provider does not know the client or its redirect address",
            explain: include_str!("../../../../docs/rules/IDP002.md"),
        },
        run: client,
    },
];

/// The provider's answers, if they are about the config's issuer.
fn sign_in<'a>(audit: &'a Audit, sink: &mut Sink<'_>) -> Option<&'a SignIn> {
    let found = fact(&audit.facts.sign_in, sink).ok()?;
    if found.issuer != audit.config.app.oauth.issuer {
        sink.unknown(format!("the facts are about issuer {}; record them again", found.issuer));
        return None;
    }
    Some(found)
}

fn issuer(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(found) = sign_in(audit, sink) else {
        return;
    };
    let Ok(metadata) = fact(&found.metadata, sink) else {
        return;
    };
    let wanted = &found.issuer;
    let help = "copy the issuer from the provider's own settings; docs/sign-in.md shows where it is";
    match (metadata.status, &metadata.issuer) {
        (200, Some(named)) if named == wanted => {}
        (200, Some(named)) => {
            let message = format!("the provider's issuer is {named:?}, but the config has {wanted:?}");
            sink.value(ISSUER, message).help("write the name exactly as the provider does");
        }
        (200, None) => {
            let message = "the issuer's address answers, but not with an OpenID Connect discovery document";
            sink.value(ISSUER, message).help(help);
        }
        (404 | 410 | 400, _) => {
            let message = format!(
                "{}/.well-known/openid-configuration answers {}",
                wanted.trim_end_matches('/'),
                metadata.status
            );
            sink.value(ISSUER, message).help(help);
        }
        // A proxy may have answered instead of the provider.
        (status, _) => sink.unknown(format!("the provider answered {status}")),
    }
}

fn client(audit: &Audit, sink: &mut Sink<'_>) {
    let Some(found) = sign_in(audit, sink) else {
        return;
    };
    let (id, domain) = (&audit.config.app.oauth.client_id, &audit.config.domain.name);
    if found.client_id != *id || !found.redirect.starts_with(&format!("https://{domain}/")) {
        return sink.unknown("the facts are about another client or domain; record them again");
    }
    let Ok(client) = fact(&found.client, sink) else {
        return;
    };
    let redirect = &found.redirect;
    // Keycloak answers 200 with its sign-in page if it knows the client and the redirect address, otherwise 400 (measured with 24).
    let keycloak = found.issuer.contains("/realms/");
    match (client.status, client.returns, client.error.as_deref()) {
        (_, true, Some(error)) if SIGN_IN_REQUIRED.contains(&error) => {}
        (_, true, None) => {}
        (_, true, Some(error)) => {
            sink.value(CLIENT, format!("the provider refuses the client: {error}"))
                .help("allow the authorization code flow for the client");
        }
        (200, false, _) if keycloak => {}
        (400 | 401 | 403, false, _) if keycloak => {
            sink.value(
                CLIENT,
                format!("the provider does not know the client {id} with the redirect address {redirect}"),
            )
            .help("enter exactly this redirect address at the provider, and compare the client id");
        }
        (400, false, _) => {
            sink.value(CLIENT, format!("the provider answers 400 to client {id} with {redirect}"))
                .severity(Severity::Warning)
                .help("enter exactly this redirect address at the provider, and compare the client id");
        }
        (status, false, _) => {
            sink.unknown(format!(
                "the provider answered {status}, which does not say whether it knows the client"
            ));
        }
    }
}
