//! Renders the two files of the Terraform directory: `main.tf` and `config.auto.tfvars.json`. Pure.
//!
//! A config that exists is edited, not rendered anew: what the user wrote stays byte for byte, and only the answers
//! given now are set.

use serde_json::Value;

use super::network;
use crate::document::Document;
use crate::explain::Exit;
use crate::explain::Explain;

/// The shipped `main.tf.tpl`.
pub const MAIN_TF: &str = include_str!("../../terraform/invocation/main.tf.tpl");
/// The shipped `config.auto.tfvars.json.tpl`.
pub const CONFIG: &str = include_str!("../../terraform/invocation/config.auto.tfvars.json.tpl");

/// Something that only the user knows.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The flag, without dashes.
    pub flag: &'static str,
    /// Where the answer goes.
    pub pointer: &'static str,
    /// What to ask on a terminal.
    pub prompt: &'static str,
    /// Whether an answer can be right; the text says what it should be.
    pub check: fn(&str) -> Result<(), &'static str>,
}

/// Every question, in the order of asking.
pub const QUESTIONS: [Question; 8] = [
    Question {
        flag: "account-id",
        pointer: "/config/account_id",
        prompt: "AWS account id",
        check: |text| {
            when(
                text.len() == 12 && all(text, |c| c.is_ascii_digit()),
                "12 digits",
            )
        },
    },
    Question {
        flag: "region",
        pointer: "/config/region",
        prompt: "AWS region",
        check: region,
    },
    Question {
        flag: "env",
        pointer: "/config/env",
        prompt: "name of the environment, like test or prod",
        check: env,
    },
    Question {
        flag: "domain",
        pointer: "/config/domain/name",
        prompt: "host name of OSMT, like osmt.example.org",
        check: domain,
    },
    Question {
        flag: "hosted-zone-id",
        pointer: "/config/domain/hosted_zone_id",
        prompt: "id of the Route 53 zone that holds it, like Z0123456789ABCDEFGHIJ",
        check: |text| {
            when(
                (2..=32).contains(&text.len())
                    && all(text, |c| c.is_ascii_uppercase() || c.is_ascii_digit()),
                "capital letters and digits, at most 32",
            )
        },
    },
    Question {
        flag: "oauth-issuer",
        pointer: "/config/app/oauth/issuer",
        prompt: "OAuth issuer, like https://example.okta.com/oauth2/default",
        check: |text| {
            let host = text.strip_prefix("https://").unwrap_or_default();
            when(
                host.contains('.') && !text.contains(char::is_whitespace),
                "an https URL",
            )
        },
    },
    Question {
        flag: "oauth-client-id",
        pointer: "/config/app/oauth/client_id",
        prompt: "OAuth client id",
        check: word,
    },
    Question {
        flag: "oauth-audience",
        pointer: "/config/app/oauth/audience",
        prompt: "OAuth audience, like api://default",
        check: word,
    },
];

/// Where the certificate's ARN goes.
pub const CERTIFICATE: &str = "/config/alb/certificate_arn";

fn when(good: bool, wanted: &'static str) -> Result<(), &'static str> {
    if good { Ok(()) } else { Err(wanted) }
}

fn all(text: &str, good: impl Fn(char) -> bool) -> bool {
    text.chars().all(good)
}

fn region(text: &str) -> Result<(), &'static str> {
    let parts: Vec<&str> = text.split('-').collect();
    let good = match parts.as_slice() {
        [area, middle @ .., number] => {
            area.len() == 2
                && all(area, |c| c.is_ascii_lowercase())
                && !middle.is_empty()
                && middle
                    .iter()
                    .all(|part| !part.is_empty() && all(part, |c| c.is_ascii_lowercase()))
                && number.len() == 1
                && all(number, |c| c.is_ascii_digit())
        }
        _ => false,
    };
    when(good, "a region like us-west-2")
}

fn env(text: &str) -> Result<(), &'static str> {
    when(
        (2..=16).contains(&text.len())
            && all(text, |c| {
                c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
            })
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-')
            && !text.contains("--"),
        "2 to 16 lower-case letters, digits and single hyphens, beginning with a letter",
    )
}

fn domain(text: &str) -> Result<(), &'static str> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && all(label, |c| {
                c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
            })
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    when(
        text.contains('.') && text.len() <= 253 && text.split('.').all(label),
        "a host name in lower case, without https://",
    )
}

fn word(text: &str) -> Result<(), &'static str> {
    when(
        !text.is_empty() && !text.contains(char::is_whitespace),
        "text without white space",
    )
}

/// What the user answered; what is `None` stays as it stands.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// One a question, in the order of [`QUESTIONS`].
    pub texts: [Option<String>; 8],
    /// The VPC's block; the subnets follow from it.
    pub vpc_cidr: Option<String>,
    /// The zones.
    pub azs: Option<Vec<String>>,
    /// The certificate, where there is one already.
    pub certificate_arn: Option<String>,
}

impl Answers {
    /// The answer that goes to a pointer: given now, else as it stands.
    pub fn text(&self, config: &Document, pointer: &str) -> Option<String> {
        let index = QUESTIONS
            .iter()
            .position(|question| question.pointer == pointer)?;
        self.texts[index].clone().or_else(|| text(config, pointer))
    }
}

/// The questions that neither an answer nor the config settles, by index.
pub fn open_questions(config: &Document, answers: &Answers) -> Vec<usize> {
    (0..QUESTIONS.len())
        .filter(|&index| answers.texts[index].is_none())
        .filter(|&index| !settled(config, QUESTIONS[index].pointer))
        .collect()
}

/// Whether zones must be chosen: no flag names them, and those of the config are of another region.
pub fn zones_are_open(config: &Document, answers: &Answers) -> bool {
    let region = answers.text(config, "/config/region").unwrap_or_default();
    answers.azs.is_none() && !fit(&strings(config, "/config/vpc/azs"), &region)
}

fn fit(zones: &[String], region: &str) -> bool {
    !zones.is_empty() && zones.iter().all(|zone| zone.starts_with(region))
}

/// The text at a pointer, unless it is a placeholder of the template.
pub fn text(config: &Document, pointer: &str) -> Option<String> {
    let value = config.get(pointer)?.value();
    value
        .as_str()
        .filter(|text| !(text.starts_with('<') && text.ends_with('>')))
        .map(str::to_owned)
}

fn settled(config: &Document, pointer: &str) -> bool {
    text(config, pointer).is_some()
}

/// Sets the answers in a config, or in the template of one; every other byte stays.
pub fn config(start: &Document, answers: &Answers) -> Result<String, Error> {
    let mut edit = Edit(start.clone());
    for (question, answer) in QUESTIONS.iter().zip(&answers.texts) {
        if let Some(answer) = answer {
            (question.check)(answer).map_err(|wanted| Error::Answer {
                flag: question.flag,
                given: answer.clone(),
                wanted: wanted.to_owned(),
            })?;
            edit.set(question.pointer, &Value::from(answer.as_str()))?;
        }
    }
    if let Some(arn) = &answers.certificate_arn {
        if !arn.starts_with("arn:") || !arn.contains(":acm:") {
            return Err(Error::Answer {
                flag: "certificate-arn",
                given: arn.clone(),
                wanted: "the ARN of an ACM certificate".to_owned(),
            });
        }
        edit.set(CERTIFICATE, &Value::from(arn.as_str()))?;
    }
    network(&mut edit, answers)?;
    Ok(edit.0.text().to_owned())
}

fn network(edit: &mut Edit, answers: &Answers) -> Result<(), Error> {
    let region = text(&edit.0, "/config/region").unwrap_or_default();
    let present = strings(&edit.0, "/config/vpc/azs");
    let azs = match &answers.azs {
        Some(azs) => {
            check_zones(azs, &region)?;
            azs.clone()
        }
        None if fit(&present, &region) => present.clone(),
        None => network::zones(&region),
    };
    if azs != present {
        edit.set("/config/vpc/azs", &Value::from(azs.clone()))?;
    }
    if let Some(cidr) = &answers.vpc_cidr {
        edit.set("/config/vpc/vpc_cidr", &Value::from(cidr.as_str()))?;
    }
    let private = "/config/vpc/subnets/private";
    if answers.vpc_cidr.is_some() || strings(&edit.0, private).len() != azs.len() {
        let cidr = text(&edit.0, "/config/vpc/vpc_cidr").unwrap_or_default();
        let subnets = network::subnets(&cidr, azs.len()).map_err(Error::Network)?;
        edit.set(private, &Value::from(subnets.private))?;
        edit.set("/config/vpc/subnets/public", &Value::from(subnets.public))?;
    }
    Ok(())
}

fn check_zones(azs: &[String], region: &str) -> Result<(), Error> {
    let zone = |zone: &String| {
        zone.strip_prefix(region)
            .is_some_and(|letter| letter.len() == 1 && all(letter, |c| c.is_ascii_lowercase()))
    };
    let distinct = azs
        .iter()
        .enumerate()
        .all(|(index, zone)| !azs[..index].contains(zone));
    if azs.len() >= 2 && distinct && azs.iter().all(zone) {
        Ok(())
    } else {
        Err(Error::Answer {
            flag: "azs",
            given: azs.join(","),
            wanted: format!("two or more different zones of {region}, like {region}a,{region}b"),
        })
    }
}

fn strings(config: &Document, pointer: &str) -> Vec<String> {
    let value = config.get(pointer).map(crate::document::Node::value);
    value
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default()
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

/// Fills a template: `{{ name }}` becomes the value, a line whose name has none is left out.
pub fn main_tf(template: &str, values: &[(&str, Option<String>)]) -> Result<String, Error> {
    let mut rendered = String::new();
    'lines: for line in template.split_inclusive('\n') {
        let mut line = line.to_owned();
        while let Some((before, rest)) = line.split_once("{{") {
            let Some((name, after)) = rest.split_once("}}") else {
                return Err(Error::Template(line.trim().to_owned()));
            };
            match values.iter().find(|(known, _)| *known == name.trim()) {
                None => return Err(Error::Template(line.trim().to_owned())),
                Some((_, None)) => continue 'lines,
                Some((_, Some(value))) => line = format!("{before}{value}{after}"),
            }
        }
        rendered.push_str(&line);
    }
    Ok(rendered)
}

/// Why nothing can be rendered.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// An answer cannot be right.
    #[error("--{flag} {given}: it should be {wanted}")]
    Answer {
        /// Without dashes.
        flag: &'static str,
        /// The answer.
        given: String,
        /// What it should be.
        wanted: String,
    },
    /// The block cannot hold the subnets.
    #[error("--vpc-cidr {0}")]
    Network(String),
    /// The config lacks the place for an answer.
    #[error("the config has no {0} to set")]
    NoKey(&'static str),
    /// The template says what nobody knows.
    #[error("main.tf.tpl asks for what is not known: {0}")]
    Template(String),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoKey(_) => Some("`osmt-doctor check` tells which keys are missing".into()),
            Self::Template(_) => Some(
                "known are bucket, key, region, lock_table, use_lockfile, profile, account_id, env"
                    .into(),
            ),
            Self::Answer { .. } | Self::Network(_) => None,
        }
    }
}
