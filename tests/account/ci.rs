//! The CI system's roles: made, adopted, deleted. Whom their trust lets in is asked in `simulator`.

use serde_json::json;

use super::bootstrap;
use crate::support::{Emulator, Folder, Ran, snapshot};

const MAKE: &str = "--repository my-org/osmt-infra --yes";

const LOOK: &str = "iam = client('iam')
def role(name):
  role = iam.get_role(RoleName=name)['Role']
  attached = iam.list_attached_role_policies(RoleName=name)['AttachedPolicies']
  return [role['AssumeRolePolicyDocument']['Statement'], sorted(policy['PolicyName'] for policy in attached)]
answer = {'providers': [one['Arn'] for one in iam.list_open_id_connect_providers()['OpenIDConnectProviderList']],
  'apply': role('osmt-test-ci'), 'plan': role('osmt-test-ci-plan')}";

#[test]
fn they_are_made_once_and_deleted_with_the_environment() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let mut all = bootstrap(&account, &folder, "apply --only ci --yes").exits(2).transcript("no repository");
    let Ran { exit, stderr: error, .. } = bootstrap(&account, &folder, &format!("apply --only ci {MAKE}"));
    assert_eq!(exit, 0, "{error}");
    let seen = account.ask(LOOK);
    let provider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    assert_eq!(seen["providers"], json!([provider]));
    let statement = &seen["apply"][0][0];
    assert_eq!(statement["Principal"]["Federated"], provider);
    assert_eq!(
        statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"],
        "repo:my-org/osmt-infra:environment:test"
    );
    assert_eq!(seen["apply"][1].as_array().unwrap().len(), 6);
    assert_eq!(seen["plan"][1], json!(["osmt-test-ci-plan"]));

    // Again, with the same flags and without.
    for flags in [MAKE, "--yes"] {
        let Ran { exit, stdout: said, stderr: error } =
            bootstrap(&account, &folder, &format!("apply --only ci {flags}"));
        assert_eq!((exit, said.as_str()), (0, "nothing to do\n"), "{error}");
    }
    let other = "plan --only ci --repository my-org/other --branch main";
    all += &bootstrap(&account, &folder, other).exits(1).transcript("another repository");

    // A provider that another role trusts stays.
    account.ask(&format!(
        "statement = {{'Effect': 'Allow', 'Principal': {{'Federated': '{provider}'}}, 'Action': 'sts:AssumeRoleWithWebIdentity', 'Condition': {{'StringEquals': {{'a': 'b'}}}}}}
client('iam').create_role(RoleName='other', AssumeRolePolicyDocument=json.dumps({{'Version': '2012-10-17', 'Statement': [statement]}}))"
    ));
    let destroyed = bootstrap(&account, &folder, "destroy --yes --confirm test").exits(0);
    all += &destroyed.transcript("destroy where another role trusts the provider");
    snapshot("bootstrap/ci", &all, &folder.own());
    let left = account.ask(
        "iam = client('iam')
answer = [sorted(one['RoleName'] for one in iam.list_roles()['Roles']), len(iam.list_policies(Scope='Local')['Policies']), len(iam.list_open_id_connect_providers()['OpenIDConnectProviderList'])]",
    );
    assert_eq!(left, json!([["other"], 0, 1]));
}

#[test]
fn a_role_that_everyone_may_assume_is_refused() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    account.ask(
        "statement = {'Sid': 'Any', 'Effect': 'Allow', 'Principal': {'AWS': '*'}, 'Action': 'sts:AssumeRole'}
for name in ('osmt-test-ci', 'osmt-test-admin'):
  client('iam').create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': statement}))",
    );
    let mut all = String::new();
    for flags in [
        format!("--only ci {MAKE}"),
        "--only admin --yes".to_owned(),
        "--only admin --yes --trust arn:aws:iam::123456789012:user/ann".to_owned(),
    ] {
        all += &bootstrap(&account, &folder, &format!("apply {flags}")).exits(4).transcript(&flags);
    }
    snapshot("bootstrap/open-trust", &all, &folder.own());
    let calls = account.calls();
    assert!(!calls.iter().any(|call| call.contains("AttachRolePolicy")), "{calls:?}");
}

#[test]
fn what_cannot_be_right_is_refused() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let mut all = String::new();
    for flags in [
        "--with ci --repository my-org/*",
        "--with ci --repository my-org",
        "--with ci --repository my-org/x --branch rel*",
        "--with ci --repository gitlab.com/a/b --ci-environment prod",
        "--repository my-org/x",
        "--with ci --branch main",
    ] {
        all += &bootstrap(&account, &folder, &format!("plan {flags}")).exits(2).transcript(flags);
    }
    snapshot("bootstrap/ci-flags", &all, &folder.own());
}
