//! Renders `config.auto.tfvars.json` from answers. Pure.
//!
//! An existing config is edited: only the given answers are set, every other byte is kept.

pub mod network;

use serde_json::Value;

use crate::arn::{Arn, is_account_id};
use crate::document::Document;
use crate::explain::{Exit, Explain};

/// The shipped `config.auto.tfvars.json.tpl`.
pub const CONFIG: &str = include_str!("../../../terraform/invocation/config.auto.tfvars.json.tpl");

/// A question to the user.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The flag, without dashes.
    pub flag: &'static str,
    /// The place of the answer in the config.
    pub pointer: &'static str,
    /// The text of the question.
    pub prompt: &'static str,
    /// The explanation for `?`.
    pub help: &'static str,
}

const fn question(
    flag: &'static str,
    pointer: &'static str,
    prompt: &'static str,
    help: &'static str,
) -> Question {
    Question { flag, pointer, prompt, help }
}

/// Every question, in the order of asking.
pub const QUESTIONS: [Question; 8] = [
    question(
        "account-id",
        "/config/account_id",
        "AWS account id",
        "the 12 digits of the account in which OSMT will run; `aws sts get-caller-identity` shows it",
    ),
    question(
        "region",
        "/config/region",
        "AWS region",
        "where everything is created, such as us-west-2; it cannot be changed later without moving the data",
    ),
    question(
        "env",
        "/config/env",
        "name of the environment, like test or prod",
        "the names of all resources begin with it (osmt-test-…); lower-case letters, digits and hyphens, at most 16",
    ),
    question(
        "domain",
        DOMAIN,
        "host name of OSMT, like osmt.example.org",
        "the name that users type into the browser; without https:// and without a final dot",
    ),
    question(
        "hosted-zone-id",
        "/config/domain/hosted_zone_id",
        "id of the Route 53 zone that contains it, like Z0123456789ABCDEFGHIJ, or `none`",
        "the public hosted zone in which DNS records are created; `aws route53 list-hosted-zones` lists them. `none`: another team manages the domain's DNS, and `osmt-bootstrap certificate` prints the records for it",
    ),
    question(
        "oauth-issuer",
        "/config/app/oauth/issuer",
        "OAuth issuer, like https://example.okta.com/oauth2/default",
        "the URL of your identity provider's authorization server; docs/sign-in.md shows where to find it",
    ),
    question(
        "oauth-client-id",
        "/config/app/oauth/client_id",
        "OAuth client id",
        "the id of the application that you registered for OSMT with your identity provider; not its secret",
    ),
    question(
        "oauth-audience",
        "/config/app/oauth/audience",
        "OAuth audience, like api://default",
        "the audience of the tokens that your identity provider issues for OSMT",
    ),
];

/// Checks the value of `--assume-role`: the ARN of a role.
pub fn role(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
    match Arn::parse(text) {
        Some(Arn { partition, service: "iam", region: "", account, resource })
            if partition.starts_with("aws")
                && is_account_id(account)
                && resource
                    .strip_prefix("role/")
                    .is_some_and(|name| !name.is_empty() && name.chars().all(is_plain)) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("not the ARN of a role, such as arn:aws:iam::123456789012:role/terraform".to_owned()),
    }
}

/// Checks the value of `--domain`: a host name in lower case with at least two labels, without a wildcard and a final dot.
pub fn host_name(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(good)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.ends_with('.') {
        return Err("leave the final dot out".to_owned());
    }
    if text.starts_with("*.") {
        return Err("name one host; the certificate covers the names below it as well".to_owned());
    }
    if !text.is_ascii() {
        return Err("write the name in its ASCII form (Punycode, xn--…)".to_owned());
    }
    if text.contains('.') && text.len() <= 253 && text.split('.').all(label) {
        Ok(text.to_owned())
    } else {
        Err("not a host name such as osmt.example.org, in lower case".to_owned())
    }
}

/// The pointer to the host name.
pub const DOMAIN: &str = "/config/domain/name";
/// The pointer to the certificate's ARN.
pub const CERTIFICATE: &str = "/config/alb/certificate_arn";
/// The pointer to the VPC's address block.
pub const VPC: &str = "/config/vpc/vpc_cidr";
/// The pointer to the availability zones.
pub const ZONES: &str = "/config/vpc/azs";

/// The user's answers, from flags and questions; `None` changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// One for each question, in the order of [`QUESTIONS`].
    pub texts: [Option<String>; 8],
    /// The VPC's address block; the subnets are computed from it.
    pub vpc_cidr: Option<String>,
    /// The availability zones.
    pub azs: Option<Vec<String>>,
    /// An existing certificate.
    pub certificate_arn: Option<String>,
}

impl Answers {
    /// The given answers: flag and pointer.
    pub fn given(&self) -> Vec<(&'static str, &'static str)> {
        let texts = QUESTIONS.iter().zip(&self.texts);
        let texts = texts.filter(|(_, text)| text.is_some());
        let mut given: Vec<_> = texts.map(|(question, _)| (question.flag, question.pointer)).collect();
        given.extend(self.vpc_cidr.as_ref().map(|_| ("vpc-cidr", VPC)));
        given.extend(self.azs.as_ref().map(|_| ("azs", ZONES)));
        given.extend(self.certificate_arn.as_ref().map(|_| ("certificate-arn", CERTIFICATE)));
        given
    }

    /// The answer for a pointer, else the present value in the config.
    pub fn text(&self, config: &Document, pointer: &str) -> Option<String> {
        let index = QUESTIONS.iter().position(|question| question.pointer == pointer)?;
        self.texts[index].clone().or_else(|| text(config, pointer))
    }
}

/// The questions without an answer and without a value in the config, by index.
pub fn open_questions(config: &Document, answers: &Answers) -> Vec<usize> {
    (0..QUESTIONS.len())
        .filter(|&index| answers.texts[index].is_none())
        .filter(|&index| text(config, QUESTIONS[index].pointer).is_none())
        .collect()
}

/// Whether zones must be chosen: no flag names them, and the config has none in the region.
pub fn zones_are_open(config: &Document, answers: &Answers) -> bool {
    let region = answers.text(config, "/config/region").unwrap_or_default();
    answers.azs.is_none() && !are_in_region(&strings(config, ZONES), &region)
}

fn are_in_region(zones: &[String], region: &str) -> bool {
    !zones.is_empty() && zones.iter().all(|zone| zone.starts_with(region))
}

/// The text at a pointer; `None` if it is a placeholder of the template.
pub fn text(config: &Document, pointer: &str) -> Option<String> {
    let value = config.get(pointer)?.value();
    value.as_str().filter(|text| !(text.starts_with('<') && text.ends_with('>'))).map(str::to_owned)
}

/// Sets the answers in a config or in its template; every other byte is kept.
pub fn config(start: &Document, answers: &Answers) -> Result<String, Error> {
    let mut edit = Edit(start.clone());
    for (question, answer) in QUESTIONS.iter().zip(&answers.texts) {
        if let Some(answer) = answer {
            edit.set(question.pointer, &Value::from(answer.as_str()))?;
        }
    }
    if let Some(arn) = &answers.certificate_arn {
        edit.set(CERTIFICATE, &Value::from(arn.as_str()))?;
    }
    network(&mut edit, answers)?;
    Ok(edit.0.text().to_owned())
}

/// Computes zones and subnets. An existing network changes only if a flag or another region changes it.
fn network(edit: &mut Edit, answers: &Answers) -> Result<(), Error> {
    let region = text(&edit.0, "/config/region").unwrap_or_default();
    let present = strings(&edit.0, ZONES);
    let azs = match &answers.azs {
        Some(azs) => azs.clone(),
        None if are_in_region(&present, &region) => present.clone(),
        None => network::zones(&region),
    };
    if azs != present {
        edit.set(ZONES, &Value::from(azs.clone()))?;
    }
    if let Some(cidr) = &answers.vpc_cidr {
        edit.set(VPC, &Value::from(cidr.as_str()))?;
    }
    let private = "/config/vpc/subnets/private";
    let needs_other_count = azs != present && strings(&edit.0, private).len() != azs.len();
    if answers.vpc_cidr.is_some() || needs_other_count {
        let cidr = text(&edit.0, VPC).unwrap_or_default();
        let subnets = network::subnets(&cidr, azs.len()).map_err(Error::Network)?;
        edit.set(private, &Value::from(subnets.private))?;
        edit.set("/config/vpc/subnets/public", &Value::from(subnets.public))?;
    }
    Ok(())
}

fn strings(config: &Document, pointer: &str) -> Vec<String> {
    let value = config.get(pointer).map(crate::document::Node::value);
    value.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
}

/// A document under edit.
struct Edit(Document);

impl Edit {
    fn set(&mut self, pointer: &'static str, value: &Value) -> Result<(), Error> {
        let node = self.0.get(pointer).ok_or(Error::NoKey(pointer))?;
        if node.value() == *value {
            return Ok(());
        }
        let text = match value {
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(Value::to_string).collect();
                format!("[{}]", items.join(", "))
            }
            other => other.to_string(),
        };
        let text = self.0.spliced(node.span.clone(), &text);
        self.0 = Document::parse(text).map_err(|_| Error::NoKey(pointer))?;
        Ok(())
    }
}

/// Why the config cannot be rendered.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The block is not valid, or too small for the subnets.
    #[error("the VPC's block {0}")]
    Network(String),
    /// The config does not have the key for an answer.
    #[error("the config has no {0} to set")]
    NoKey(&'static str),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoKey(_) => Some("`osmt-doctor check` lists the missing keys".into()),
            Self::Network(_) => {
                Some("give another block with `--vpc-cidr`, or fewer zones with `--azs`".into())
            }
        }
    }
}
