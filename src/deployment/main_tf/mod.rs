//! `main.tf`: rendered from the template once, then parsed and edited without changing any other byte. Pure.

mod edit;

use std::collections::BTreeMap;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};

use super::{Deployment, Lock, StateBackend, tags};
use crate::explain::{Exit, Explain};

/// The shipped `main.tf.tpl`.
pub const TEMPLATE: &str = include_str!("../../../terraform/invocation/main.tf.tpl");

/// The values that `main.tf` gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// The deployment.
    pub deployment: Deployment,
    /// The backend of its state.
    pub backend: StateBackend,
    /// A profile to be written; `None` keeps an existing one.
    pub profile: Option<String>,
    /// A role for Terraform to assume; `None` keeps an existing one.
    pub assume_role: Option<String>,
}

/// An attribute: its span, the span of its value, and the value if it is a literal.
#[derive(Clone, Debug)]
struct Attribute {
    span: Range<usize>,
    value: Range<usize>,
    literal: Option<String>,
}

type Attributes = BTreeMap<String, Attribute>;

/// A block: its span and its attributes.
#[derive(Clone, Debug)]
struct Settings {
    span: Range<usize>,
    attributes: Attributes,
    /// `role_arn` of `assume_role`, which may be an attribute or a block.
    assumed_role: Option<Attribute>,
}

/// A parsed `main.tf`.
#[derive(Clone, Debug)]
pub struct MainTf {
    text: String,
    backend: Option<Settings>,
    provider: Option<Settings>,
    /// The provider's default tag `Environment`.
    env: Option<Attribute>,
    /// The provider's default tag `Deployment`; a `main.tf` of an older version does not have it.
    name: Option<Attribute>,
}

impl MainTf {
    /// Parses the text of a `main.tf`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let body: Body = text.parse().map_err(|error: hcl_edit::parser::Error| {
            let at = error.location();
            Error::Syntax {
                line: at.line(),
                column: at.column(),
                message: error.message().replace('\n', " "),
            }
        })?;
        let backend = body
            .get_blocks("terraform")
            .flat_map(|terraform| terraform.body.get_blocks("backend"))
            .find(|block| block.has_labels(&["s3"]));
        let provider = body
            .get_blocks("provider")
            .find(|block| block.has_labels(&["aws"]) && !block.body.has_attribute("alias"));
        Ok(Self {
            backend: backend.and_then(settings),
            env: provider.and_then(|provider| default_tag(provider, tags::ENVIRONMENT)),
            name: provider.and_then(|provider| default_tag(provider, "Deployment")),
            provider: provider.and_then(settings),
            text: text.to_owned(),
        })
    }

    /// Whether the state is stored in S3.
    pub fn is_in_s3(&self) -> bool {
        self.backend.is_some()
    }

    /// The backend. A name that the block omits is the default name; the lock is as written.
    ///
    /// A name that is not a literal is an error, because its value is unknown.
    pub fn backend(&self, deployment: &Deployment) -> Result<StateBackend, Error> {
        Ok(StateBackend {
            bucket: self.argument("bucket")?.unwrap_or_else(|| deployment.state_bucket()),
            key: self.argument("key")?.unwrap_or_else(|| deployment.state_key()),
            lock: self.lock()?,
        })
    }

    /// The lock that the backend block configures.
    pub fn lock(&self) -> Result<Lock, Error> {
        let file = self.argument("use_lockfile")?;
        Ok(Lock::new(self.argument("dynamodb_table")?, file.as_deref() == Some("true")))
    }

    /// An argument of the backend block; `None` if the block omits it. One that is not a literal is an error.
    pub fn argument(&self, name: &str) -> Result<Option<String>, Error> {
        let attributes = self.backend.as_ref().map(|block| &block.attributes);
        match attributes.and_then(|all| all.get(name)) {
            None => Ok(None),
            Some(Attribute { literal: Some(literal), .. }) => Ok(Some(literal.clone())),
            Some(attribute) => {
                Err(Error::NotLiteral { name: name.to_owned(), line: self.line(attribute.span.start) })
            }
        }
    }

    /// The deployment that it was rendered for. A value that is not a literal is taken from `default`.
    pub fn deployment(&self, default: &Deployment) -> Deployment {
        let attributes = self.provider.as_ref().map(|block| &block.attributes);
        let literal = |name: &str| attributes?.get(name)?.literal.clone();
        let env = self.env.as_ref().and_then(|env| env.literal.clone());
        Deployment {
            account_id: literal("allowed_account_ids").unwrap_or_else(|| default.account_id.clone()),
            region: literal("region").unwrap_or_else(|| default.region.clone()),
            env: env.unwrap_or_else(|| default.env.clone()),
        }
    }

    /// The number of the line at an offset, from 1.
    fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }
}

fn settings(block: &Block) -> Option<Settings> {
    let known = block.body.attributes().filter_map(|attribute| {
        let name = attribute.key.as_str().to_owned();
        Some((name, parsed(attribute.span()?, &attribute.value)?))
    });
    Some(Settings { span: block.span()?, attributes: known.collect(), assumed_role: assumed_role(block) })
}

/// The role that a backend or a provider assumes.
fn assumed_role(block: &Block) -> Option<Attribute> {
    if let Some(nested) = block.body.get_blocks("assume_role").next() {
        let role = nested.body.get_attribute("role_arn")?;
        return parsed(role.span()?, &role.value);
    }
    let object = block.body.get_attribute("assume_role")?.value.as_object()?;
    let (_, value) =
        object.iter().find(|(key, _)| key.as_ident().is_some_and(|key| key.as_str() == "role_arn"))?;
    parsed(value.expr().span()?, value.expr())
}

/// One of the provider's default tags.
fn default_tag(provider: &Block, wanted: &str) -> Option<Attribute> {
    let tags = provider.body.get_blocks("default_tags").next()?;
    let tags = tags.body.get_attribute("tags")?.value.as_object()?;
    let (_, value) = tags.iter().find(|(key, _)| {
        let named = key.as_ident().map(hcl_edit::Ident::as_str);
        let quoted = key.as_expr().and_then(Expression::as_str);
        named.or(quoted) == Some(wanted)
    })?;
    parsed(value.expr().span()?, value.expr())
}

fn parsed(span: Range<usize>, value: &Expression) -> Option<Attribute> {
    let only = value.as_array().filter(|list| list.len() == 1);
    let literal = only.and_then(|list| list.get(0)).unwrap_or(value);
    let literal = match literal {
        Expression::String(text) => Some(text.as_str().to_owned()),
        Expression::Bool(switch) => Some(switch.to_string()),
        _ => None,
    };
    Some(Attribute { span, value: value.span()?, literal: literal.filter(|literal| !literal.is_empty()) })
}

/// Renders the template: `{{ name }}` is replaced by the value. A line with a name that has no value is omitted.
pub fn render(template: &str, values: &Values) -> Result<String, Error> {
    let Values { deployment, backend, .. } = values;
    let unique_name = deployment.unique_name();
    let values: [(&str, Option<&str>); 10] = [
        ("bucket", Some(&backend.bucket)),
        ("key", Some(&backend.key)),
        ("region", Some(&deployment.region)),
        ("lock_table", backend.lock.table()),
        ("use_lockfile", backend.lock.has_file().then_some("true")),
        ("profile", values.profile.as_deref()),
        ("assume_role", values.assume_role.as_deref()),
        ("account_id", Some(&deployment.account_id)),
        ("env", Some(&deployment.env)),
        ("deployment", Some(&unique_name)),
    ];
    let mut rendered = String::new();
    'lines: for line in template.split_inclusive('\n') {
        let mut filled = String::new();
        let mut rest = line;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (name, after) =
                behind.split_once("}}").ok_or_else(|| Error::Template(line.trim().to_owned()))?;
            let known = values.iter().find(|(known, _)| *known == name.trim());
            match known.ok_or_else(|| Error::Template(line.trim().to_owned()))? {
                (_, None) => continue 'lines,
                (_, Some(value)) => filled.extend([before, value]),
            }
            rest = after;
        }
        rendered.extend([&filled, rest]);
    }
    Ok(rendered)
}

/// Why `main.tf` cannot be read or rendered.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// It is not HCL.
    #[error("main.tf is not HCL: {message} at line {line}, column {column}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What was expected.
        message: String,
    },
    /// An argument of the backend is not a literal, so its value is unknown.
    #[error("the backend's {name} in main.tf is not a literal (line {line})")]
    NotLiteral {
        /// `bucket`
        name: String,
        /// From 1.
        line: usize,
    },
    /// A block that must get or lose an argument is on one line.
    #[error(
        "the block at line {line} of main.tf is on one line, so nothing can be added to it or removed from it"
    )]
    OneLine {
        /// From 1.
        line: usize,
    },
    /// The template has a placeholder that has no value.
    #[error("main.tf.tpl has an unknown placeholder: {0}")]
    Template(String),
}

impl Explain for Error {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::Syntax { .. } => {
                    "correct it (`terraform validate` shows more), or rename it and run `osmt-bootstrap init` to create a new one"
                }
                Self::OneLine { .. } => "write each argument of the block on its own line, then run this again",
                Self::NotLiteral { .. } => {
                    "Terraform accepts only literals in a backend block: write the value itself"
                }
                Self::Template(_) => {
                    "the placeholders are bucket, key, region, lock_table, use_lockfile, profile, assume_role, account_id, env, deployment"
                }
            }
            .to_owned(),
        )
    }
}

#[cfg(test)]
mod tests;
