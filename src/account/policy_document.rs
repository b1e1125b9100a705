//! Parses IAM, S3, KMS and SNS policy documents in all their forms. Pure.
//!
//! AWS accepts one statement without its list, one string for a list of one, and the inverted elements `NotAction`,
//! `NotResource` and `NotPrincipal` (IAM User Guide, "IAM JSON policy elements reference").

use std::collections::BTreeSet;

use serde_json::Value;

use crate::arn::Arn;

/// A policy document.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyDocument {
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// `Sid`
    pub sid: Option<String>,
    /// `Effect`
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`: `*`, or `AWS:arn:aws:iam::…`, `Service:ecs-tasks.amazonaws.com`, ….
    pub principals: Elements,
    /// `Action` or `NotAction`
    pub actions: Elements,
    /// `Resource` or `NotResource`
    pub resources: Elements,
    /// `Condition`; `Null` where there is none.
    pub condition: Value,
    /// Unknown members. A statement that has some matches nothing.
    pub unknown: Vec<String>,
}

/// `Effect`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `Allow`
    Allow,
    /// `Deny`
    Deny,
}

/// One of the three list elements of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elements {
    /// Neither the element nor its inverse exists.
    Absent,
    /// These.
    Only(Vec<String>),
    /// Everything except these.
    AllBut(Vec<String>),
}

/// A text that is not a policy document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a JSON policy document")]
pub struct NotAPolicy;

impl PolicyDocument {
    /// Parses a document; an error if IAM would refuse it.
    pub fn parse(text: &str) -> Result<Self, NotAPolicy> {
        serde_json::from_str::<Value>(text).map_err(|_| NotAPolicy).and_then(|value| Self::from_json(&value))
    }

    /// Reads a document that is JSON already.
    pub fn from_json(document: &Value) -> Result<Self, NotAPolicy> {
        let statements =
            document.as_object().and_then(|members| members.get("Statement")).ok_or(NotAPolicy)?;
        let statements = match statements {
            Value::Array(many) => many.iter().map(Statement::from_json).collect::<Result<_, _>>()?,
            one => vec![Statement::from_json(one)?],
        };
        Ok(Self { statements })
    }

    /// The Regions in the ARNs of its principals, resources and conditions.
    pub fn regions(&self) -> BTreeSet<String> {
        let arns = self.statements.iter().flat_map(|statement| {
            let principals = statement.principals.texts().iter();
            let principals = principals.filter_map(|one| Some(one.split_once(':')?.1.to_owned()));
            let resources = statement.resources.texts().iter().cloned();
            principals.chain(resources).chain(statement.condition_values(|_| true))
        });
        let region = |arn: String| Arn::parse(&arn).map(|arn| arn.region.to_owned());
        arns.filter_map(region).filter(|region| !region.is_empty() && region != "*").collect()
    }

    /// The first statement that allows something to everyone, without a condition that could limit it.
    pub fn open_to_everyone(&self) -> Option<&Statement> {
        self.statements.iter().find(|statement| {
            statement.effect == Effect::Allow && statement.is_for_everyone() && !statement.is_conditional()
        })
    }

    /// Whether every request without TLS to all of these resources is denied, by any principal.
    pub fn denies_plain_http(&self, resources: &[String]) -> bool {
        self.statements.iter().any(|statement| {
            statement.effect == Effect::Deny
                && statement.unknown.is_empty()
                && statement.is_for_everyone()
                && statement.actions.includes("s3:*")
                && resources.iter().all(|resource| statement.resources.includes(resource))
                && is_only_condition(&statement.condition, "Bool", "aws:SecureTransport", "false")
        })
    }
}

impl Statement {
    fn from_json(value: &Value) -> Result<Self, NotAPolicy> {
        const KNOWN: [&str; 9] = [
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        let members = value.as_object().ok_or(NotAPolicy)?;
        let effect = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(NotAPolicy),
        };
        let unknown = members.keys().filter(|key| !KNOWN.contains(&key.as_str())).cloned().collect();
        Ok(Self {
            sid: value["Sid"].as_str().map(str::to_owned),
            effect,
            principals: elements(value, "Principal", "NotPrincipal", principals)?,
            actions: elements(value, "Action", "NotAction", strings)?,
            resources: elements(value, "Resource", "NotResource", strings)?,
            condition: value["Condition"].clone(),
            unknown,
        })
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        self.sid.as_deref().unwrap_or("without a Sid")
    }

    /// Whether it is for every principal. `{"AWS": "*"}` means the same as `*`, and so, nearly, does a `NotPrincipal`.
    pub fn is_for_everyone(&self) -> bool {
        match &self.principals {
            Elements::Absent => false,
            Elements::Only(principals) => principals.iter().any(|one| one == "*" || one == "AWS:*"),
            // A denial that spares some is not for everyone; a grant to all but some is for all others.
            Elements::AllBut(_) => self.effect == Effect::Allow,
        }
    }

    /// Whether its condition contains this comparison, whatever else it contains.
    pub fn requires(&self, operator: &str, key: &str, value: &str) -> bool {
        let operators = self.condition.as_object().into_iter().flatten();
        let keys = operators.filter(|(name, _)| name.eq_ignore_ascii_case(operator)).map(|(_, keys)| keys);
        let mut values = keys.filter_map(Value::as_object).flatten();
        values.any(|(name, wanted)| name.eq_ignore_ascii_case(key) && is_value(wanted, value))
    }

    /// The values that its condition compares some keys with, by whatever operator.
    pub fn condition_values(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let operators = self.condition.as_object().into_iter().flat_map(|operators| operators.values());
        let keys = operators.filter_map(Value::as_object).flatten().filter(|(key, _)| is_wanted(key));
        keys.flat_map(|(_, values)| strings(values).unwrap_or_default()).collect()
    }

    /// Whether it has a condition.
    pub fn is_conditional(&self) -> bool {
        self.condition.as_object().is_some_and(|condition| !condition.is_empty())
    }
}

impl Elements {
    /// Whether the element names this, by pattern: `s3:Get*` includes `s3:GetObject`; upper and lower case are the same.
    ///
    /// A pattern is also compared with a pattern: `s3:*` includes `s3:*` and `s3:Get*`.
    pub fn includes(&self, wanted: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, wanted));
        match self {
            Self::Absent => false,
            Self::Only(patterns) => any(patterns),
            Self::AllBut(patterns) => !any(patterns),
        }
    }

    /// Whether it includes everything: `*`, alone or in a list, or everything except some.
    pub fn is_everything(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Only(patterns) => {
                patterns.iter().any(|one| !one.is_empty() && one.bytes().all(|b| b == b'*'))
            }
            Self::AllBut(_) => true,
        }
    }

    /// The texts, whether they are included or excluded.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::Absent => &[],
            Self::Only(texts) | Self::AllBut(texts) => texts,
        }
    }
}

fn elements(
    statement: &Value,
    name: &str,
    inverse: &str,
    read: fn(&Value) -> Result<Vec<String>, NotAPolicy>,
) -> Result<Elements, NotAPolicy> {
    match (statement.get(name), statement.get(inverse)) {
        (None, None) => Ok(Elements::Absent),
        (Some(only), None) => read(only).map(Elements::Only),
        (None, Some(but)) => read(but).map(Elements::AllBut),
        (Some(_), Some(_)) => Err(NotAPolicy),
    }
}

/// One string or a list of them.
pub fn strings(value: &Value) -> Result<Vec<String>, NotAPolicy> {
    let one = |value: &Value| value.as_str().map(str::to_owned).ok_or(NotAPolicy);
    match value {
        Value::Array(many) => many.iter().map(one).collect(),
        single => Ok(vec![one(single)?]),
    }
}

/// `"*"`, or an object from a kind (`AWS`, `Service`, `Federated`, `CanonicalUser`) to one or many.
fn principals(value: &Value) -> Result<Vec<String>, NotAPolicy> {
    let Value::Object(kinds) = value else {
        return strings(value);
    };
    let mut found = Vec::new();
    for (kind, names) in kinds {
        found.extend(strings(names)?.into_iter().map(|name| format!("{kind}:{name}")));
    }
    Ok(found)
}

/// Whether a condition is this one comparison and nothing else, so that nothing narrows it.
fn is_only_condition(condition: &Value, operator: &str, key: &str, value: &str) -> bool {
    let only = |value: &Value, wanted: &str| -> Option<Value> {
        let members = value.as_object().filter(|members| members.len() == 1)?;
        let (name, inner) = members.iter().next()?;
        name.eq_ignore_ascii_case(wanted).then(|| inner.clone())
    };
    let Some(wanted) = only(condition, operator).and_then(|inner| only(&inner, key)) else {
        return false;
    };
    is_value(&wanted, value)
}

/// Whether a condition's value is this one and no other.
fn is_value(found: &Value, value: &str) -> bool {
    let is =
        |one: &Value| one.as_str() == Some(value) || one.as_bool().is_some_and(|b| b.to_string() == value);
    match found {
        Value::Array(many) => many.len() == 1 && many.iter().all(is),
        single => is(single),
    }
}

/// The statements of a document as they are, for a document that is written again with one of them changed.
pub fn raw_statements(document: &str) -> Vec<Value> {
    match serde_json::from_str::<Value>(document).unwrap_or_default()["Statement"].take() {
        Value::Array(statements) => statements,
        Value::Object(one) => vec![Value::Object(one)],
        _ => Vec::new(),
    }
}

/// IAM's wildcards: `*` is any text, `?` any one character.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    // After a mismatch continue after the last star, one character later.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(statement: &Value) -> PolicyDocument {
        PolicyDocument::from_json(&json!({ "Statement": statement })).unwrap()
    }

    #[test]
    fn one_statement_and_one_string_are_lists_of_one() {
        let single =
            one(&json!({"Effect": "Allow", "Principal": {"AWS": "1"}, "Action": "s3:Get*", "Resource": "*"}));
        let many = one(
            &json!([{"Effect": "Allow", "Principal": {"AWS": ["1"]}, "Action": ["s3:Get*"], "Resource": ["*"]}]),
        );
        assert_eq!(single, many);
        assert_eq!(single.statements[0].principals.texts(), ["AWS:1"]);
    }

    #[test]
    fn everyone_has_four_spellings() {
        for principal in [json!("*"), json!({"AWS": "*"}), json!({"AWS": ["1", "*"]}), json!(["*"])] {
            let policy = one(&json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject"}));
            assert!(policy.open_to_everyone().is_some(), "{principal}");
        }
        let but = one(&json!({"Effect": "Allow", "NotPrincipal": {"AWS": "1"}, "Action": "s3:GetObject"}));
        assert!(but.open_to_everyone().is_some());
        for limited in [
            &json!({"Effect": "Allow", "Principal": {"AWS": "1"}, "Action": "*"}),
            &json!({"Effect": "Deny", "Principal": "*", "Action": "*"}),
            &json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Condition": {"Bool": {"x": "y"}}}),
            &json!({"Effect": "Allow", "Principal": {"Service": "*.amazonaws.com"}, "Action": "*"}),
        ] {
            assert!(one(limited).open_to_everyone().is_none(), "{limited}");
        }
    }

    #[test]
    fn plain_http_is_denied_by_the_whole_statement_only() {
        let resources = ["arn:aws:s3:::b".to_owned(), "arn:aws:s3:::b/*".to_owned()];
        let whole = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
        assert!(one(&whole).denies_plain_http(&resources));
        let with = |key: &str, value: Value| {
            let mut other = whole.clone();
            other[key] = value;
            one(&other).denies_plain_http(&resources)
        };
        assert!(with("Principal", json!({"AWS": ["*"]})));
        assert!(with("Action", json!(["*"])));
        assert!(with("Resource", json!("*")));
        assert!(with("Condition", json!({"Bool": {"aws:securetransport": [false]}})));
        assert!(!with("Action", json!("s3:PutObject")));
        assert!(!with("Action", json!(["s3:Get*", "s3:Put*"])));
        assert!(!with("Resource", json!(resources[0])));
        assert!(!with("Principal", json!({"AWS": "arn:aws:iam::1:root"})));
        assert!(!with("Effect", json!("Allow")));
        assert!(!with("Condition", json!({"Bool": {"aws:SecureTransport": "true"}})));
        assert!(!with(
            "Condition",
            json!({"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"a": "b"}})
        ));
        assert!(!with("Condition", json!({})));
        assert!(!with("NotThis", json!("x")));
    }

    #[test]
    fn a_condition_is_found_whatever_else_there_is() {
        let policy = one(&json!({"Effect": "Allow", "Principal": {"AWS": "1"}, "Action": "sts:AssumeRole",
            "Condition": {"bool": {"AWS:multifactorauthpresent": ["true"]}, "StringEquals": {"x:sub": ["a", "b"], "x:aud": "c"}}}));
        let statement = &policy.statements[0];
        assert!(statement.requires("Bool", "aws:MultiFactorAuthPresent", "true"));
        assert!(!statement.requires("Bool", "aws:MultiFactorAuthPresent", "false"));
        assert!(!statement.requires("BoolIfExists", "aws:MultiFactorAuthPresent", "true"));
        assert_eq!(statement.condition_values(|key| key.ends_with(":sub")), ["a", "b"]);
    }

    #[test]
    fn inverted_elements_are_everything_but() {
        let policy = one(&json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}));
        let actions = &policy.statements[0].actions;
        assert!(
            actions.includes("s3:GetObject") && !actions.includes("iam:PassRole") && actions.is_everything()
        );
    }

    #[test]
    fn wildcards_are_iams() {
        for (pattern, text) in [
            ("*", "s3:GetObject"),
            ("s3:Get*", "S3:getobject"),
            ("s3:?et*", "s3:GetObject"),
            ("*:*", "iam:PassRole"),
            ("s3:*", "s3:*"),
            ("arn:*:s3:::b*", "arn:aws:s3:::b/*"),
            ("a*b*c", "aXbYbZc"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("s3:Get*", "s3:PutObject"),
            ("s3:Get", "s3:GetObject"),
            ("", "x"),
            ("s3:Get*", "s3:*"),
            ("a*b", "abc"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_iam_would_refuse_is_not_a_policy() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"Statement": 1}"#,
            r#"{"Statement": [1]}"#,
            r#"{"Statement": {"Effect": "allow", "Action": "*"}}"#,
            r#"{"Statement": {"Effect": "Allow", "Action": 1}}"#,
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*"}}"#,
        ] {
            assert_eq!(PolicyDocument::parse(text), Err(NotAPolicy), "{text}");
        }
        assert_eq!(PolicyDocument::parse(r#"{"Statement": []}"#).unwrap().statements, []);
    }
}
