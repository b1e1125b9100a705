//! Asks the running application what matters to people: certificate, pages, health, sign-in, and that the job queue is not
//! open.

use serde_json::Value;
use url::Url;

use super::status::{Link, Verdict, link};
use crate::config::Config;
use crate::deployment;
use crate::web::{Error, Reply, Request, Web};

/// The registration of the sign-in provider in OSMT's own settings.
const SIGN_IN: &str = "/oauth2/authorization/okta";
/// What an image answers whose `ui` module was not built before `api` (seen with 3.0.0).
const NO_PAGES: &[u8] = b"UI not configured";

/// Asks the app at its address; each answer is a link of the chain.
pub async fn look(web: &Web, config: &Config, base: &Url) -> Vec<Link> {
    let get = async |path: &str| match base.join(path) {
        Ok(url) => web.send(Request::get(url)).await,
        Err(error) => Err(Error { host: base.to_string(), cause: error.to_string(), bad_certificate: false }),
    };
    let (pages_, health_, sign_in_, queue_) =
        tokio::join!(get("/"), get("/health"), get(SIGN_IN), get("/rqueue"));
    let certificate = (base.scheme() == "https").then(|| certificate(&pages_));
    certificate
        .into_iter()
        .chain([
            answered("pages", &pages_, pages),
            answered("health", &health_, health),
            answered("sign-in", &sign_in_, |reply| sign_in(reply, config, base)),
            answered("job queue", &queue_, queue),
        ])
        .collect()
}

/// Whether a browser would accept the certificate at the address.
fn certificate(reply: &Result<Reply, Error>) -> Link {
    const NAME: &str = "certificate";
    match reply {
        Ok(_) => link(NAME, Verdict::Agrees, "valid for the address".into()),
        Err(error) if error.bad_certificate => Link {
            help: Some(
                "the load balancer needs a certificate for this address: `osmt-bootstrap certificate`",
            ),
            ..link(NAME, Verdict::Differs, format!("{}: {}", error.host, error.cause))
        },
        Err(error) => link(NAME, Verdict::Unknown, error.to_string()),
    }
}

/// An app that does not answer is unknown: this machine may not be allowed to reach it.
fn answered(
    name: &'static str,
    reply: &Result<Reply, Error>,
    judge: impl Fn(&Reply) -> (Verdict, String),
) -> Link {
    let (verdict, found) = match reply {
        Ok(reply) => judge(reply),
        Err(error) => (Verdict::Unknown, error.to_string()),
    };
    let help = match (name, verdict) {
        (_, Verdict::Agrees | Verdict::Unknown) => None,
        ("pages", _) => {
            Some("the image must be built with the `ui` module before `api`; docs/release.md says how")
        }
        ("sign-in", _) => {
            Some("compare `app.oauth` and `domain` with the provider's settings; docs/sign-in.md")
        }
        ("job queue", _) => Some(
            "anyone can see and delete jobs: set RQUEUE_WEB_ENABLE=false, and block /rqueue at the load balancer",
        ),
        _ => Some("`aws logs tail` of the app's log group shows the cause"),
    };
    Link { help, ..link(name, verdict, found) }
}

fn pages(reply: &Reply) -> (Verdict, String) {
    let is_html = reply.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    let lacks = reply.body.windows(NO_PAGES.len()).any(|part| part == NO_PAGES);
    match reply.status {
        200 if lacks => (Verdict::Differs, "/ answers 200, but the image has no pages".into()),
        200 if is_html => (Verdict::Agrees, "/ answers with a page".into()),
        200 => (Verdict::Differs, "/ answers 200 without a page".into()),
        status => (Verdict::Differs, format!("/ answers {status}")),
    }
}

fn health(reply: &Reply) -> (Verdict, String) {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let status = body["status"].as_str();
    match (reply.status, status) {
        (200, Some("UP")) => (Verdict::Agrees, "/health is UP".into()),
        (200, _) => (Verdict::Unknown, "/health answers 200 without a status".into()),
        (code, status) => {
            let parts = body["components"].as_object();
            let down: Vec<&str> = parts
                .into_iter()
                .flatten()
                .filter(|(_, part)| part["status"].as_str().is_some_and(|status| status != "UP"))
                .map(|(name, _)| name.as_str())
                .collect();
            let status = status.map_or_else(String::new, |status| format!(", {status}"));
            let down = if down.is_empty() { String::new() } else { format!(": {}", down.join(", ")) };
            (Verdict::Differs, format!("/health answers {code}{status}{down}"))
        }
    }
}

/// The redirect to the provider must carry the client and an address under the domain, with https.
fn sign_in(reply: &Reply, config: &Config, base: &Url) -> (Verdict, String) {
    let Some(target) = reply.redirect(base) else {
        return (Verdict::Differs, format!("{SIGN_IN} answers {} instead of a redirect", reply.status));
    };
    let parameter = |name: &str| {
        let mut pairs = target.query_pairs();
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let wanted = deployment::sign_in_redirect(&config.domain.name);
    let client = &config.app.oauth.client_id;
    let provider = target.host_str().unwrap_or_default();
    let Some(back) = parameter("redirect_uri") else {
        return (
            Verdict::Differs,
            format!("{SIGN_IN} redirects to {provider} without an address to return to"),
        );
    };
    if back != wanted {
        return (Verdict::Differs, format!("sign-in returns to {back}, it should be {wanted}"));
    }
    match parameter("client_id") {
        Some(found) if found == *client => {}
        found => {
            let found = found.unwrap_or_default();
            return (Verdict::Differs, format!("sign-in uses client {found:?}, the config names {client:?}"));
        }
    }
    let issuer = Url::parse(&config.app.oauth.issuer).ok();
    if issuer.as_ref().and_then(Url::host_str) == Some(provider) {
        return (Verdict::Agrees, format!("redirects to {provider} and back to {wanted}"));
    }
    // A provider may ask for the password at another host than its issuer's.
    (Verdict::Unknown, format!("redirects to {provider}, which is not the issuer's host"))
}

fn queue(reply: &Reply) -> (Verdict, String) {
    match reply.status {
        401 | 403 | 404 | 503 => (Verdict::Agrees, format!("/rqueue answers {}", reply.status)),
        200..=399 => (Verdict::Differs, format!("/rqueue is open: it answers {}", reply.status)),
        status => (Verdict::Unknown, format!("/rqueue answers {status}")),
    }
}
