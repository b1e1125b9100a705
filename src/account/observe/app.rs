//! Asks the running app. Four requests without credentials.

use serde_json::Value;
use url::Url;

use crate::account::Known;
use crate::account::app::{App, Health, Page, Redirect, SIGN_IN};
use crate::aws::{CallError, Session};
use crate::config::Config;
use crate::deployment;
use crate::web::{Error, Reply, Request, Web};

/// What an image answers whose `ui` module was not built before `api` (seen with 3.0.0).
const NO_PAGES: &[u8] = b"UI not configured";

/// Asks the app at its address.
pub async fn app(web: &Web, base: &Url) -> App {
    let get = async |path: &str| match base.join(path) {
        // As a browser asks: to any other request OSMT gives its page as text/plain.
        Ok(url) if path == "/" => web.send(Request { accept: "text/html", ..Request::get(url) }).await,
        Ok(url) => web.send(Request::get(url)).await,
        Err(error) => Err(Error { host: base.to_string(), cause: error.to_string(), bad_certificate: false }),
    };
    let (pages, health, sign_in, queue) =
        tokio::join!(get("/"), get("/health"), get(SIGN_IN), get("/rqueue"));
    let certificate = match &pages {
        Ok(_) => Known::Known(None),
        Err(error) if error.bad_certificate => Known::Known(Some(format!("{}: {}", error.host, error.cause))),
        Err(error) => Known::Unknown(error.to_string()),
    };
    App {
        address: base.to_string(),
        certificate,
        pages: known(pages, |reply| Page {
            status: reply.status,
            html: reply.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
                || reply
                    .body
                    .trim_ascii_start()
                    .get(..9)
                    .is_some_and(|start| start.eq_ignore_ascii_case(b"<!doctype")),
            not_configured: reply.body.windows(NO_PAGES.len()).any(|part| part == NO_PAGES),
        }),
        health: known(health, seen),
        sign_in: known(sign_in, |reply| Redirect {
            status: reply.status,
            target: reply.redirect(base).map(|target| target.to_string()),
        }),
        queue: known(queue, |reply| reply.status),
    }
}

/// Asks the app at the config's domain; `None` where its service is not deployed.
pub(super) async fn deployed(
    session: &Session,
    web: &Web,
    config: &Config,
) -> Result<Option<App>, CallError> {
    let prefix = deployment::prefix(&config.env);
    let services = match session.ecs().describe_services(&prefix, &format!("{prefix}-app")).await {
        Err(error) if error.is("ClusterNotFoundException") => return Ok(None),
        answer => answer?,
    };
    let is_deployed = services.iter().any(|service| service.status == "ACTIVE");
    match Url::parse(&format!("https://{}", config.domain.name)) {
        Ok(base) if is_deployed => Ok(Some(Box::pin(app(web, &base)).await)),
        // A name that is not a host is another rule's finding.
        Ok(_) | Err(_) => Ok(None),
    }
}

fn known<T>(reply: Result<Reply, Error>, read: impl Fn(&Reply) -> T) -> Known<T> {
    match reply {
        Ok(reply) => Known::Known(read(&reply)),
        Err(error) => Known::Unknown(error.to_string()),
    }
}

fn seen(reply: &Reply) -> Health {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let parts = body["components"].as_object();
    Health {
        status: reply.status,
        state: body["status"].as_str().map(str::to_owned),
        down: parts
            .into_iter()
            .flatten()
            .filter(|(_, part)| part["status"].as_str().is_some_and(|status| status != "UP"))
            .map(|(name, _)| name.clone())
            .collect(),
    }
}
