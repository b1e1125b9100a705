//! Asks services of which little is wanted, without their SDKs: with the parts that the SDKs are made of.
//!
//! Signing, retries, timeouts, connections and the call log are the SDKs' own. What is asked goes by the protocol of the
//! service (EC2 Query, REST with XML or JSON, JSON 1.1).

pub mod ecs;
pub mod route53;
mod services;
mod xml;

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::{Operation, OperationBuilder};
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::ErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use serde_json::Value;

use self::xml::Nested;
use super::call::{CallError, call};
use super::endpoint::{Kind, host};
use super::listener::Listener;
use super::session::Session;
use crate::arn::Partition;

const AGENT: &str = concat!("osmt-toolkit/", env!("CARGO_PKG_VERSION"));

/// A service that is asked without its SDK.
#[derive(Debug)]
struct Service {
    /// As AWS's own settings call it: `S3 Control` is `AWS_ENDPOINT_URL_S3_CONTROL`.
    id: &'static str,
    /// The first part of its host's name.
    host: &'static str,
    /// What a signature calls it.
    signing: &'static str,
}

const EC2: Service = Service { id: "EC2", host: "ec2", signing: "ec2" };
const S3_CONTROL: Service = Service { id: "S3 Control", host: "s3-control", signing: "s3" };
const CLOUDTRAIL: Service = Service { id: "CloudTrail", host: "cloudtrail", signing: "cloudtrail" };
const ACCESS_ANALYZER: Service =
    Service { id: "AccessAnalyzer", host: "access-analyzer", signing: "access-analyzer" };
const ECS: Service = Service { id: "ECS", host: "ecs", signing: "ecs" };
/// One for each partition, in no Region.
const ROUTE_53: Service = Service { id: "Route 53", host: "route53", signing: "route53" };

/// A request. Nothing in `uri` may need escaping.
#[derive(Debug, Default)]
struct Question {
    method: &'static str,
    uri: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// A service's response.
#[derive(Clone, Debug)]
pub struct Answer {
    operation: &'static str,
    text: String,
}

impl Session {
    /// Asks EC2 in a region by its Query form: `ec2:DescribeRegions`.
    pub async fn ec2(&self, region: &str, operation: &'static str) -> Result<Answer, CallError> {
        self.ec2_with(region, operation, &[]).await
    }

    /// Asks EC2 with parameters, such as filters: names and ids, of which none needs escaping.
    pub async fn ec2_with(
        &self,
        region: &str,
        operation: &'static str,
        parameters: &[(&str, &str)],
    ) -> Result<Answer, CallError> {
        let action = operation.trim_start_matches("ec2:");
        // The version of EC2's interface, which has not changed since.
        let mut uri = format!("/?Action={action}&Version=2016-11-15");
        for (name, value) in parameters {
            uri.extend(["&", name, "=", value]);
        }
        let question = Question { method: "GET", uri, ..Question::default() };
        self.ask(&EC2, region, operation, question).await
    }

    /// Asks S3 about the whole account: `s3:GetAccountPublicAccessBlock`. A document is put, without one it is read.
    pub async fn s3_control(
        &self,
        operation: &'static str,
        path: &str,
        document: Option<String>,
    ) -> Result<Answer, CallError> {
        let question = Question {
            method: if document.is_some() { "PUT" } else { "GET" },
            uri: format!("/v20180820/{path}"),
            headers: vec![("x-amz-account-id", self.account_id.clone())],
            body: document.unwrap_or_default(),
        };
        self.ask(&S3_CONTROL, &self.region, operation, question).await
    }

    /// Asks `CloudTrail` by its JSON form: `cloudtrail:DescribeTrails`.
    pub async fn cloudtrail(&self, operation: &'static str, parameters: &Value) -> Result<Answer, CallError> {
        let action = operation.trim_start_matches("cloudtrail:");
        let target = format!("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{action}");
        let question = Question {
            method: "POST",
            uri: "/".to_owned(),
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", target),
            ],
            body: parameters.to_string(),
        };
        self.ask(&CLOUDTRAIL, &self.region, operation, question).await
    }

    /// Reads a path of IAM Access Analyzer: `access-analyzer:ListAnalyzers`.
    pub async fn access_analyzer(&self, operation: &'static str, path: &str) -> Result<Answer, CallError> {
        let question = Question { method: "GET", uri: path.to_owned(), ..Question::default() };
        self.ask(&ACCESS_ANALYZER, &self.region, operation, question).await
    }

    async fn ask(
        &self,
        service: &'static Service,
        region: &str,
        operation: &'static str,
        question: Question,
    ) -> Result<Answer, CallError> {
        let name = operation.split_once(':').map_or(operation, |(_, name)| name);
        let asked = self
            .operation(service, region, name)
            .serializer(|question: Question| {
                let mut request = http::Request::builder()
                    .method(question.method)
                    .uri(question.uri)
                    .header("user-agent", AGENT);
                for (name, value) in question.headers {
                    request = request.header(name, value);
                }
                let request = request.body(SdkBody::from(question.body))?;
                Ok(HttpRequest::try_from(request)?)
            })
            .deserializer(read)
            .build();
        let text = call(operation, asked.invoke(question).await)?;
        Ok(Answer { operation, text })
    }

    fn operation(&self, service: &'static Service, region: &str, name: &'static str) -> OperationBuilder {
        let mut settings = Layer::new(service.id);
        settings.store_put(AuthSchemeOptionResolverParams::new(()));
        let signing = if service.id == ROUTE_53.id { Partition::of(region).home_region } else { region };
        let mut signature = SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(Region::new(signing.to_owned()))),
            name: Some(SigningName::from_static(service.signing)),
            ..SigV4OperationSigningConfig::default()
        };
        // S3 requires the checksum of the body, and a path that is not encoded a second time.
        if service.signing == "s3" {
            signature.signing_options.content_sha256_header = true;
            signature.signing_options.double_uri_encode = false;
            signature.signing_options.normalize_uri_path = false;
        }
        settings.store_put(signature);
        let resolver = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
        let mut parts = RuntimeComponentsBuilder::new(service.id)
            .with_http_client(self.config.http_client())
            .with_sleep_impl(self.config.sleep_impl())
            .with_time_source(self.config.time_source())
            .with_identity_cache(self.config.identity_cache())
            .with_auth_scheme_option_resolver(Some(resolver))
            .with_auth_scheme(SigV4AuthScheme::new())
            .with_retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .with_retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
            .with_retry_classifier(HttpStatusCodeClassifier::default());
        if let Some(provider) = self.config.credentials_provider() {
            parts.set_identity_resolver(SCHEME_ID, provider);
        }
        let timeouts = self.config.timeout_config().cloned();
        let retries = self.config.retry_config().cloned();
        let retries = retries.unwrap_or_else(RetryConfig::standard);
        let endpoint = self.endpoint(service.id).unwrap_or_else(|| {
            let fips = self.config.use_fips() == Some(true);
            let dual = self.config.use_dual_stack() == Some(true);
            format!("https://{}", host(service.host, &self.account_id, region, Kind { fips, dual }))
        });
        let builder = Operation::builder()
            .service_name(service.id)
            .operation_name(name)
            .endpoint_url(&endpoint)
            .standard_retry(&retries)
            .timeout_config(timeouts.unwrap_or_else(TimeoutConfig::disabled))
            .with_connection_poisoning()
            .runtime_plugin(
                StaticRuntimePlugin::new().with_config(settings.freeze()).with_runtime_components(parts),
            );
        match &self.log {
            Some(log) => builder.interceptor(Listener(log.clone())),
            None => builder,
        }
    }
}

fn read(response: &HttpResponse) -> Result<String, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    let text = String::from_utf8_lossy(body).into_owned();
    if response.status().is_success() {
        return Ok(text);
    }
    let kind = response.headers().get("x-amzn-errortype");
    Err(OrchestratorError::operation(refusal(&text, kind)))
}

/// Code and message of a refusal, in whichever form; without them the status decides.
fn refusal(text: &str, kind: Option<&str>) -> ErrorMetadata {
    let said = match serde_json::from_str::<Value>(text) {
        Ok(json) => {
            let code = kind.or(json["__type"].as_str()).or(json["code"].as_str());
            let message = json["message"].as_str().or(json["Message"].as_str());
            code.map(|code| {
                // `com.amazonaws.cloudtrail#AccessDenied`, `AccessDenied:http://…`
                let code = code.rsplit('#').next().unwrap_or(code);
                let code = code.split(':').next().unwrap_or(code);
                (code.to_owned(), message.unwrap_or_default().to_owned())
            })
        }
        Err(_) => xml::refusal(text),
    };
    let mut refusal = ErrorMetadata::builder();
    if let Some((code, message)) = said.filter(|(code, _)| !code.is_empty()) {
        refusal = refusal.code(code);
        if !message.is_empty() {
            refusal = refusal.message(message);
        }
    }
    refusal.build()
}

impl Answer {
    /// A field of an XML answer itself; empty if the answer does not have it.
    pub fn field(&self, name: &str) -> Result<String, CallError> {
        xml::field(&self.text, name).map_err(|error| CallError::unreadable(self.operation, &error))
    }

    /// The items of a list in an XML answer, each with these fields; a missing one is empty.
    pub fn rows<const N: usize>(&self, list: &str, fields: [&str; N]) -> Result<Vec<[String; N]>, CallError> {
        xml::rows(&self.text, list, fields).map_err(|error| CallError::unreadable(self.operation, &error))
    }

    /// The same, with fields at any depth in the item.
    pub fn deep_rows<const N: usize>(
        &self,
        list: &str,
        fields: [&str; N],
    ) -> Result<Vec<[String; N]>, CallError> {
        xml::deep_rows(&self.text, list, fields)
            .map_err(|error| CallError::unreadable(self.operation, &error))
    }

    /// The items of a list in an XML answer, each with these fields, and with those of every element named `inner` in it.
    pub fn nested_rows<const N: usize, const M: usize>(
        &self,
        list: &str,
        fields: [&str; N],
        inner: &str,
        inner_fields: [&str; M],
    ) -> Result<Vec<Nested<N, M>>, CallError> {
        xml::nested_rows(&self.text, list, fields, inner, inner_fields)
            .map_err(|error| CallError::unreadable(self.operation, &error))
    }

    /// The start of the next page of an XML answer, if there is one.
    pub fn marker(&self) -> Result<Option<String>, CallError> {
        xml::marker(&self.text).map_err(|error| CallError::unreadable(self.operation, &error))
    }

    /// A JSON answer, as far as `T` wants it; a field that is null counts as one that is not there.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, CallError> {
        let read = || {
            let mut value = serde_json::from_str(&self.text)?;
            remove_nulls(&mut value);
            serde_json::from_value(value)
        };
        read().map_err(|error| CallError::unreadable(self.operation, &error))
    }
}

fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(remove_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_gives_code_and_message_in_every_form_or_nothing() {
        for (text, kind, code, message) in [
            (
                "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>",
                None,
                Some("UnauthorizedOperation"),
                Some("no"),
            ),
            (
                "<ErrorResponse><Error><Code>NoSuchPublicAccessBlockConfiguration</Code><Message>none</Message><AccountId>1</AccountId></Error></ErrorResponse>",
                None,
                Some("NoSuchPublicAccessBlockConfiguration"),
                Some("none"),
            ),
            ("<Error><Code>SlowDown</Code></Error>", None, Some("SlowDown"), None),
            (
                r#"{"__type":"com.amazonaws.cloudtrail#AccessDeniedException","Message":"no"}"#,
                None,
                Some("AccessDeniedException"),
                Some("no"),
            ),
            (
                r#"{"message":"no"}"#,
                Some("AccessDeniedException:http://internal.amazon.com/"),
                Some("AccessDeniedException"),
                Some("no"),
            ),
            ("<html>no</html>", None, None, None),
            ("", None, None, None),
        ] {
            let read = refusal(text, kind);
            assert_eq!((read.code(), read.message()), (code, message), "{text}");
        }
    }
}
