//! HTTP requests to servers other than AWS, with the same HTTP client and proxy settings.
//!
//! An HTTP error status is a reply, not an error. Redirects are not followed.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error as ThisError;
use url::Url;

const USER_AGENT: &str = concat!("osmt-toolkit/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REPLY_TIMEOUT: Duration = Duration::from_secs(20);

/// An HTTP client.
#[derive(Clone, Debug)]
pub struct Web {
    http: SharedHttpClient,
}

/// A request: `POST` if it has a form, otherwise `GET`.
#[derive(Clone, Debug)]
pub struct Request {
    /// The URL.
    pub url: Url,
    /// The `Accept` header.
    pub accept: &'static str,
    /// The `Authorization` header.
    pub authorization: Option<SecretString>,
    /// The URL-encoded form.
    pub form: Option<SecretString>,
}

impl Request {
    /// A plain `GET`.
    pub fn get(url: Url) -> Self {
        Self { url, accept: "*/*", authorization: None, form: None }
    }
}

/// A reply.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Reply {
    /// The first header with a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers_of(name).next()
    }

    /// All headers with a name.
    pub fn headers_of(&self, name: &str) -> impl Iterator<Item = &str> {
        let same = move |(header, _): &&(String, String)| header.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| value.as_str())
    }

    /// The target of a redirect; `None` if the reply is not a redirect.
    pub fn redirect(&self, from: &Url) -> Option<Url> {
        let location = self.header("location").filter(|_| (300..400).contains(&self.status))?;
        from.join(location).ok()
    }
}

/// No reply was received.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error("could not reach {host}: {cause}")]
pub struct Error {
    /// The host, with its port if the URL has one.
    pub host: String,
    /// The innermost cause.
    pub cause: String,
    /// Whether the host's certificate is not valid.
    pub bad_certificate: bool,
}

impl Web {
    /// Uses the HTTP client of the AWS SDK.
    pub fn new(http: SharedHttpClient) -> Self {
        Self { http }
    }

    /// Sends one request.
    pub async fn send(&self, request: Request) -> Result<Reply, Error> {
        let host = host(&request.url);
        let origin = request.url.origin().ascii_serialization();
        let operation = Operation::builder()
            .service_name("web")
            .operation_name("send")
            .http_client(self.http.clone())
            .endpoint_url(&origin)
            .no_auth()
            .no_retry()
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(REPLY_TIMEOUT)
                    .build(),
            )
            .with_connection_poisoning()
            .serializer(|request: Request| {
                let path = &request.url[url::Position::BeforePath..url::Position::AfterQuery];
                let mut built = http::Request::builder()
                    .method(if request.form.is_some() { "POST" } else { "GET" })
                    .uri(path)
                    .header("user-agent", USER_AGENT)
                    .header("accept", request.accept);
                if let Some(authorization) = &request.authorization {
                    built = built.header("authorization", authorization.expose_secret());
                }
                let body = match &request.form {
                    Some(form) => {
                        built = built.header("content-type", "application/x-www-form-urlencoded");
                        SdkBody::from(form.expose_secret().as_bytes())
                    }
                    None => SdkBody::empty(),
                };
                Ok(HttpRequest::try_from(built.body(body)?)?)
            })
            .deserializer(|response: &HttpResponse| {
                let headers = response.headers().iter();
                Ok::<_, aws_smithy_runtime_api::client::orchestrator::OrchestratorError<NoError>>(Reply {
                    status: response.status().as_u16(),
                    body: response.body().bytes().unwrap_or_default().to_vec(),
                    headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                })
            })
            .build();
        operation.invoke(request).await.map_err(|error| Error {
            cause: innermost(&error),
            bad_certificate: causes(&error).any(is_certificate),
            host,
        })
    }
}

/// The SDK's operations need an error type. It is never used, because every status is a reply.
#[derive(Debug, ThisError)]
#[error("never used")]
struct NoError;

fn innermost(error: &SdkError<NoError, HttpResponse>) -> String {
    if matches!(error, SdkError::TimeoutError(_)) {
        return "no answer in time".to_owned();
    }
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// An error and its causes, outermost first.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let current = next?;
        next = current.source();
        Some(current)
    })
}

/// Whether a cause is that the host's certificate is not valid.
pub fn is_certificate(cause: &(dyn StdError + 'static)) -> bool {
    // `io::Error::source` skips the inner error, which may itself be an `io::Error`.
    let mut cause = cause;
    while let Some(inner) = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        cause = inner;
    }
    matches!(cause.downcast_ref::<rustls::Error>(), Some(rustls::Error::InvalidCertificate(_)))
}

/// `registry.example.org:5000`
pub fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}
