//! The one HTTP client: through the user's proxy, with the certificates that the user trusts.

mod proxy;
mod tunnel;

use std::fmt;
use std::sync::Arc;

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
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use url::Url;

use self::proxy::{Proxies, Proxy};
use self::tunnel::{Limited, Tunnelled};
use super::call::Unreached;
use super::error::Error;
use super::variables::Variables;

/// The one HTTP stack: AWS, registries and the application itself are reached through it, by the user's proxy and with the
/// certificates that the user trusts.
pub fn http_client(variables: &Variables) -> Result<SharedHttpClient, Error> {
    let bundle = variables.get("AWS_CA_BUNDLE").map(|path| certificates("AWS_CA_BUNDLE", path));
    trusting(variables, bundle.transpose()?)
}

pub(super) fn trusting(variables: &Variables, bundle: Option<Vec<u8>>) -> Result<SharedHttpClient, Error> {
    if let Some(path) = variables.get("SSL_CERT_FILE").filter(|_| bundle.is_none()) {
        certificates("SSL_CERT_FILE", path)?;
    }
    client(variables, bundle)
}

/// The client for all services. A proxy comes from the environment; a bundle of CA certificates replaces those of the system,
/// as in the AWS CLI.
fn client(variables: &Variables, bundle: Option<Vec<u8>>) -> Result<SharedHttpClient, Error> {
    let proxies = Proxies::of(variables)?;
    let tunnel = match &proxies.https {
        Some(proxy) => {
            let trusted = trusted(bundle.as_deref());
            let unusable = |error: Box<dyn std::error::Error>| Error::Proxy {
                name: proxy.shown.clone(),
                reason: error.to_string(),
            };
            Some(Tunnelled::new(proxy, trusted).map_err(unusable)?)
        }
        None => None,
    };
    let mut trust = TrustStore::default();
    if let Some(bundle) = bundle {
        trust = TrustStore::empty().with_pem_certificate(bundle);
    }
    // Building it cannot fail: it only keeps the store.
    let context = TlsContext::builder().with_trust_store(trust).build().unwrap_or_default();
    let plain = proxies.http.as_ref().and_then(plain).map(|proxy| sdk(context.clone(), proxy));
    let direct = sdk(context, ProxyConfig::disabled());
    Ok(SharedHttpClient::new(Client { direct, plain, tunnel, proxies: Arc::new(proxies) }))
}

/// The SDK's own client.
fn sdk(context: TlsContext, proxy: ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.clone())
            .proxy_config(proxy.clone());
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder.build()
    })
}

/// The proxy for `http://` addresses, as the SDK takes it.
fn plain(proxy: &Proxy) -> Option<ProxyConfig> {
    let config = ProxyConfig::http(proxy.url.as_str()).ok()?;
    // It makes an address of them again.
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    Some(match &proxy.login {
        Some(login) => config.with_basic_auth(encoded(&login.user), encoded(&login.password)),
        None => config,
    })
}

/// The certificates of a bundle, which was read before, or the system's.
fn trusted(bundle: Option<&[u8]>) -> RootCertStore {
    let mut store = RootCertStore::empty();
    match bundle {
        Some(bundle) => {
            store.add_parsable_certificates(CertificateDer::pem_slice_iter(bundle).flatten());
        }
        // One that cannot be read is left out, as by the SDK.
        None => drop(store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    store
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

#[derive(Debug)]
struct Client {
    /// Without a proxy.
    direct: SharedHttpClient,
    /// For `http://` addresses, through their proxy.
    plain: Option<SharedHttpClient>,
    /// For `https://` addresses, through their proxy.
    tunnel: Option<Tunnelled>,
    proxies: Arc<Proxies>,
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Named {
            direct: self.direct.http_connector(settings, components),
            plain: self.plain.as_ref().map(|plain| plain.http_connector(settings, components)),
            tunnel: self.tunnel.as_ref().map(|tunnel| tunnel.limited(settings)),
            proxies: Arc::clone(&self.proxies),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.direct.connector_metadata()
    }
}

/// Chooses the way to a host, and names the host in every error.
struct Named {
    direct: SharedHttpConnector,
    plain: Option<SharedHttpConnector>,
    tunnel: Option<Limited>,
    proxies: Arc<Proxies>,
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
        let proxy = url.as_ref().and_then(|url| self.proxies.of_url(url));
        let is_plain = url.is_some_and(|url| url.scheme() == "http");
        let answer = match (proxy, is_plain, &self.tunnel, &self.plain) {
            (Some(_), false, Some(tunnel), _) => tunnel.call(request),
            (Some(_), true, _, Some(plain)) => plain.call(request),
            _ => self.direct.call(request),
        };
        let proxy = proxy.map(|proxy| proxy.shown.clone());
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
