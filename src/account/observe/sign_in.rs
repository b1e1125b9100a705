//! Asks the provider of sign-in what OSMT asks it at every start, and whether it knows the client. Sends no secret.

use serde::Deserialize;
use url::Url;

use crate::account::Known;
use crate::account::services::{Client, Metadata, SignIn};
use crate::config::Config;
use crate::deployment;
use crate::web::{Request, Web};

/// Asks both endpoints, one after the other: the first names the second.
pub(super) async fn sign_in(web: &Web, config: &Config) -> SignIn {
    let redirect = deployment::sign_in_redirect(&config.domain.name);
    let oauth = &config.app.oauth;
    let metadata = metadata(web, &oauth.issuer).await;
    let client = match &metadata {
        Known::Known(Metadata { authorization_endpoint: Some(endpoint), .. }) => {
            client(web, endpoint, &oauth.client_id, &redirect).await
        }
        Known::Known(_) => Known::Unknown("the provider names no authorization endpoint".to_owned()),
        Known::Unknown(reason) => Known::Unknown(reason.clone()),
    };
    SignIn { issuer: oauth.issuer.clone(), client_id: oauth.client_id.clone(), redirect, metadata, client }
}

async fn metadata(web: &Web, issuer: &str) -> Known<Metadata> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Said {
        issuer: Option<String>,
        authorization_endpoint: Option<String>,
    }
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let url = match https(&address) {
        Ok(url) => url,
        Err(reason) => return Known::Unknown(reason),
    };
    let request = Request { accept: "application/json", ..Request::get(url) };
    match web.send(request).await {
        Ok(reply) => {
            let said: Said = serde_json::from_slice(&reply.body).unwrap_or_default();
            Known::Known(Metadata {
                status: reply.status,
                issuer: said.issuer,
                authorization_endpoint: said.authorization_endpoint,
            })
        }
        Err(error) => Known::Unknown(error.to_string()),
    }
}

/// Asks for a sign-in without a page (`prompt=none`, OpenID Connect Core 1.0 §3.1.2.1): a provider that knows the client
/// and the redirect address leads back to the address with an error; one that does not must not lead anywhere.
async fn client(web: &Web, endpoint: &str, client_id: &str, redirect: &str) -> Known<Client> {
    let mut url = match https(endpoint) {
        Ok(url) => url,
        Err(reason) => return Known::Unknown(reason),
    };
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", redirect)
        .append_pair("scope", "openid")
        .append_pair("state", "osmt-doctor")
        .append_pair("nonce", "osmt-doctor")
        .append_pair("prompt", "none");
    match web.send(Request::get(url.clone())).await {
        Ok(reply) => {
            let target = reply.redirect(&url);
            let returns = target.as_ref().is_some_and(|target| {
                let mut bare = target.clone();
                bare.set_query(None);
                bare.set_fragment(None);
                bare.as_str() == redirect
            });
            let error = target.filter(|_| returns).and_then(|target| {
                let mut pairs = target.query_pairs();
                pairs.find(|(key, _)| key == "error").map(|(_, error)| error.into_owned())
            });
            Known::Known(Client { status: reply.status, returns, error })
        }
        Err(error) => Known::Unknown(error.to_string()),
    }
}

/// An address that may be asked: https, or a provider on this machine.
fn https(address: &str) -> Result<Url, String> {
    let url = Url::parse(address).map_err(|error| format!("{address} is not a URL: {error}"))?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() == "https" || local { Ok(url) } else { Err(format!("{address} is not an https URL")) }
}
