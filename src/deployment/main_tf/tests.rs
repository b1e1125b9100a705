use super::*;

fn deployment() -> Deployment {
    Deployment { account_id: "123456789012".into(), region: "us-west-2".into(), env: "test".into() }
}

fn backend() -> StateBackend {
    StateBackend { bucket: "b".into(), key: "k".into(), lock: Lock::Table("t".into()) }
}

fn values() -> Values {
    Values { deployment: deployment(), backend: backend(), profile: None, assume_role: None }
}

#[test]
fn a_role_is_added_replaced_and_left_alone() {
    let role = |name: &str| Some(format!("arn:aws:iam::123456789012:role/{name}"));
    let with = Values { assume_role: role("one"), ..values() };
    let plain = render(TEMPLATE, &values()).unwrap();
    assert!(!plain.contains("assume_role"), "{plain}");
    let rendered = render(TEMPLATE, &with).unwrap();
    let main = |text: &str| MainTf::parse(text).unwrap();
    let added = main(&plain).with(&with).unwrap();
    for text in [&rendered, &added] {
        assert_eq!(text.matches("role_arn = \"arn:aws:iam::123456789012:role/one\"").count(), 2, "{text}");
        let other = main(text).with(&Values { assume_role: role("two"), ..values() }).unwrap();
        assert_eq!(other, text.replace("role/one", "role/two"));
        // Without the flag it is kept.
        assert_eq!(&main(text).with(&values()).unwrap(), text);
    }
    // As a block on several lines, and as an expression.
    let block = plain.replace(
        "  default_tags {",
        "  assume_role {\n    role_arn     = var.role\n    session_name = \"x\"\n  }\n\n  default_tags {",
    );
    let edited = main(&block).with(&with).unwrap();
    assert!(edited.contains("role_arn     = var.role"), "{edited}");
    assert_eq!(edited.matches("role/one").count(), 1, "{edited}");
}

#[test]
fn the_rendered_values_are_parsed_back() {
    let with_profile = Values { profile: Some("ann".into()), ..values() };
    for values in [values(), with_profile] {
        let text = render(TEMPLATE, &values).unwrap();
        let main = MainTf::parse(&text).unwrap();
        assert_eq!(main.backend(&Deployment::default()).unwrap(), backend());
        assert_eq!(main.deployment(&Deployment::default()), deployment());
        assert_eq!(main.with(&values).unwrap(), text);
    }
}

#[test]
fn an_edit_gives_the_same_text_as_the_template() {
    let first = render(TEMPLATE, &values()).unwrap();
    let other = Values {
        deployment: Deployment {
            account_id: "210987654321".into(),
            region: "eu-central-1".into(),
            env: "prod".into(),
        },
        backend: StateBackend { bucket: "other".into(), lock: Lock::File, ..backend() },
        ..values()
    };
    let second = render(TEMPLATE, &other).unwrap();
    let main = |text: &str| MainTf::parse(text).unwrap();
    assert_eq!(main(&first).with(&other).unwrap(), second);
    assert_eq!(main(&second).with(&values()).unwrap(), first);
}

#[test]
fn the_users_own_text_is_kept() {
    let mine = render(TEMPLATE, &values()).unwrap().replace(
        "    dynamodb_table",
        "    kms_key_id = \"alias/state\" # ours\n    assume_role = {\n      role_arn = \"x\"\n    }\n    dynamodb_table",
    ) + "\nmodule \"more\" { source = \"./more\" }\n";
    let main = MainTf::parse(&mine).unwrap();
    assert_eq!(main.lock().unwrap(), Lock::Table("t".into()));
    assert_eq!(main.with(&values()).unwrap(), mine);
    let moved = Values { backend: StateBackend { bucket: "c\"${x}".into(), ..backend() }, ..values() };
    let edited = main.with(&moved).unwrap();
    assert_eq!(edited, mine.replace("\"b\"", "\"c\\\"$${x}\""));
}

#[test]
fn values_that_are_not_literals_are_not_guessed() {
    let one_line = "terraform {\n  backend \"s3\" { bucket = \"corp\" }\n}\n";
    let bucket = MainTf::parse(one_line).unwrap().argument("bucket").unwrap();
    assert_eq!(bucket.as_deref(), Some("corp"));
    let noted = "terraform {\n  backend \"s3\" {\n    bucket = \"corp\" // note\n  }\n}\n";
    let bucket = MainTf::parse(noted).unwrap().argument("bucket").unwrap();
    assert_eq!(bucket.as_deref(), Some("corp"));
    for open in [
        "terraform {\n  backend \"s3\" {\n    bucket = var.bucket\n  }\n}\n",
        "terraform {\n  backend \"s3\" {\n    bucket = \"\"\n  }\n}\n",
    ] {
        let error = MainTf::parse(open).unwrap().backend(&deployment()).unwrap_err();
        assert!(matches!(error, Error::NotLiteral { line: 3, .. }), "{error}");
    }
    let broken = MainTf::parse("terraform {\n  backend \"s3\" {\n").unwrap_err();
    assert!(matches!(broken, Error::Syntax { .. }), "{broken}");
    let elsewhere = MainTf::parse("terraform {\n  cloud {}\n}\n").unwrap();
    let nothing = StateBackend { lock: Lock::Off, ..StateBackend::standard(&deployment()) };
    assert_eq!(elsewhere.backend(&deployment()).unwrap(), nothing);
}

#[test]
fn a_template_with_an_unknown_placeholder_is_refused() {
    assert!(render("{{ moon }}", &values()).is_err());
    assert!(render("{{ bucket", &values()).is_err());
    assert_eq!(render("a\nb {{profile}}\n", &values()).unwrap(), "a\n");
    // A placeholder inside a value is not replaced.
    let odd = Values { deployment: Deployment { env: "{{ env }}".into(), ..deployment() }, ..values() };
    assert_eq!(render("{{ env }}{{ key }}", &odd).unwrap(), "{{ env }}k");
}

#[test]
fn expressions_are_kept_and_a_profile_is_added_to_both_blocks() {
    let mine = render(TEMPLATE, &values())
        .unwrap()
        .replace(
            "  region              = \"us-west-2\"\n  allowed",
            "  region              = var.config.region\n  allowed",
        )
        .replace("\"123456789012\"]\n\n", "\"123456789012\", \"210987654321\"]\n\n")
        .replace("Environment = \"test\"", "Environment = var.config.env");
    let other = Values {
        deployment: Deployment { env: "prod".into(), region: "eu-central-1".into(), ..deployment() },
        profile: Some("ann".into()),
        ..values()
    };
    let edited = MainTf::parse(&mine).unwrap().with(&other).unwrap();
    for kept in [
        "region              = var.config.region",
        "[\"123456789012\", \"210987654321\"]",
        "Environment = var.config.env",
    ] {
        assert!(edited.contains(kept), "{kept}: {edited}");
    }
    assert_eq!(edited.matches("    profile             = \"ann\"\n").count(), 1);
    assert_eq!(edited.matches("\n  profile             = \"ann\"\n").count(), 1);
    assert!(edited.contains("    region              = \"eu-central-1\""));
    MainTf::parse(&edited).unwrap();
}

#[test]
fn a_block_on_one_line_is_refused() {
    let corp = "terraform {\n  backend \"s3\" { bucket = \"corp\" }\n}\n";
    let refused = MainTf::parse(corp).unwrap().with(&values()).unwrap_err();
    assert_eq!(refused, Error::OneLine { line: 2 });
    let empty = "terraform {\n  backend \"s3\" {\n  }\n}\n";
    let filled = MainTf::parse(empty).unwrap().with(&values()).unwrap();
    let bucket = MainTf::parse(&filled).unwrap().argument("bucket").unwrap();
    assert_eq!(bucket.as_deref(), Some("b"), "{filled}");
}

/// The module computes the same value for its budget: Terraform's test and this one must contain the same text.
#[test]
fn the_tag_of_a_deployment_is_the_same_in_main_tf_and_in_the_module() {
    let unique = deployment().unique_name();
    let main = render(TEMPLATE, &values()).unwrap();
    assert!(main.contains(&format!("Deployment  = \"{unique}\"")), "{main}");
    let test = include_str!("../../../terraform/module/tests/stack.tftest.hcl");
    assert!(
        test.contains(&format!("\"user:Deployment${unique}\"")),
        "the module's test has another value than {unique}"
    );
    let other = Values { deployment: Deployment { env: "prod".into(), ..deployment() }, ..values() };
    let moved = MainTf::parse(&main).unwrap().with(&other).unwrap();
    assert!(moved.contains(&format!("\"{}\"", other.deployment.unique_name())), "{moved}");
}
