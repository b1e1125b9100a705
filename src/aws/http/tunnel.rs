//! Requests to `https://` addresses through a proxy: inside the tunnel that the proxy opens they are sent as to the server
//! itself.
//!
//! The client of the AWS SDK (aws-smithy-http-client 1.1) marks the tunnel as a connection to the proxy, and then writes
//! whole addresses into the request line, which is meant for requests that a proxy reads. This one is made of the same parts.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};

use super::proxy::{Login, Proxy};

/// How long a TCP connection to the proxy may take.
const CONNECT: Duration = Duration::from_secs(5);

/// TLS to the server, inside a tunnel that begins with a connection (TLS or not) to the proxy.
type Connector = HttpsConnector<Tunnel<HttpsConnector<Tcp>>>;

/// The client behind a proxy; its copies share their connections.
#[derive(Clone, Debug)]
pub(super) struct Tunnelled {
    client: Client<Connector, SdkBody>,
}

/// The client with the limits of one operation.
#[derive(Debug)]
pub(super) struct Limited {
    client: Client<Connector, SdkBody>,
    limit: Option<Duration>,
}

impl Tunnelled {
    /// Trusts these certificates, at the server and at the proxy.
    pub(super) fn new(proxy: &Proxy, trusted: RootCertStore) -> Result<Self, Box<dyn StdError>> {
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        let to_proxy = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let mut tunnel = Tunnel::new(proxy.url.as_str().parse::<Uri>()?, to_proxy);
        if let Some(header) = proxy.login.as_ref().and_then(Login::header) {
            tunnel = tunnel.with_auth(header);
        }
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_only()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tunnel);
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Ok(Self { client })
    }

    pub(super) fn limited(&self, settings: &HttpConnectorSettings) -> Limited {
        let connect = settings.connect_timeout().unwrap_or(CONNECT);
        Limited { client: self.client.clone(), limit: settings.read_timeout().map(|read| connect + read) }
    }
}

impl HttpConnector for Limited {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&connection));
        }
        let (answer, limit) = (self.client.request(request), self.limit);
        HttpConnectorFuture::new(async move {
            let answer = match limit {
                Some(limit) => tokio::time::timeout(limit, answer)
                    .await
                    .map_err(|error| ConnectorError::timeout(error.into()))?,
                None => answer.await,
            };
            let answer = answer.map_err(failed)?.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// What the SDK needs to give up a connection over which an error came.
fn metadata(capture: &CaptureConnection) -> Option<ConnectionMetadata> {
    let proxied = capture.connection_metadata().as_ref()?.is_proxied();
    let capture = capture.clone();
    let poison = move || {
        if let Some(connection) = capture.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(proxied).poison_fn(poison).build())
}

/// Whatever fails here fails between two computers, and may be tried again.
fn failed(error: legacy::Error) -> ConnectorError {
    ConnectorError::io(error.into())
}
