//! `main.tf`: rendered from the template once, then read and edited; what the user wrote besides stays byte for byte. Pure.

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

/// What `main.tf` is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// For which deployment.
    pub deployment: Deployment,
    /// Where its state is.
    pub backend: StateBackend,
    /// A profile to be written; `None` leaves one that is there.
    pub profile: Option<String>,
    /// A role for Terraform to assume; `None` leaves one that is there.
    pub assume_role: Option<String>,
}

/// An attribute: its place, the place of its value, and the value where it is a literal.
#[derive(Clone, Debug)]
struct Attribute {
    whole: Range<usize>,
    value: Range<usize>,
    literal: Option<String>,
}

type Attributes = BTreeMap<String, Attribute>;

/// A block: its place and what is set in it.
#[derive(Clone, Debug)]
struct Settings {
    whole: Range<usize>,
    attributes: Attributes,
    /// `role_arn` of `assume_role`, which may be an attribute or a block.
    assumed: Option<Attribute>,
}

/// A `main.tf` that was read.
#[derive(Clone, Debug)]
pub struct MainTf {
    text: String,
    backend: Option<Settings>,
    provider: Option<Settings>,
    /// The tag `Environment` among the provider's default tags.
    env: Option<Attribute>,
    /// The tag `Deployment` among them; a `main.tf` of an older version has none.
    name: Option<Attribute>,
}

impl MainTf {
    /// Reads the text of a `main.tf`.
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

    /// Whether the state is kept in S3.
    pub fn is_in_s3(&self) -> bool {
        self.backend.is_some()
    }

    /// The backend, with the standard names of a deployment where the block leaves a name out; how it locks is as written.
    ///
    /// A name that is not a literal cannot be known and is refused.
    pub fn backend(&self, deployment: &Deployment) -> Result<StateBackend, Error> {
        Ok(StateBackend {
            bucket: self.argument("bucket")?.unwrap_or_else(|| deployment.state_bucket()),
            key: self.argument("key")?.unwrap_or_else(|| deployment.state_key()),
            lock: self.lock()?,
        })
    }

    /// How the backend block locks the state.
    pub fn lock(&self) -> Result<Lock, Error> {
        let file = self.argument("use_lockfile")?;
        Ok(Lock::new(self.argument("dynamodb_table")?, file.as_deref() == Some("true")))
    }

    /// An argument of the backend block; `None` where it leaves it out. One that is not a literal is refused.
    pub fn argument(&self, name: &str) -> Result<Option<String>, Error> {
        let attributes = self.backend.as_ref().map(|block| &block.attributes);
        match attributes.and_then(|all| all.get(name)) {
            None => Ok(None),
            Some(Attribute { literal: Some(literal), .. }) => Ok(Some(literal.clone())),
            Some(attribute) => {
                Err(Error::NotLiteral { name: name.to_owned(), line: self.line(attribute.whole.start) })
            }
        }
    }

    /// For which deployment it was rendered; what it does not say literally is taken from the given one.
    pub fn deployment(&self, otherwise: &Deployment) -> Deployment {
        let attributes = self.provider.as_ref().map(|block| &block.attributes);
        let said = |name: &str| attributes?.get(name)?.literal.clone();
        let env = self.env.as_ref().and_then(|env| env.literal.clone());
        Deployment {
            account_id: said("allowed_account_ids").unwrap_or_else(|| otherwise.account_id.clone()),
            region: said("region").unwrap_or_else(|| otherwise.region.clone()),
            env: env.unwrap_or_else(|| otherwise.env.clone()),
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
        Some((name, found(attribute.span()?, &attribute.value)?))
    });
    Some(Settings { whole: block.span()?, attributes: known.collect(), assumed: assumed(block) })
}

/// The role that a backend or a provider assumes.
fn assumed(block: &Block) -> Option<Attribute> {
    if let Some(nested) = block.body.get_blocks("assume_role").next() {
        let role = nested.body.get_attribute("role_arn")?;
        return found(role.span()?, &role.value);
    }
    let object = block.body.get_attribute("assume_role")?.value.as_object()?;
    let (_, value) =
        object.iter().find(|(key, _)| key.as_ident().is_some_and(|key| key.as_str() == "role_arn"))?;
    found(value.expr().span()?, value.expr())
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
    found(value.expr().span()?, value.expr())
}

fn found(whole: Range<usize>, value: &Expression) -> Option<Attribute> {
    let only = value.as_array().filter(|list| list.len() == 1);
    let literal = only.and_then(|list| list.get(0)).unwrap_or(value);
    let literal = match literal {
        Expression::String(text) => Some(text.as_str().to_owned()),
        Expression::Bool(switch) => Some(switch.to_string()),
        _ => None,
    };
    Some(Attribute { whole, value: value.span()?, literal: literal.filter(|literal| !literal.is_empty()) })
}

/// Fills the template: `{{ name }}` becomes the value, a line whose name has none is left out.
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
    /// A name of the backend cannot be known.
    #[error("the backend's {name} in main.tf is not a literal (line {line})")]
    NotLiteral {
        /// `bucket`
        name: String,
        /// From 1.
        line: usize,
    },
    /// A block that must grow or shrink is on one line.
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
                    "`terraform validate` shows more; correct it, or move it away and run `osmt-bootstrap init`"
                }
                Self::OneLine { .. } => "spread it over several lines, one setting a line, and run it again",
                Self::NotLiteral { .. } => {
                    "Terraform accepts only literals in a backend block: write the name"
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
