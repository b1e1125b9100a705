//! Asks EC2 by its Query form, with the parts that the SDKs are made of: the SDK for EC2 is larger than all the others
//! together, and few of its operations are wanted here.
//!
//! Signing, retries, timeouts, connections and the call log are the SDKs' own; a question is an action with
//! parameters, an answer is XML of which single fields and flat lists are read.

use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::SCHEME_ID;
use aws_runtime::auth::sigv4::SigV4AuthScheme;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::orchestrator::operation::OperationBuilder;
use aws_smithy_runtime::client::retries::classifiers::HttpStatusCodeClassifier;
use aws_smithy_runtime::client::retries::classifiers::TransientErrorClassifier;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::ErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::retry::RetryMode;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_smithy_xml::decode::Document;
use aws_smithy_xml::decode::XmlDecodeError;
use aws_smithy_xml::decode::try_data;
use aws_types::SigningName;
use aws_types::region::Region;
use aws_types::region::SigningRegion;
use aws_types::service_config::ServiceConfigKey;

use super::CallError;
use super::Session;
use super::call;
use super::listener::Listener;

/// The version of EC2's interface, which has not changed since.
const VERSION: &str = "2016-11-15";
const AGENT: &str = concat!("osmt-toolkit/", env!("CARGO_PKG_VERSION"));

/// What EC2 said.
#[derive(Clone, Debug)]
pub struct Answer {
    operation: &'static str,
    xml: String,
}

impl Session {
    /// Asks EC2 in a region: `ec2:DescribeRegions`. What goes into `parameters` must need no escaping in a URL.
    pub async fn ec2(
        &self,
        region: &str,
        operation: &'static str,
        parameters: &[(&str, &str)],
    ) -> Result<Answer, CallError> {
        let action = operation.trim_start_matches("ec2:");
        let mut uri = format!("/?Action={action}&Version={VERSION}");
        for (name, value) in parameters {
            uri = format!("{uri}&{name}={value}");
        }
        let question = self
            .ec2_operation(region, action)
            .serializer(|uri: String| {
                let mut request = HttpRequest::new(SdkBody::empty());
                request.set_uri(uri)?;
                request.headers_mut().insert("user-agent", AGENT);
                Ok(request)
            })
            .deserializer(read)
            .build();
        let xml = call(operation, question.invoke(uri).await)?;
        Ok(Answer { operation, xml })
    }

    fn ec2_operation(&self, region: &str, action: &'static str) -> OperationBuilder {
        let mut settings = Layer::new("ec2");
        settings.store_put(AuthSchemeOptionResolverParams::new(()));
        settings.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(Region::new(region.to_owned()))),
            name: Some(SigningName::from_static("ec2")),
            ..SigV4OperationSigningConfig::default()
        });
        let resolver = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
        let mut parts = RuntimeComponentsBuilder::new("ec2")
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
        let builder = Operation::builder()
            .service_name("EC2")
            .operation_name(action)
            .endpoint_url(&self.ec2_endpoint(region))
            // A handful of reads needs no limit on its own pace.
            .standard_retry(&retries.with_retry_mode(RetryMode::Standard))
            .timeout_config(timeouts.unwrap_or_else(TimeoutConfig::disabled))
            .with_connection_poisoning()
            .runtime_plugin(
                StaticRuntimePlugin::new()
                    .with_config(settings.freeze())
                    .with_runtime_components(parts),
            );
        match &self.log {
            Some(log) => builder.interceptor(Listener(log.clone())),
            None => builder,
        }
    }

    /// `--endpoint-url`, else `AWS_ENDPOINT_URL_EC2`, else the endpoint of all services, else AWS's own.
    fn ec2_endpoint(&self, region: &str) -> String {
        let given = self.config.endpoint_url().map(str::to_owned);
        let special = || {
            let key = ServiceConfigKey::builder()
                .service_id("EC2")
                .env("AWS_ENDPOINT_URL")
                .profile("endpoint_url")
                .build()
                .ok()?;
            self.config.service_config()?.load_config(key)
        };
        let chosen = if self.config.get_origin("endpoint_url").is_client_config() {
            given
        } else {
            special().or(given)
        };
        chosen.unwrap_or_else(|| host(region, self.config.use_fips() == Some(true)))
    }
}

/// Where EC2 answers in a region.
fn host(region: &str, fips: bool) -> String {
    let fips = if fips { "-fips" } else { "" };
    let china = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://ec2{fips}.{region}.amazonaws.com{china}")
}

fn read(response: &HttpResponse) -> Result<String, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    let text = String::from_utf8_lossy(body).into_owned();
    if response.status().is_success() {
        Ok(text)
    } else {
        Err(OrchestratorError::operation(refusal(&text)))
    }
}

/// Code and message of a refusal; without them the status tells.
fn refusal(xml: &str) -> ErrorMetadata {
    let mut refusal = ErrorMetadata::builder();
    if let Ok(rows) = rows(xml, "Errors", ["Code", "Message"])
        && let Some([code, message]) = rows.into_iter().next()
        && !code.is_empty()
    {
        refusal = refusal.code(code).message(message);
    }
    refusal.build()
}

impl Answer {
    /// A field of the answer itself; empty where it is not said.
    pub fn field(&self, name: &str) -> Result<String, CallError> {
        field(&self.xml, name).map_err(|error| CallError::broken(self.operation, &error))
    }

    /// The items of a list, each with these fields; one that is not said is empty.
    pub fn rows<const N: usize>(
        &self,
        list: &str,
        fields: [&str; N],
    ) -> Result<Vec<[String; N]>, CallError> {
        rows(&self.xml, list, fields).map_err(|error| CallError::broken(self.operation, &error))
    }
}

/// The reader takes the end of the text for the end of a list: a list is only believed where the text is whole.
fn whole(xml: &str) -> Result<&str, XmlDecodeError> {
    let mut document = Document::new(xml);
    let root = document.root_element()?;
    let name = root.start_el().local();
    let end = xml.trim_end().strip_suffix('>').map(str::trim_end);
    match end.and_then(|xml| xml.strip_suffix(name)) {
        Some(before) if before.ends_with("</") => Ok(xml),
        _ => Err(XmlDecodeError::custom("the answer broke off")),
    }
}

fn field(xml: &str, name: &str) -> Result<String, XmlDecodeError> {
    let mut document = Document::new(whole(xml)?);
    let mut root = document.root_element()?;
    while let Some(mut tag) = root.next_tag() {
        if tag.start_el().matches(name) {
            return Ok(try_data(&mut tag)?.into_owned());
        }
    }
    Ok(String::new())
}

fn rows<const N: usize>(
    xml: &str,
    list: &str,
    fields: [&str; N],
) -> Result<Vec<[String; N]>, XmlDecodeError> {
    let mut found = Vec::new();
    let mut document = Document::new(whole(xml)?);
    let mut root = document.root_element()?;
    while let Some(mut tag) = root.next_tag() {
        if !tag.start_el().matches(list) {
            continue;
        }
        while let Some(mut item) = tag.next_tag() {
            let mut row = [const { String::new() }; N];
            while let Some(mut value) = item.next_tag() {
                let at = fields
                    .iter()
                    .position(|name| value.start_el().matches(name));
                if let Some(at) = at {
                    row[at] = try_data(&mut value)?.into_owned();
                }
            }
            found.push(row);
        }
        return Ok(found);
    }
    Err(XmlDecodeError::custom(format!("the answer has no {list}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeAvailabilityZonesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>1</requestId>
  <availabilityZoneInfo>
    <item><zoneName>us-east-1a</zoneName><messageSet/><zoneState>available</zoneState></item>
    <item><messageSet><item><message>a &lt; b</message></item></messageSet><zoneName>us-east-1b</zoneName></item>
  </availabilityZoneInfo>
</DescribeAvailabilityZonesResponse>"#;

    #[test]
    fn lists_and_fields_are_read_and_what_is_not_said_is_empty() {
        let zones = rows(ZONES, "availabilityZoneInfo", ["zoneName", "zoneState"]).unwrap();
        assert_eq!(zones, [["us-east-1a", "available"], ["us-east-1b", ""]]);
        assert_eq!(field(ZONES, "requestId").unwrap(), "1");
        assert_eq!(field(ZONES, "other").unwrap(), "");
    }

    #[test]
    fn an_answer_that_is_none_is_an_error_and_never_an_empty_list() {
        for broken in [
            "",
            "<html>",
            "<a/>",
            &ZONES[..330],
            &ZONES[..ZONES.len() - 9],
        ] {
            assert!(
                rows(broken, "availabilityZoneInfo", ["zoneName"]).is_err(),
                "{broken}"
            );
        }
        assert!(field("", "requestId").is_err());
    }

    #[test]
    fn a_refusal_tells_code_and_message_or_nothing() {
        let xml = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized</Message></Error></Errors><RequestID>x</RequestID></Response>";
        assert_eq!(refusal(xml).code(), Some("UnauthorizedOperation"));
        assert_eq!(refusal(xml).message(), Some("You are not authorized"));
        assert_eq!(refusal("<html>no</html>").code(), None);
        assert_eq!(refusal("").code(), None);
    }

    #[test]
    fn each_partition_has_its_host() {
        assert_eq!(
            host("us-west-2", false),
            "https://ec2.us-west-2.amazonaws.com"
        );
        assert_eq!(
            host("us-gov-west-1", true),
            "https://ec2-fips.us-gov-west-1.amazonaws.com"
        );
        assert_eq!(
            host("cn-north-1", false),
            "https://ec2.cn-north-1.amazonaws.com.cn"
        );
    }
}
