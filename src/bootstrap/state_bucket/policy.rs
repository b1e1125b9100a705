//! The one statement that the bucket's policy must hold: nothing without TLS. Pure.

use serde_json::{Value, json};

use crate::bootstrap::{Error, Target};
use crate::config;

/// The id of our statement.
const SID: &str = "OsmtTlsOnly";

/// The policy with our statement in it, every other statement kept; `None` where TLS is already enforced.
pub(in crate::bootstrap) fn with_tls_only(
    target: &Target,
    present: Option<&str>,
) -> Result<Option<String>, Error> {
    let resources = resources(target);
    let ours = json!({
        "Sid": SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": resources,
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    let Some(present) = present else {
        let policy = json!({ "Version": "2012-10-17", "Statement": [ours] });
        return Ok(Some(policy.to_string()));
    };
    let unreadable = || Error::Policy(target.bucket.clone());
    let mut policy: Value = serde_json::from_str(present).map_err(|_| unreadable())?;
    let statements =
        policy.as_object_mut().and_then(|policy| policy.get_mut("Statement")).ok_or_else(unreadable)?;
    // AWS takes one statement without its list.
    if statements.is_object() {
        *statements = Value::Array(vec![statements.take()]);
    }
    let statements = statements.as_array_mut().ok_or_else(unreadable)?;
    if statements.iter().any(|statement| enforces_tls(statement, &resources)) {
        return Ok(None);
    }
    match statements.iter_mut().find(|statement| statement["Sid"] == SID) {
        Some(broken) => *broken = ours,
        None => statements.push(ours),
    }
    Ok(Some(policy.to_string()))
}

/// The ids of a policy's statements, for the plan.
pub(in crate::bootstrap) fn statements(policy: Option<&str>) -> Option<String> {
    let policy: Value = serde_json::from_str(policy?).ok()?;
    let statements = many(&policy["Statement"]);
    let names: Vec<&str> =
        statements.iter().map(|statement| statement["Sid"].as_str().unwrap_or("unnamed statement")).collect();
    Some(names.join(", "))
}

/// The name of a statement that lets anybody in, if there is one. A condition may limit it, so that it is none.
pub(in crate::bootstrap) fn public(policy: &str) -> Option<String> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    let statements = many(&policy["Statement"]);
    let mut open = statements.into_iter().filter(|statement| {
        let everyone = statement["Principal"] == "*" || holds(&statement["Principal"]["AWS"], "*");
        statement["Effect"] == "Allow" && everyone && statement["Condition"].is_null()
    });
    let name = open.next()?["Sid"].as_str().unwrap_or("without a name");
    Some(name.to_owned())
}

fn resources(target: &Target) -> [String; 2] {
    let arn = format!("arn:{}:s3:::{}", config::partition(&target.region), target.bucket);
    let objects = format!("{arn}/*");
    [arn, objects]
}

/// Whether a statement, by whatever name, denies everything without TLS and nothing less.
fn enforces_tls(statement: &Value, resources: &[String]) -> bool {
    let known = ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"];
    let Some(members) = statement.as_object() else {
        return false;
    };
    members.keys().all(|key| known.contains(&key.as_str()))
        && statement["Effect"] == "Deny"
        && (statement["Principal"] == "*" || holds(&statement["Principal"]["AWS"], "*"))
        && (holds(&statement["Action"], "s3:*") || holds(&statement["Action"], "*"))
        && (holds(&statement["Resource"], "*")
            || resources.iter().all(|resource| holds(&statement["Resource"], resource)))
        && only(&statement["Condition"], "Bool")
            .and_then(|condition| only(condition, "aws:SecureTransport"))
            .is_some_and(|value| holds(value, "false") || *value == Value::Bool(false))
}

fn only<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.as_object().filter(|members| members.len() == 1).and_then(|members| members.get(key))
}

/// IAM takes one value and a list of one for the same.
fn many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn holds(value: &Value, wanted: &str) -> bool {
    many(value).iter().any(|value| **value == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target {
            account_id: "123456789012".into(),
            region: "us-west-2".into(),
            env: "test".into(),
            bucket: "b".into(),
            table: None,
            state_key: "k".into(),
            parts: crate::bootstrap::parts::Parts::default(),
        }
    }

    #[test]
    fn a_new_policy_is_at_once_enough() {
        let policy = with_tls_only(&target(), None).unwrap().unwrap();
        assert_eq!(with_tls_only(&target(), Some(&policy)).unwrap(), None);
    }

    #[test]
    fn foreign_statements_stay_even_where_the_statement_is_no_list() {
        let present = r#"{"Version":"2012-10-17","Statement":{"Sid":"Audit","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#;
        let policy = with_tls_only(&target(), Some(present)).unwrap().unwrap();
        assert_eq!(statements(Some(&policy)).unwrap(), "Audit, OsmtTlsOnly");
        assert!(policy.contains("arn:aws:iam::1:root"));
    }

    #[test]
    fn a_weakened_statement_of_ours_is_replaced() {
        let whole = with_tls_only(&target(), None).unwrap().unwrap();
        for (good, bad) in [
            ("\"s3:*\"", "\"s3:Get*\""),
            ("\"false\"", "\"true\""),
            ("\"Deny\"", "\"Allow\""),
            (",\"arn:aws:s3:::b/*\"", ""),
        ] {
            let weak = whole.replace(good, bad);
            assert_ne!(weak, whole);
            let mended = with_tls_only(&target(), Some(&weak)).unwrap();
            assert_eq!(mended.as_deref(), Some(whole.as_str()), "{bad}");
        }
    }

    #[test]
    fn the_same_rule_by_another_name_is_enough() {
        let whole = with_tls_only(&target(), None).unwrap().unwrap();
        let other = whole
            .replace(SID, "AllowSSLRequestsOnly")
            .replace("\"Principal\":\"*\"", "\"Principal\":{\"AWS\":[\"*\"]}");
        assert_eq!(with_tls_only(&target(), Some(&other)).unwrap(), None);
    }

    #[test]
    fn a_statement_for_everybody_is_seen() {
        let policy = |principal: &str, more: &str| {
            format!(
                r#"{{"Statement":[{{"Sid":"Web","Effect":"Allow","Principal":{principal},"Action":"s3:GetObject"{more}}}]}}"#
            )
        };
        assert_eq!(public(&policy(r#""*""#, "")).as_deref(), Some("Web"));
        assert_eq!(public(&policy(r#"{"AWS":["*"]}"#, "")).as_deref(), Some("Web"));
        let limited = r#","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}"#;
        assert_eq!(public(&policy(r#""*""#, limited)), None);
        assert_eq!(public(&policy(r#"{"AWS":"arn:aws:iam::1:root"}"#, "")), None);
        let ours = with_tls_only(&target(), None).unwrap().unwrap();
        assert_eq!(public(&ours), None);
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for text in ["", "[]", "{}", "{\"Statement\": 1}"] {
            assert!(with_tls_only(&target(), Some(text)).is_err(), "{text}");
        }
    }
}
