//! The one HTTP client: through the user's proxy, with the certificates that the user trusts.

use std::fmt;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use url::Url;

use super::{Error, Variables};

/// A host that was not reached.
#[derive(Debug, thiserror::Error)]
#[error("{host}{}", .proxy.as_deref().map(|proxy| format!(", through the proxy {proxy}")).unwrap_or_default())]
pub(super) struct Unreached {
    host: String,
    proxy: Option<String>,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// The client for all services. A proxy comes from the environment; a bundle of CA certificates replaces those of the system,
/// as in the AWS CLI.
pub(super) fn client(variables: &Variables, bundle: Option<Vec<u8>>) -> Result<SharedHttpClient, Error> {
    let proxy = Proxy::of(variables)?;
    let mut trust = TrustStore::default();
    if let Some(bundle) = bundle {
        trust = TrustStore::empty().with_pem_certificate(bundle);
    }
    // Building it cannot fail: it only keeps the store.
    let context = TlsContext::builder().with_trust_store(trust).build().unwrap_or_default();
    // The client takes `*` for all names, not for addresses.
    let exempt = variables.get("NO_PROXY").or(variables.get("no_proxy")).unwrap_or_default();
    let direct = exempt.split(',').any(|entry| entry.trim() == "*");
    let proxies = if direct { ProxyConfig::disabled() } else { ProxyConfig::from_env() };
    let inner = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.clone())
            .proxy_config(proxies.clone());
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder.build()
    });
    Ok(SharedHttpClient::new(Client { inner, proxy }))
}

/// The certificates in a file, as they are; refused where one cannot be used.
pub(super) fn certificates(name: &str, path: &str) -> Result<Vec<u8>, Error> {
    let wrong = |reason: String| Error::Bundle { name: name.to_owned(), path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        store.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(wrong("it holds no certificate in PEM form".to_owned()));
    }
    Ok(bytes)
}

/// The proxies that the environment names, as they are shown: without user and password.
#[derive(Clone, Debug, Default)]
struct Proxy {
    http: Option<String>,
    https: Option<String>,
}

impl Proxy {
    fn of(variables: &Variables) -> Result<Self, Error> {
        let one = |names: [&str; 4]| {
            let named = names.into_iter().find_map(|name| Some((name, variables.get(name)?)));
            named.map(|(name, value)| shown(name, value)).transpose()
        };
        Ok(Self {
            http: one(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])?,
            https: one(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])?,
        })
    }

    /// The proxy of a scheme, where one is set; `NO_PROXY` may exempt the host.
    fn of_scheme(&self, scheme: Option<&str>) -> Option<String> {
        if scheme == Some("http") { self.http.clone() } else { self.https.clone() }
    }
}

fn shown(name: &str, value: &str) -> Result<String, Error> {
    let whole = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let wrong = |reason| Error::Proxy { name: name.to_owned(), reason };
    let url = Url::parse(&whole).map_err(|error| wrong(error.to_string()))?;
    let host = url.host_str().ok_or_else(|| wrong("it names no host".to_owned()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("proxies of the scheme {} are not supported", url.scheme())));
    }
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{}://{host}{port} ({name})", url.scheme()))
}

#[derive(Debug)]
struct Client {
    inner: SharedHttpClient,
    proxy: Proxy,
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Named { inner, proxy: self.proxy.clone() })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

/// Names the host in every error.
struct Named {
    inner: SharedHttpConnector,
    proxy: Proxy,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Named")
    }
}

impl HttpConnector for Named {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let url = Url::parse(request.uri()).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned();
        let proxy = self.proxy.of_scheme(url.as_ref().map(Url::scheme));
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move { answer.await.map_err(|error| named(error, host, proxy)) })
    }
}

fn named(error: ConnectorError, host: String, proxy: Option<String>) -> ConnectorError {
    let (timeout, io, user) = (error.is_timeout(), error.is_io(), error.is_user());
    let (kind, connection) = (error.as_other(), error.connection_metadata().cloned());
    let source = Box::new(Unreached { host, proxy, source: error.into_source() });
    let error = if timeout {
        ConnectorError::timeout(source)
    } else if user {
        ConnectorError::user(source)
    } else if io {
        ConnectorError::io(source)
    } else {
        ConnectorError::other(source, kind)
    };
    match connection {
        Some(connection) => error.with_connection(connection),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        for (value, expected) in [
            ("http://ann:secret@proxy.example.org:8080", "http://proxy.example.org:8080 (HTTPS_PROXY)"),
            ("proxy:3128", "http://proxy:3128 (HTTPS_PROXY)"),
            ("https://proxy/", "https://proxy (HTTPS_PROXY)"),
        ] {
            assert_eq!(shown("HTTPS_PROXY", value).expect("a proxy"), expected);
        }
        for wrong in ["socks5://proxy:1080", "http://", "http://[::1"] {
            assert!(shown("HTTPS_PROXY", wrong).is_err(), "{wrong}");
        }
    }
}
