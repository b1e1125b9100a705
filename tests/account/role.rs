//! The admin role from nothing, adopted, drifted, and taken away; each time asked of the account by another way.

use super::{bootstrap, support};
use crate::support::{Emulator, Folder, Ran};

const ANN: &str = "arn:aws:iam::123456789012:user/ann";

#[test]
fn it_is_made_once_repaired_and_deleted() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let Ran { exit, stderr: error, .. } = bootstrap(&account, &folder, "apply --only admin --yes");
    assert_eq!(exit, 2, "{error}");
    assert!(error.contains("--trust"), "{error}");

    // A plan only reads.
    let begun = account.calls().len();
    let Ran { exit, stdout: plan, stderr: error } =
        bootstrap(&account, &folder, &format!("plan --only admin --trust {ANN}"));
    assert_eq!(exit, 1, "{error}");
    assert!(
        plan.contains("+ IAM role osmt-test-admin: assumed by arn:aws:iam::123456789012:user/ann with MFA"),
        "{plan}"
    );
    assert!(!plan.contains("bucket osmt"), "{plan}");
    let calls = account.calls();
    assert!(calls[begun..].iter().all(|call| call.contains(":Get") || call.contains(":List")), "{calls:?}");

    let Ran { exit, stderr: error, .. } =
        bootstrap(&account, &folder, &format!("apply --only admin --trust {ANN} --yes"));
    assert_eq!(exit, 0, "{error}");
    let found = account.ask(
        "iam = client('iam')
role = iam.get_role(RoleName='osmt-test-admin')['Role']
attached = iam.list_attached_role_policies(RoleName='osmt-test-admin')['AttachedPolicies']
answer = {'trust': role['AssumeRolePolicyDocument']['Statement'], 'session': role['MaxSessionDuration'],
  'tags': sorted(tag['Key'] + '=' + tag['Value'] for tag in role['Tags']),
  'attached': sorted(policy['PolicyName'] for policy in attached),
  'everything': [policy['PolicyName'] for policy in attached if any(statement['Action'] in ('*', ['*']) for statement in
    iam.get_policy_version(PolicyArn=policy['PolicyArn'], VersionId='v1')['PolicyVersion']['Document']['Statement'])]}",
    );
    assert_eq!(found["trust"][0]["Principal"]["AWS"], ANN);
    assert_eq!(found["trust"][0]["Condition"]["Bool"]["aws:MultiFactorAuthPresent"], "true");
    assert_eq!(found["session"], 4 * 3600);
    assert_eq!(
        found["tags"].to_string(),
        r#"["Application=osmt","Environment=test","ManagedBy=osmt-bootstrap"]"#
    );
    let parts = ["compute", "data", "keys", "network", "state", "watch"]
        .map(|part| format!("osmt-test-admin-{part}"));
    assert_eq!(found["attached"].to_string(), format!("{parts:?}").replace(", ", ","));
    assert_eq!(found["everything"].to_string(), "[]");

    // Nothing to do, with the same flags and without.
    for flags in [format!("--trust {ANN}"), String::new()] {
        let Ran { exit, stdout: said, stderr: error } =
            bootstrap(&account, &folder, &format!("apply --only admin {flags} --yes"));
        assert_eq!((exit, said.as_str()), (0, "nothing to do\n"), "{error}");
    }

    drift_is_corrected(&account, &folder);
    it_goes_again(&account, &folder);
}

fn drift_is_corrected(account: &Emulator, folder: &Folder) {
    // Five versions are the most that IAM keeps; all of them are used, one policy is detached, and another one is attached.
    account.ask(
        "iam = client('iam')
arn = 'arn:aws:iam::123456789012:policy/osmt-test-admin-data'
document = json.dumps({'Version': '2012-10-17', 'Statement': {'Effect': 'Allow', 'Action': 'rds:*', 'Resource': '*'}})
for number in range(4):
  iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
iam.detach_role_policy(RoleName='osmt-test-admin', PolicyArn='arn:aws:iam::123456789012:policy/osmt-test-admin-keys')
iam.attach_role_policy(RoleName='osmt-test-admin', PolicyArn='arn:aws:iam::aws:policy/ReadOnlyAccess')
iam.put_role_policy(RoleName='osmt-test-admin', PolicyName='audit', PolicyDocument=document)
iam.untag_role(RoleName='osmt-test-admin', TagKeys=['Environment'])
iam.tag_role(RoleName='osmt-test-admin', Tags=[{'Key': 'Team', 'Value': 'skills'}])",
    );
    bootstrap(account, folder, "status --only admin")
        .exits(1)
        .matches("bootstrap/admin-drift", &folder.own());
    bootstrap(account, folder, "apply --only admin --yes").exits(0).shows("3 to change");
    let found = account.ask(
        "iam = client('iam')
versions = iam.list_policy_versions(PolicyArn='arn:aws:iam::123456789012:policy/osmt-test-admin-data')['Versions']
answer = [sorted(version['VersionId'] for version in versions), [version['VersionId'] for version in versions if version['IsDefaultVersion']],
  len(iam.list_attached_role_policies(RoleName='osmt-test-admin')['AttachedPolicies']),
  iam.list_role_policies(RoleName='osmt-test-admin')['PolicyNames'],
  sorted(tag['Key'] for tag in iam.get_role(RoleName='osmt-test-admin')['Role']['Tags'])]",
    );
    assert_eq!(
        found.to_string(),
        r#"[["v2","v3","v4","v5","v6"],["v6"],7,["audit"],["Application","Environment","ManagedBy","Team"]]"#
    );
}

fn it_goes_again(account: &Emulator, folder: &Folder) {
    // Away again: what others attached is detached and left in being.
    let Ran { exit, stderr: error, .. } = bootstrap(account, folder, "destroy --yes --confirm test");
    assert_eq!(exit, 0, "{error}");
    let left = account.ask(
        "iam = client('iam')
answer = [role['RoleName'] for role in iam.list_roles()['Roles']] + [policy['PolicyName'] for policy in iam.list_policies(Scope='Local')['Policies']]",
    );
    assert_eq!(left.to_string(), "[]");
    let Ran { exit, stdout: said, stderr: error } =
        bootstrap(account, folder, "destroy --yes --confirm test");
    assert_eq!((exit, said.as_str()), (0, "nothing to do\n"), "{error}");
    assert!(account.calls().iter().all(|call| !call.contains('*')));
}

#[test]
fn a_role_made_by_hand_is_adopted_and_one_of_others_is_not_destroyed() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    account.ask(
        "iam = client('iam')
trust = {'Version': '2012-10-17', 'Statement': {'Sid': 'Ci', 'Effect': 'Allow', 'Principal': {'AWS': 'arn:aws:iam::123456789012:role/ci'}, 'Action': 'sts:AssumeRole'}}
iam.create_role(RoleName='osmt-test-admin', AssumeRolePolicyDocument=json.dumps(trust), PermissionsBoundary='arn:aws:iam::aws:policy/PowerUserAccess')",
    );
    // Without our tags it is not deleted.
    let Ran { exit, stderr: error, .. } = bootstrap(&account, &folder, "destroy --yes --confirm test");
    assert_eq!(exit, 0, "{error}");
    assert!(error.contains("role osmt-test-admin does not have the tags"), "{error}");
    // No new principal is named: the trust stays as it is.
    let Ran { exit, stdout: plan, stderr: error } =
        bootstrap(&account, &folder, "apply --only admin --session-hours 2 --yes");
    assert_eq!(exit, 0, "{error}");
    assert!(!plan.contains("assumed by"), "{plan}");
    assert!(plan.contains("~ longest session: 1 h → 2 h"), "{plan}");
    // A user is named: the statement is added beside the present one.
    let Ran { exit, stdout: plan, stderr: error } =
        bootstrap(&account, &folder, &format!("apply --only admin --trust {ANN} --yes"));
    assert_eq!(exit, 0, "{error}");
    assert!(plan.contains("~ assumed by: arn:aws:iam::123456789012:role/ci without MFA → arn:aws:iam::123456789012:user/ann with MFA; arn:aws:iam::123456789012:role/ci without MFA"), "{plan}");
    let found = account.ask(
        "role = client('iam').get_role(RoleName='osmt-test-admin')['Role']
answer = [[one['Sid'] for one in role['AssumeRolePolicyDocument']['Statement']], role['MaxSessionDuration'], role['PermissionsBoundary']['PermissionsBoundaryArn']]",
    );
    assert_eq!(
        found.to_string(),
        r#"[["OsmtOperators","Ci"],7200,"arn:aws:iam::aws:policy/PowerUserAccess"]"#
    );
}

#[test]
fn a_role_that_was_opened_is_not_as_it_should_be() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let make = format!("apply --only admin --trust {ANN} --yes");
    bootstrap(&account, &folder, &make).exits(0);
    let Ran { stdout: status, .. } = bootstrap(&account, &folder, "status --only admin");
    assert!(status.contains("everything is as it should be"), "{status}");
    account.ask(
        "iam = client('iam')
trust = {'Version': '2012-10-17', 'Statement': {'Sid': 'OsmtOperators', 'Effect': 'Allow', 'Principal': {'AWS': '*'}, 'Action': 'sts:AssumeRole'}}
iam.update_assume_role_policy(RoleName='osmt-test-admin', PolicyDocument=json.dumps(trust))
iam.attach_role_policy(RoleName='osmt-test-admin', PolicyArn='arn:aws:iam::aws:policy/AdministratorAccess')",
    );
    bootstrap(&account, &folder, "status --only admin")
        .exits(0)
        .matches("bootstrap/admin-opened", &folder.own())
        .lacks("everything is as");
}

#[test]
fn a_saved_plan_knows_its_components_and_when_it_is_out_of_date() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let file = folder.path().join("plan.json");
    let file = file.to_str().unwrap();
    let make = format!("plan --with admin,account --trust {ANN} --out {file}");
    bootstrap(&account, &folder, &make).exits(1);
    let carry_out = format!("apply {file} --yes");
    let Ran { exit, stdout: plan, stderr: error } = bootstrap(&account, &folder, &carry_out);
    assert_eq!(exit, 0, "{error}");
    assert!(plan.contains("IAM role osmt-test-admin") && plan.contains("S3 bucket"), "{plan}");
    let Ran { exit, stderr: error, .. } = bootstrap(&account, &folder, &carry_out);
    assert_eq!(exit, 4, "{error}");
    assert!(error.contains("has changed since"), "{error}");
}

#[test]
fn wishes_that_cannot_come_true_are_refused_before_anything_is_asked() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    for (arguments, expected) in [
        ("plan --with everything", "not a component; the components are state, admin"),
        ("plan --with admin --only admin", "cannot be used with"),
        ("plan --with admin --trust *", "not the ARN of a user"),
        ("plan --with admin --no-mfa", "--trust"),
        ("plan --with admin --session-hours 13", "13 is not in 1..=12"),
        ("plan --with admin --permissions-boundary PowerUserAccess", "not the ARN of a policy"),
        ("plan --session-hours 2", "add `--with admin`"),
    ] {
        let Ran { exit, stderr: error, .. } = bootstrap(&account, &folder, arguments);
        assert_eq!(exit, 2, "{arguments}: {error}");
        assert!(error.contains(expected), "{arguments}: {error}");
    }
    assert!(account.calls().is_empty(), "{:?}", account.calls());
    // What only the account can show is refused before a write.
    let china = "plan --only admin --trust arn:aws-cn:iam::123456789012:user/ann";
    let many: Vec<String> =
        (0..30).map(|number| format!("--trust arn:aws:iam::123456789012:user/{number:0>60}")).collect();
    let many = format!("plan --only admin {}", many.join(" "));
    for (arguments, expected) in [(china, "is not an ARN of arn:aws:"), (&many, "IAM allows 2048")] {
        let Ran { exit, stderr: error, .. } = bootstrap(&account, &folder, arguments);
        assert_eq!(exit, 2, "{error}");
        assert!(error.contains(expected), "{error}");
    }
    // A role's sessions do not show whether MFA was used: a remark, not an error.
    let role = "plan --only admin --trust arn:aws:iam::123456789012:role/ci";
    let Ran { stderr: error, .. } = bootstrap(&account, &folder, role);
    assert!(error.contains("`--no-mfa` allows it"), "{error}");
    let Ran { stderr: error, .. } = bootstrap(&account, &folder, &format!("{role} --no-mfa"));
    assert!(!error.contains("--no-mfa"), "{error}");
}

/// The names of the roles and policies in the account, except those of AWS.
fn names(account: &Emulator) -> Vec<String> {
    let names = account.ask(
        "iam = client('iam')\nanswer = sorted([role['RoleName'] for role in iam.list_roles()['Roles'] if role['RoleName'].startswith('osmt')] + [policy['PolicyName'] for policy in iam.list_policies(Scope='Local')['Policies']])",
    );
    names.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

const MAKE_ROLES: &str =
    "apply --with admin,ci --trust arn:aws:iam::123456789012:user/ann --repository my-org/osmt-infra --yes";

/// An account in which `make` was run for one Region; its directory, and that of the same environment in another Region.
fn first_of_two_regions(make: &str) -> (Emulator, Folder, Folder) {
    let (account, folder, other) = (Emulator::start(), Folder::of("test"), Folder::empty());
    let config = support::config("test").replace("us-west-2", "eu-central-1");
    support::write(&other.path().join("config.auto.tfvars.json"), &config);
    let Ran { exit, stderr: error, .. } = bootstrap(&account, &folder, make);
    assert_eq!(exit, 0, "{error}");
    (account, folder, other)
}

#[test]
fn a_second_region_gets_roles_of_its_own_and_neither_touches_the_others() {
    let (account, folder, other) = first_of_two_regions(MAKE_ROLES);
    let first = names(&account);
    assert!(first.iter().all(|name| !name.contains("eu-central-1")), "{first:?}");
    // Shown, saved and applied under the same names.
    let plan = other.path().join("plan.json");
    let with = MAKE_ROLES.trim_start_matches("apply ").trim_end_matches(" --yes");
    let Ran { exit, stdout: said, stderr: error } =
        bootstrap(&account, &other, &format!("plan {with} --out {}", plan.display()));
    assert_eq!(exit, 1, "{error}");
    assert!(said.contains("+ IAM role osmt-test-eu-central-1-admin"), "{said}");
    assert!(said.contains("+ IAM role osmt-test-eu-central-1-ci-plan"), "{said}");
    assert!(error.contains("set `region_in_names = true` in operations.tf"), "{error}");
    let Ran { exit, stderr: error, .. } =
        bootstrap(&account, &other, &format!("apply {} --yes", plan.display()));
    assert_eq!(exit, 0, "{error}");
    let second: Vec<String> = names(&account).into_iter().filter(|name| !first.contains(name)).collect();
    let long = |name: &String| name.replacen("osmt-test-", "osmt-test-eu-central-1-", 1);
    let mut expected: Vec<String> = first.iter().map(long).collect();
    expected.sort();
    assert_eq!(second, expected);
    let document = account.ask(
        "iam = client('iam')\npolicy = next(policy for policy in iam.list_policies(Scope='Local')['Policies'] if policy['PolicyName'] == 'osmt-test-eu-central-1-admin-keys')\nimport json\nanswer = json.dumps(iam.get_policy_version(PolicyArn=policy['Arn'], VersionId=policy['DefaultVersionId'])['PolicyVersion']['Document'])",
    );
    let document = document.as_str().unwrap();
    assert!(document.contains(":role/osmt-test-eu-central-1-*"), "{document}");
    assert!(!document.contains(":role/osmt-test-*\""), "{document}");
    for folder in [&folder, &other] {
        let Ran { exit, stdout: said, stderr: error } = bootstrap(&account, folder, "status --with admin,ci");
        assert_eq!(exit, 0, "{said} {error}");
    }
    assert_eq!(names(&account).len(), first.len() + second.len());
    // The first goes; the second keeps its names, and goes afterwards.
    let destroy = "destroy --yes --confirm test";
    let Ran { exit, stdout: said, stderr: error } = bootstrap(&account, &folder, destroy);
    assert_eq!(exit, 0, "{error}");
    assert!(!said.contains("eu-central-1"), "{said}");
    assert_eq!(names(&account), second);
    let Ran { exit, stdout: said, stderr: error } = bootstrap(&account, &other, "status --with admin,ci");
    assert_eq!(exit, 0, "{said} {error}");
    let Ran { exit, stderr: error, .. } = bootstrap(&account, &other, destroy);
    assert_eq!(exit, 0, "{error}");
    assert_eq!(names(&account), Vec::<String>::new());
}

#[test]
fn a_second_region_without_roles_destroys_none_of_the_firsts() {
    let (account, folder, other) = first_of_two_regions(MAKE_ROLES);
    let Ran { exit, stderr: error, .. } = bootstrap(&account, &other, "apply --yes");
    assert_eq!(exit, 0, "{error}");
    let before = names(&account);
    let Ran { exit, stdout: said, stderr: error } =
        bootstrap(&account, &other, "destroy --yes --confirm test");
    assert_eq!(exit, 0, "{error}");
    assert!(!said.contains("IAM"), "{said}");
    assert_eq!(names(&account), before);
    let Ran { exit, stdout: said, stderr: error } = bootstrap(&account, &folder, "status --with admin,ci");
    assert_eq!(exit, 0, "{said} {error}");
}

/// Environment `test-eu-central-1` and environment `test` in the second Region want the same names.
#[test]
fn roles_of_an_environment_with_a_regions_name_are_refused() {
    let make = "apply --only admin --trust arn:aws:iam::123456789012:user/ann --yes";
    let (account, _, other) = first_of_two_regions(make);
    account.ask(
        "client('iam').create_role(RoleName='osmt-test-eu-central-1-admin', AssumeRolePolicyDocument='{}', Tags=[{'Key': 'Application', 'Value': 'osmt'}, {'Key': 'Environment', 'Value': 'test-eu-central-1'}])\nanswer = None",
    );
    let Ran { exit, stderr: error, .. } = bootstrap(&account, &other, make);
    assert_eq!(exit, 4, "{error}");
    assert!(
        error.contains("osmt-test-eu-central-1-admin belongs to environment test-eu-central-1"),
        "{error}"
    );
}
