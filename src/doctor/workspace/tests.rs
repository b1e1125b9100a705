use super::*;

const MAIN_TF: &str = r#"terraform {
  backend "s3" {
    bucket         = "osmt-test-617300482915-us-east-2"
    key            = "osmt/test/terraform.tfstate"
    region         = "us-east-2"
    dynamodb_table = "osmt-test"
  }
}
provider "aws" {
  region              = "us-east-2"
  allowed_account_ids = ["617300482915"]
  default_tags {
    tags = {
      Environment = "test"
    }
  }
}
"#;

fn file(name: &str, text: &str) -> File {
    File { name: name.to_owned(), text: Some(text.to_owned()) }
}

fn workspace(files: Vec<File>) -> Workspace {
    Workspace { config: "config.auto.tfvars.json".to_owned(), files, ..Workspace::default() }
}

fn codes(workspace: &Workspace, env: &str) -> Vec<(String, Severity)> {
    let config = format!(
        "{{\"config\": {{\"account_id\": \"617300482915\", \"region\": \"us-east-2\", \"env\": \"{env}\"}}}}"
    );
    let config = Document::parse(config).unwrap();
    let judged = judge(workspace, Some(&config));
    let found = judged.iter().flat_map(|judged| &judged.findings.findings);
    found.map(|finding| (finding.code.to_string(), finding.severity)).collect()
}

#[test]
fn a_directory_of_this_deployment_has_no_findings() {
    let files =
        vec![file("main.tf", MAIN_TF), file("other.auto.tfvars", "tags = {}\n"), file("outputs.tf", "")];
    let quiet = workspace(files);
    assert_eq!(codes(&quiet, "test"), []);
    let passed: usize = judge(&quiet, None).iter().map(|judged| judged.findings.passed).sum();
    assert_eq!(passed, ALL.len());
}

#[test]
fn main_and_state_of_another_deployment_are_errors() {
    let other = workspace(vec![file("main.tf", MAIN_TF)]);
    let found = codes(&other, "prod");
    assert_eq!(
        found,
        [("WKS004", Severity::Error), ("WKS005", Severity::Error), ("WKS005", Severity::Error)]
            .map(|(code, severity)| (code.to_owned(), severity))
    );
    let judged = judge(&other, Some(&Document::parse("{\"config\": {\"env\": \"prod\"}}").unwrap()));
    let finding = &judged[0].findings.findings[0];
    let Token::Bytes(start, end) = finding.at.as_ref().unwrap().token else { panic!("{finding:?}") };
    assert_eq!(&MAIN_TF[start..end], "\"test\"");
}

#[test]
fn a_main_that_cannot_be_read_is_unknown() {
    let broken = workspace(vec![file("main.tf", "terraform {")]);
    let unknown: usize = judge(&broken, None).iter().map(|judged| judged.findings.unknown.len()).sum();
    assert_eq!(unknown, 4);
}

#[test]
fn without_a_lock_there_is_a_warning() {
    let text = MAIN_TF.replace("    dynamodb_table = \"osmt-test\"\n", "");
    assert_eq!(
        codes(&workspace(vec![file("main.tf", &text)]), "test"),
        [("WKS006".to_owned(), Severity::Warning)]
    );
    let text = text.replace("region         =", "use_lockfile = true\n    region =");
    assert_eq!(codes(&workspace(vec![file("main.tf", &text)]), "test"), []);
}

#[test]
fn a_later_variable_file_is_an_error_and_an_earlier_one_a_warning() {
    let severity = |name: &str, text: &str| {
        codes(&workspace(vec![file(name, text)]), "test").first().map(|(code, severity)| {
            assert_eq!(code, "WKS001");
            *severity
        })
    };
    let hcl = "config = {\n}\n";
    assert_eq!(severity("d.auto.tfvars", hcl), Some(Severity::Error));
    assert_eq!(severity("prod.auto.tfvars.json", "{\"config\": {}}"), Some(Severity::Error));
    assert_eq!(severity("a.auto.tfvars", hcl), Some(Severity::Warning));
    assert_eq!(severity("terraform.tfvars", hcl), Some(Severity::Warning));
    assert_eq!(severity("terraform.tfvars.json", "{\"config\": {}}"), Some(Severity::Warning));
    assert_eq!(severity("z.auto.tfvars.json", "{\"other\": {}}"), None);
    assert_eq!(severity("z.tfvars", hcl), None);
    let broken = workspace(vec![file("z.auto.tfvars.json", "{")]);
    assert_eq!(judge(&broken, None)[0].findings.unknown[0].code, "WKS001");
}

#[test]
fn environment_variables_that_change_terraform_are_named_without_values() {
    let mut changed = workspace(vec![file("main.tf", MAIN_TF), file("x_override.tf", "")]);
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    changed.environment = vec![
        set("TF_WORKSPACE", "prod"),
        set("TF_VAR_config", "hunter2hunter2"),
        set("TF_CLI_ARGS_plan", "-var password=hunter2hunter2 -no-color"),
        set("TF_PLUGIN_CACHE_DIR", "/x"),
    ];
    let judged = judge(&changed, None);
    assert!(!format!("{judged:?}").contains("hunter2"));
    assert_eq!(
        codes(&changed, "test"),
        [
            ("WKS003", Severity::Warning),
            ("WKS003", Severity::Note),
            ("WKS003", Severity::Warning),
            ("WKS002", Severity::Warning)
        ]
        .map(|(code, severity)| (code.to_owned(), severity))
    );
    changed.environment = vec![set("TF_CLI_ARGS", "--var lock=1 -target=x -var target=2")];
    let judged = judge(&changed, None);
    let found = judged.iter().flat_map(|judged| &judged.findings.findings);
    let messages: Vec<&str> = found.map(|finding| finding.message.as_str()).collect();
    assert!(messages.contains(&"TF_CLI_ARGS adds -var, -target to Terraform's commands"), "{messages:?}");
    changed.environment = vec![set("TF_WORKSPACE", "default"), set("TF_CLI_ARGS", "-no-color")];
    changed.files.pop();
    assert_eq!(codes(&changed, "test"), []);
}

#[test]
fn an_init_for_another_backend_is_an_error() {
    let mut moved = workspace(vec![file("main.tf", MAIN_TF)]);
    let state = |key: &str| {
        format!(
            "{{\"backend\": {{\"type\": \"s3\", \"config\": {{\"bucket\": \"osmt-test-617300482915-us-east-2\", \"key\": \"{key}\"}}}}}}"
        )
    };
    moved.initialised = Some(file(".terraform/terraform.tfstate", &state("osmt/prod/terraform.tfstate")));
    assert_eq!(codes(&moved, "test"), [("WKS007".to_owned(), Severity::Error)]);
    moved.initialised = Some(file(".terraform/terraform.tfstate", &state("osmt/test/terraform.tfstate")));
    assert_eq!(codes(&moved, "test"), []);
}

#[test]
fn a_lock_file_of_one_platform_is_a_note() {
    let lock = |hashes: &str| {
        format!(
            "provider \"registry.terraform.io/hashicorp/aws\" {{\n  version = \"5.100.0\"\n  hashes = [{hashes}]\n}}\n"
        )
    };
    let one = workspace(vec![file(".terraform.lock.hcl", &lock("\"h1:abc=\""))]);
    assert_eq!(codes(&one, "test"), [("WKS008".to_owned(), Severity::Note)]);
    let all = workspace(vec![file(".terraform.lock.hcl", &lock("\"h1:abc=\", \"zh:def\""))]);
    assert_eq!(codes(&all, "test"), []);
}
