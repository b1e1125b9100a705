//! The account's own settings: shown, and changed only where they are named.

use super::in_workplace;
use super::run;
use super::support::Emulator;
use super::workplace;

#[test]
fn an_item_changes_only_where_it_is_named() {
    let (account, folder) = (Emulator::start(), workplace());
    let bootstrap = |arguments: &str| {
        run(in_workplace(
            account.osmt("osmt-bootstrap"),
            &folder,
            arguments,
        ))
    };
    let policy = "iam = client('iam')
try:
  answer = iam.get_account_password_policy()['PasswordPolicy']
except iam.exceptions.NoSuchEntityException:
  pass";

    let (exit, plan, error) = bootstrap("apply --only account --yes");
    assert_eq!((exit, plan.as_str()), (0, "nothing to do\n"), "{error}");
    let (exit, plan, error) = bootstrap("plan --only account");
    assert_eq!(exit, 0, "{error}");
    for told in [
        "= password policy: none of its own",
        "`--with account.password-policy` makes it: 14 characters",
        "= second factor of the root user: OFF",
        "= access keys of the root user: none",
        "= EBS encryption by default in us-west-2: off; `--with account.ebs-encryption` makes it: on",
        "= CloudTrail: not checked",
    ] {
        assert!(plan.contains(told), "{told}: {plan}");
    }
    assert_eq!(account.ask(policy), serde_json::Value::Null);

    // What is stricter already stays.
    account.ask("client('iam').update_account_password_policy(MinimumPasswordLength=20, MaxPasswordAge=180)");
    let (exit, plan, error) = bootstrap("apply --only account.password-policy --yes");
    assert_eq!(exit, 0, "{error}");
    assert!(
        plan.contains(
            "~ password policy: 20 characters; changed every 180 days → 20 characters; with"
        ),
        "{plan}"
    );
    let found = account.ask(policy);
    assert_eq!(found["MinimumPasswordLength"], 20);
    assert_eq!(found["MaxPasswordAge"], 180);
    assert_eq!(found["PasswordReusePrevention"], 24);
    for class in ["Symbols", "Numbers"] {
        assert_eq!(found[format!("Require{class}")], true, "{found}");
    }
    for class in ["Uppercase", "Lowercase"] {
        assert_eq!(found[format!("Require{class}Characters")], true, "{found}");
    }
    let (exit, said, error) = bootstrap("apply --only account.password-policy --yes");
    assert_eq!((exit, said.as_str()), (0, "nothing to do\n"), "{error}");

    // The baseline outlives the environment.
    assert_eq!(bootstrap("destroy --yes --confirm test").0, 0);
    assert_eq!(account.ask(policy), found);
}

#[test]
fn new_disks_are_encrypted_only_where_it_is_named() {
    let (account, folder) = (Emulator::start(), workplace());
    let bootstrap = |arguments: &str| {
        run(in_workplace(
            account.osmt("osmt-bootstrap"),
            &folder,
            arguments,
        ))
    };
    let disks = "answer = client('ec2').get_ebs_encryption_by_default()['EbsEncryptionByDefault']";
    assert_eq!(bootstrap("apply --only account --yes").0, 0);
    assert_eq!(account.ask(disks), false);

    let item = "--only account.ebs-encryption";
    let (exit, plan, error) = bootstrap(&format!("plan {item}"));
    assert_eq!(exit, 1, "{error}");
    let change = "~ EBS encryption by default in us-west-2: off → on";
    assert!(plan.contains(change), "{plan}");
    assert_eq!(account.ask(disks), false);
    let (exit, _, error) = bootstrap(&format!("apply {item} --yes"));
    assert_eq!(exit, 0, "{error}");
    assert_eq!(account.ask(disks), true);
    let (exit, said, error) = bootstrap(&format!("apply {item} --yes"));
    assert_eq!((exit, said.as_str()), (0, "nothing to do\n"), "{error}");

    // Not known is said where it is only looked at, and ends what would change it.
    let unreached = |arguments: &str| {
        let mut command = in_workplace(account.osmt("osmt-bootstrap"), &folder, arguments);
        command
            .env("AWS_ENDPOINT_URL_EC2", "http://127.0.0.1:9")
            .env("AWS_MAX_ATTEMPTS", "1");
        run(command)
    };
    let (exit, plan, _) = unreached("plan --only account");
    let told = "= EBS encryption by default in us-west-2: not known: could not reach AWS for ec2:GetEbsEncryptionByDefault";
    assert_eq!(exit, 0);
    assert!(plan.contains(told), "{plan}");
    let (exit, _, error) = unreached(&format!("apply {item} --yes"));
    assert_ne!(exit, 0, "{error}");
    assert!(error.contains("EBS encryption by default"), "{error}");
}
