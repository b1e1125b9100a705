//! The bucket policy: it must have a statement that denies every request without TLS. Pure.

use serde_json::{Map, Value, json};

use crate::account::policy_document::{Effect, Elements, PolicyDocument, Statement};
use crate::bootstrap::{Error, Target};

/// The id of our statement.
const SID: &str = "OsmtTlsOnly";

/// The policy with our statement added and all others kept; `None` if the present policy enforces TLS already.
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
    let unreadable = || Error::Policy(target.backend.bucket.clone());
    let mut policy: Value = serde_json::from_str(present).map_err(|_| unreadable())?;
    let statements =
        policy.as_object_mut().and_then(|policy| policy.get_mut("Statement")).ok_or_else(unreadable)?;
    // AWS accepts a single statement without a list.
    if statements.is_object() {
        *statements = Value::Array(vec![statements.take()]);
    }
    let statements = statements.as_array_mut().ok_or_else(unreadable)?;
    if PolicyDocument::parse(present).is_ok_and(|policy| policy.denies_plain_http(&resources)) {
        return Ok(None);
    }
    match statements.iter_mut().find(|statement| statement["Sid"] == SID) {
        Some(broken) => *broken = ours,
        None => statements.push(ours),
    }
    Ok(Some(policy.to_string()))
}

/// The names of a policy's statements for the plan, and for our statement whether it is complete.
pub(in crate::bootstrap) fn statements(target: &Target, policy: Option<&str>) -> Option<String> {
    let policy = PolicyDocument::parse(policy?).ok()?;
    let names = policy.statements.iter().map(|statement| {
        let alone = PolicyDocument { statements: vec![statement.clone()] };
        match statement.sid.as_deref() {
            Some(SID) if alone.denies_plain_http(&resources(target)) => {
                format!("{SID} (denies requests without TLS)")
            }
            Some(SID) => format!("{SID} (changed: does not deny every request without TLS)"),
            Some(sid) => sid.to_owned(),
            None => "unnamed statement".to_owned(),
        }
    });
    Some(names.collect::<Vec<_>>().join(", "))
}

/// The name of a statement that allows everyone, if there is one.
pub(in crate::bootstrap) fn public(policy: &str) -> Option<String> {
    let policy = PolicyDocument::parse(policy).ok()?;
    policy.open_to_everyone().map(|statement| statement.name().to_owned())
}

/// The actions that Terraform needs on the state and its lock file.
const TERRAFORM: [&str; 3] = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"];

/// Statements that deny actions that Terraform needs: name and text. Statements about TLS are left out: Terraform uses TLS.
pub(in crate::bootstrap) fn denials(target: &Target, policy: &str) -> Vec<(String, String)> {
    let Ok(policy) = PolicyDocument::parse(policy) else {
        return Vec::new();
    };
    let [bucket, objects] = resources(target);
    let state = objects.replace("/*", &format!("/{}", target.backend.key));
    let lists = |statement: &Statement| {
        statement.actions.includes("s3:ListBucket") && statement.resources.includes(&bucket)
    };
    let denied = |statement: &Statement| {
        let on_state = statement.resources.includes(&state);
        let mut actions: Vec<&str> =
            TERRAFORM.into_iter().filter(|action| on_state && statement.actions.includes(action)).collect();
        actions.extend(lists(statement).then_some("s3:ListBucket"));
        actions
    };
    policy
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Deny && !only_without_tls(&statement.condition))
        .filter_map(|statement| {
            let actions = denied(statement);
            let who = if statement.is_for_everyone() {
                "everyone".to_owned()
            } else {
                let but = matches!(statement.principals, Elements::AllBut(_));
                format!(
                    "{}{}",
                    if but { "everyone but " } else { "" },
                    statement.principals.texts().join(", ")
                )
            };
            let when = if statement.is_conditional() {
                format!(" where {}", statement.condition)
            } else {
                String::new()
            };
            (!actions.is_empty())
                .then(|| (statement.name().to_owned(), format!("denies {who} {}{when}", actions.join(", "))))
        })
        .collect()
}

/// Whether a condition matches only requests without TLS, or with a version of TLS before 1.2, which Terraform never uses.
fn only_without_tls(condition: &Value) -> bool {
    let keys = condition.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object);
    keys.flat_map(Map::keys).any(|key| {
        key.eq_ignore_ascii_case("aws:SecureTransport") || key.eq_ignore_ascii_case("s3:tlsversion")
    })
}

fn resources(target: &Target) -> [String; 2] {
    let arn = format!("arn:{}:s3:::{}", target.deployment.partition(), target.backend.bucket);
    let objects = format!("{arn}/*");
    [arn, objects]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        let mut target = crate::bootstrap::tests::target();
        target.backend.bucket = "b".into();
        target
    }

    #[test]
    fn a_new_policy_needs_no_second_change() {
        let policy = with_tls_only(&target(), None).unwrap().unwrap();
        assert_eq!(with_tls_only(&target(), Some(&policy)).unwrap(), None);
    }

    #[test]
    fn statements_of_others_are_kept_even_if_statement_is_not_a_list() {
        let present = r#"{"Version":"2012-10-17","Statement":{"Sid":"Audit","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#;
        let policy = with_tls_only(&target(), Some(present)).unwrap().unwrap();
        assert_eq!(
            statements(&target(), Some(&policy)).unwrap(),
            "Audit, OsmtTlsOnly (denies requests without TLS)"
        );
        assert!(policy.contains("arn:aws:iam::1:root"));
    }

    #[test]
    fn a_weakened_statement_of_ours_is_replaced() {
        let complete = with_tls_only(&target(), None).unwrap().unwrap();
        for (good, bad) in [
            ("\"s3:*\"", "\"s3:Get*\""),
            ("\"false\"", "\"true\""),
            ("\"Deny\"", "\"Allow\""),
            (",\"arn:aws:s3:::b/*\"", ""),
        ] {
            let weak = complete.replace(good, bad);
            assert_ne!(weak, complete);
            let fixed = with_tls_only(&target(), Some(&weak)).unwrap();
            assert_eq!(fixed.as_deref(), Some(complete.as_str()), "{bad}");
        }
    }

    #[test]
    fn a_statement_with_another_name_is_enough() {
        let complete = with_tls_only(&target(), None).unwrap().unwrap();
        let other = complete
            .replace(SID, "AllowSSLRequestsOnly")
            .replace("\"Principal\":\"*\"", "\"Principal\":{\"AWS\":[\"*\"]}");
        assert_eq!(with_tls_only(&target(), Some(&other)).unwrap(), None);
    }

    #[test]
    fn a_statement_that_allows_everyone_is_found() {
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
    fn a_text_that_is_not_a_policy_is_refused() {
        for text in ["", "[]", "{}", "{\"Statement\": 1}"] {
            assert!(with_tls_only(&target(), Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn statements_that_deny_terraform_access_are_shown() {
        let denials = |more: serde_json::Value| {
            let mut statement = json!({"Sid": "X", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"});
            for (key, value) in more.as_object().unwrap() {
                statement[key] = value.clone();
            }
            super::denials(&target(), &json!({ "Statement": statement }).to_string())
        };
        assert_eq!(denials(json!({})), [("X".to_owned(), "denies everyone s3:PutObject".to_owned())]);
        let header = json!({"Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}});
        assert!(denials(header)[0].1.contains("where {\"StringNotEquals\""));
        assert!(
            denials(json!({"Action": ["s3:Delete*", "s3:List*"], "Resource": "*"}))[0]
                .1
                .ends_with("s3:DeleteObject, s3:ListBucket")
        );
        for harmless in [
            json!({"Resource": "arn:aws:s3:::b/logs/*"}),
            json!({"Action": "s3:PutBucketPolicy"}),
            json!({"Effect": "Allow"}),
            json!({"Condition": {"NumericLessThan": {"s3:tlsversion": "1.2"}}}),
        ] {
            assert_eq!(denials(harmless.clone()), [], "{harmless}");
        }
    }
}
