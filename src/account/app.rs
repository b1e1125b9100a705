//! How the running app answers what matters to people: certificate, pages, health, sign-in, and that the job queue is not
//! open. The facts and how they are judged; `observe::app` reads them.

use serde::{Deserialize, Serialize};
use url::Url;

use super::Known;
use crate::config::Config;
use crate::deployment;

/// Where OSMT begins a sign-in: `okta` is the name of the registration in its own settings.
pub const SIGN_IN: &str = "/oauth2/authorization/okta";

/// What the app answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// The address that was asked: `https://osmt.example.org/`.
    pub address: String,
    /// Why a browser would not accept the certificate; nothing where it would.
    pub certificate: Known<Option<String>>,
    /// `/`
    pub pages: Known<Page>,
    /// `/health`
    pub health: Known<Health>,
    /// The beginning of a sign-in.
    pub sign_in: Known<Redirect>,
    /// The status of `/rqueue`.
    pub queue: Known<u16>,
}

/// The front page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// Whether it is HTML.
    pub html: bool,
    /// Whether the app says that its image has no pages.
    pub not_configured: bool,
}

/// What Spring says of the app's health.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// The HTTP status.
    pub status: u16,
    /// `UP`, `DOWN`.
    pub state: Option<String>,
    /// What is not up, where the app names it.
    pub down: Vec<String>,
}

/// Where something leads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// The HTTP status.
    pub status: u16,
    /// The whole address; nothing where it is not a redirect.
    pub target: Option<String>,
}

/// Whether an answer is the one that people need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It is.
    Right,
    /// It is not.
    Wrong,
    /// That is not known.
    Unknown,
}

/// One of the things that were asked, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `certificate`, `pages`, `health`, `sign-in`, `job queue`.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub judged: Judged,
    /// What was answered, or why nothing was.
    pub found: String,
    /// What to do about a wrong one.
    pub help: Option<&'static str>,
}

impl App {
    /// Judges every answer; one that did not come is unknown: this machine may not be allowed to reach the app.
    pub fn judge(&self, config: &Config) -> Vec<Answer> {
        let certificate = self.address.starts_with("https://").then(|| {
            let help = "the load balancer needs a certificate for this address: `osmt-bootstrap certificate`";
            answer("certificate", help, &self.certificate, |fault| match fault {
                None => (Judged::Right, "valid for the address".to_owned()),
                Some(fault) => (Judged::Wrong, fault.clone()),
            })
        });
        let others = [
            answer(
                "pages",
                "the image must be built with the `ui` module before `api`; docs/own-image.md says how",
                &self.pages,
                pages,
            ),
            answer("health", "`aws logs tail` of the app's log group shows the cause", &self.health, health),
            answer(
                "sign-in",
                "compare `app.oauth` and `domain` with the provider's settings; docs/sign-in.md",
                &self.sign_in,
                |redirect| sign_in(redirect, config),
            ),
            answer(
                "job queue",
                "anyone can see and delete jobs: set RQUEUE_WEB_ENABLE=false, and block /rqueue at the load balancer",
                &self.queue,
                |status| queue(*status),
            ),
        ];
        certificate.into_iter().chain(others).collect()
    }
}

/// `help` is what to do about a wrong answer.
fn answer<T>(
    name: &'static str,
    help: &'static str,
    fact: &Known<T>,
    judge: impl Fn(&T) -> (Judged, String),
) -> Answer {
    let (judged, found) = match fact {
        Known::Known(fact) => judge(fact),
        Known::Unknown(reason) => (Judged::Unknown, reason.clone()),
    };
    Answer { name, judged, found, help: (judged == Judged::Wrong).then_some(help) }
}

fn pages(page: &Page) -> (Judged, String) {
    match page.status {
        200 if page.not_configured => (Judged::Wrong, "/ answers 200, but the image has no pages".to_owned()),
        200 if page.html => (Judged::Right, "/ answers with a page".to_owned()),
        200 => (Judged::Wrong, "/ answers 200 without a page".to_owned()),
        status => (Judged::Wrong, format!("/ answers {status}")),
    }
}

fn health(health: &Health) -> (Judged, String) {
    match (health.status, health.state.as_deref()) {
        (200, Some("UP")) => (Judged::Right, "/health is UP".to_owned()),
        (200, _) => (Judged::Unknown, "/health answers 200 without a status".to_owned()),
        (code, state) => {
            let state = state.map_or_else(String::new, |state| format!(", {state}"));
            let down =
                if health.down.is_empty() { String::new() } else { format!(": {}", health.down.join(", ")) };
            (Judged::Wrong, format!("/health answers {code}{state}{down}"))
        }
    }
}

/// The redirect to the provider must carry the client and an address under the domain, with https.
fn sign_in(redirect: &Redirect, config: &Config) -> (Judged, String) {
    let Some(target) = redirect.target.as_ref().and_then(|target| Url::parse(target).ok()) else {
        let message = format!("{SIGN_IN} answers {} instead of a redirect", redirect.status);
        return (Judged::Wrong, message);
    };
    let parameter = |name: &str| {
        let mut pairs = target.query_pairs();
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let wanted = deployment::sign_in_redirect(&config.domain.name);
    let client = &config.app.oauth.client_id;
    let provider = target.host_str().unwrap_or_default();
    let Some(back) = parameter("redirect_uri") else {
        let message = format!("{SIGN_IN} redirects to {provider} without an address to return to");
        return (Judged::Wrong, message);
    };
    if back != wanted {
        return (Judged::Wrong, format!("sign-in returns to {back}, it should be {wanted}"));
    }
    match parameter("client_id") {
        Some(found) if found == *client => {}
        found => {
            let found = found.unwrap_or_default();
            return (Judged::Wrong, format!("sign-in uses client {found:?}, the config names {client:?}"));
        }
    }
    let issuer = Url::parse(&config.app.oauth.issuer).ok();
    if issuer.as_ref().and_then(Url::host_str) == Some(provider) {
        return (Judged::Right, format!("redirects to {provider} and back to {wanted}"));
    }
    // A provider may ask for the password at another host than its issuer's.
    (Judged::Unknown, format!("redirects to {provider}, which is not the issuer's host"))
}

fn queue(status: u16) -> (Judged, String) {
    match status {
        401 | 403 | 404 | 503 => (Judged::Right, format!("/rqueue answers {status}")),
        200..=399 => (Judged::Wrong, format!("/rqueue is open: it answers {status}")),
        _ => (Judged::Unknown, format!("/rqueue answers {status}")),
    }
}
