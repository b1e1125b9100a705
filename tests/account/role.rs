//! The admin role from nothing, adopted, drifted, and taken away; each time asked of the account by another way.

use super::{bootstrap, support};
use crate::support::{Emulator, Folder, snapshot};

const ANN: &str = "arn:aws:iam::123456789012:user/ann";

#[test]
fn it_is_made_once_repaired_and_deleted() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let mut all = bootstrap(&account, &folder, "apply --only admin --yes").exits(2).transcript("no --trust");

    // A plan only reads.
    let begun = account.calls().len();
    let plan = bootstrap(&account, &folder, &format!("plan --only admin --trust {ANN}"));
    all += &plan.exits(1).transcript("plan");
    snapshot("bootstrap/admin-new", &all, &folder.own());
    let calls = account.calls();
    assert!(calls[begun..].iter().all(|call| call.contains(":Get") || call.contains(":List")), "{calls:?}");

    bootstrap(&account, &folder, &format!("apply --only admin --trust {ANN} --yes")).exits(0);
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
        let again = bootstrap(&account, &folder, &format!("apply --only admin {flags} --yes")).exits(0);
        assert_eq!(again.stdout, "nothing to do\n");
    }

    drift_is_corrected(&account, &folder);
    it_is_deleted_with_its_policies(&account, &folder);
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
    bootstrap(account, folder, "apply --only admin --yes")
        .exits(0)
        .matches("bootstrap/admin-repaired", &folder.own());
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

fn it_is_deleted_with_its_policies(account: &Emulator, folder: &Folder) {
    // What others attached is detached and not deleted.
    bootstrap(account, folder, "destroy --yes --confirm test")
        .exits(0)
        .matches("bootstrap/admin-destroyed", &folder.own());
    let left = account.ask(
        "iam = client('iam')
answer = [role['RoleName'] for role in iam.list_roles()['Roles']] + [policy['PolicyName'] for policy in iam.list_policies(Scope='Local')['Policies']]",
    );
    assert_eq!(left.to_string(), "[]");
    let again = bootstrap(account, folder, "destroy --yes --confirm test").exits(0);
    assert_eq!(again.stdout, "nothing to do\n");
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
    let mut all = String::new();
    for (what, arguments) in [
        ("without the tags of bootstrap it is not destroyed", "destroy --yes --confirm test".to_owned()),
        ("no principal is named: the trust stays", "apply --only admin --session-hours 2 --yes".to_owned()),
        ("a user is named: a statement is added", format!("apply --only admin --trust {ANN} --yes")),
    ] {
        all += &bootstrap(&account, &folder, &arguments).exits(0).transcript(what);
    }
    snapshot("bootstrap/admin-adopted", &all, &folder.own());
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
    let mut all = bootstrap(&account, &folder, "status --only admin").exits(0).transcript("as it was made");
    account.ask(
        "iam = client('iam')
trust = {'Version': '2012-10-17', 'Statement': {'Sid': 'OsmtOperators', 'Effect': 'Allow', 'Principal': {'AWS': '*'}, 'Action': 'sts:AssumeRole'}}
iam.update_assume_role_policy(RoleName='osmt-test-admin', PolicyDocument=json.dumps(trust))
iam.attach_role_policy(RoleName='osmt-test-admin', PolicyArn='arn:aws:iam::aws:policy/AdministratorAccess')",
    );
    all += &bootstrap(&account, &folder, "status --only admin").exits(0).transcript("opened to everyone");
    snapshot("bootstrap/admin-opened", &all, &folder.own());
}

#[test]
fn a_saved_plan_knows_its_components_and_when_it_is_out_of_date() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let file = folder.path().join("plan.json");
    let file = file.to_str().unwrap();
    let make = format!("plan --with admin,account --trust {ANN} --out {file}");
    bootstrap(&account, &folder, &make).exits(1);
    let carry_out = format!("apply {file} --yes");
    let mut all = bootstrap(&account, &folder, &carry_out).exits(0).transcript("the plan is carried out");
    all += &bootstrap(&account, &folder, &carry_out).exits(4).transcript("and again");
    snapshot("bootstrap/admin-saved-plan", &all, &folder.own());
}

#[test]
fn impossible_flags_are_refused_before_a_request_or_before_a_write() {
    let (account, folder) = (Emulator::start(), Folder::of("test"));
    let mut all = String::new();
    for arguments in [
        "plan --with everything",
        "plan --with admin --only admin",
        "plan --with admin --trust *",
        "plan --with admin --no-mfa",
        "plan --with admin --session-hours 13",
        "plan --with admin --permissions-boundary PowerUserAccess",
        "plan --session-hours 2",
    ] {
        all += &bootstrap(&account, &folder, arguments).exits(2).transcript(arguments);
    }
    assert_eq!(account.calls(), Vec::<String>::new());
    // What only the account can show is refused before a write.
    let china = "plan --only admin --trust arn:aws-cn:iam::123456789012:user/ann";
    all += &bootstrap(&account, &folder, china).exits(2).transcript(china);
    let many: Vec<String> =
        (0..30).map(|number| format!("--trust arn:aws:iam::123456789012:user/{number:0>60}")).collect();
    let many = format!("plan --only admin {}", many.join(" "));
    all += &bootstrap(&account, &folder, &many).exits(2).transcript("30 users with long names");
    // A role's sessions do not show whether MFA was used: a remark, not an error.
    let role = "plan --only admin --trust arn:aws:iam::123456789012:role/ci";
    for arguments in [role, &format!("{role} --no-mfa")] {
        all += &bootstrap(&account, &folder, arguments).exits(1).transcript(arguments);
    }
    snapshot("bootstrap/admin-wishes", &all, &folder.own());
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
    bootstrap(&account, &folder, make).exits(0);
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
    bootstrap(&account, &other, &format!("plan {with} --out {}", plan.display()))
        .exits(1)
        .matches("bootstrap/admin-second-region", &other.own());
    bootstrap(&account, &other, &format!("apply {} --yes", plan.display())).exits(0);
    let second: Vec<String> = names(&account).into_iter().filter(|name| !first.contains(name)).collect();
    let long = |name: &String| name.replacen("osmt-test-", "osmt-test-eu-central-1-", 1);
    let mut expected: Vec<String> = first.iter().map(long).collect();
    expected.sort();
    assert_eq!(second, expected);
    let resources = account.ask(
        "iam = client('iam')
policy = next(policy for policy in iam.list_policies(Scope='Local')['Policies'] if policy['PolicyName'] == 'osmt-test-eu-central-1-admin-keys')
statements = iam.get_policy_version(PolicyArn=policy['Arn'], VersionId=policy['DefaultVersionId'])['PolicyVersion']['Document']['Statement']
lists = [one['Resource'] if isinstance(one['Resource'], list) else [one['Resource']] for one in statements]
answer = sorted({resource for resources in lists for resource in resources if ':role/osmt-' in resource})",
    );
    let has = |role: &str| {
        let arn = format!("arn:aws:iam::123456789012:role/{role}");
        resources.as_array().unwrap().iter().any(|resource| *resource == arn)
    };
    assert!(has("osmt-test-eu-central-1-*") && !has("osmt-test-*"), "{resources}");
    for folder in [&folder, &other] {
        bootstrap(&account, folder, "status --with admin,ci").exits(0);
    }
    assert_eq!(names(&account).len(), first.len() + second.len());
    // The first goes; the second keeps its names, and goes afterwards.
    let destroy = "destroy --yes --confirm test";
    bootstrap(&account, &folder, destroy).exits(0).lacks("eu-central-1");
    assert_eq!(names(&account), second);
    bootstrap(&account, &other, "status --with admin,ci").exits(0);
    bootstrap(&account, &other, destroy).exits(0);
    assert_eq!(names(&account), Vec::<String>::new());
}

#[test]
fn a_second_region_without_roles_destroys_none_of_the_firsts() {
    let (account, folder, other) = first_of_two_regions(MAKE_ROLES);
    bootstrap(&account, &other, "apply --yes").exits(0);
    let before = names(&account);
    bootstrap(&account, &other, "destroy --yes --confirm test").exits(0).lacks("IAM");
    assert_eq!(names(&account), before);
    bootstrap(&account, &folder, "status --with admin,ci").exits(0);
}

/// Environment `test-eu-central-1` and environment `test` in the second Region want the same names.
#[test]
fn roles_of_an_environment_with_a_regions_name_are_refused() {
    let make = "apply --only admin --trust arn:aws:iam::123456789012:user/ann --yes";
    let (account, _, other) = first_of_two_regions(make);
    account.ask(
        "client('iam').create_role(RoleName='osmt-test-eu-central-1-admin', AssumeRolePolicyDocument='{}', Tags=[{'Key': 'Application', 'Value': 'osmt'}, {'Key': 'Environment', 'Value': 'test-eu-central-1'}])\nanswer = None",
    );
    bootstrap(&account, &other, make).exits(4).matches("bootstrap/admin-name-taken", &other.own());
}
