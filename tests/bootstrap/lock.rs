//! The lock moves from table to file and back, but only while it is not held.

use crate::init::{ANSWERS, checkout, read};
use crate::support;
use crate::support::{Emulator, Folder, run, snapshot};

#[test]
fn the_lock_moves_both_ways_but_only_while_it_is_not_held() {
    let emulator = Emulator::start();
    let folder = checkout();
    let dir = folder.path();
    let run = |arguments: &str| {
        let mut command = emulator.osmt("osmt-bootstrap");
        command.args(arguments.split_whitespace()).arg("--dir").arg(dir);
        run(&mut command)
    };
    run(&format!("init {ANSWERS} --yes")).exits(0);
    run("apply --yes").exits(0);

    let (bucket, key) = ("osmt-test-123456789012-us-west-2", "osmt/test/terraform.tfstate");
    let note = r#"{"ID":"1","Who":"ann@desk","Created":"2026-01-02T03:04:05Z"}"#;
    let before = read(dir, "main.tf");
    emulator.ask(&format!(
        "client('dynamodb').put_item(TableName='osmt-test', Item={{'LockID': {{'S': '{bucket}/{key}'}}, 'Info': {{'S': '''{note}'''}}}})"
    ));
    run("init --lock s3 --yes").exits(4).matches("bootstrap/init-locked", &folder.own());
    assert_eq!(read(dir, "main.tf"), before);

    emulator.ask(&format!(
        "client('dynamodb').delete_item(TableName='osmt-test', Key={{'LockID': {{'S': '{bucket}/{key}'}}}})"
    ));
    run("init --lock s3 --yes").exits(0);
    let moved = before.replace("dynamodb_table      = \"osmt-test\"", "use_lockfile        = true");
    assert_eq!(read(dir, "main.tf"), moved);
    assert_eq!(run("apply --yes").exits(0).stdout, "nothing to do\n");

    emulator.ask(&format!(
        "client('s3').put_object(Bucket='{bucket}', Key='{key}.tflock', Body='''{note}'''.encode())"
    ));
    run("init --lock dynamodb --yes").exits(4);
    emulator.ask(&format!("client('s3').delete_object(Bucket='{bucket}', Key='{key}.tflock')"));
    run("init --lock dynamodb --yes").exits(0);
    assert_eq!(read(dir, "main.tf"), before);
}

#[test]
fn a_lock_is_looked_for_wherever_it_could_be_held() {
    let emulator = Emulator::start();
    let note = r#"{"ID":"1","Who":"ann@desk","Created":"2026-01-02T03:04:05Z"}"#;
    let (bucket, key) = ("osmt-test-123456789012-us-west-2", "osmt/test/terraform.tfstate");
    let in_table = |table: &str| {
        format!(
            "client('dynamodb').put_item(TableName='{table}', Item={{'LockID': {{'S': '{bucket}/{key}'}}, 'Info': {{'S': '''{note}'''}}}})"
        )
    };
    let in_file =
        format!("client('s3').put_object(Bucket='{bucket}', Key='{key}.tflock', Body='''{note}'''.encode())");
    let run = |folder: &Folder, arguments: &str| {
        let mut command = emulator.osmt("osmt-bootstrap");
        command.args(arguments.split_whitespace()).arg("--dir").arg(folder.path());
        run(&mut command)
    };
    let first = checkout();
    run(&first, &format!("init {ANSWERS} --yes")).exits(0);
    run(&first, "apply --yes").exits(0);
    run(&first, "apply --yes --lock-table osmt-other").exits(0);

    let free = format!(
        "client('s3').delete_object(Bucket='{bucket}', Key='{key}.tflock')
for table in ('osmt-test', 'osmt-other'):
  client('dynamodb').delete_item(TableName=table, Key={{'LockID': {{'S': '{bucket}/{key}'}}}})"
    );
    // How it is locked now, where the lock is held, and what would move it.
    for (now, held, moving) in [
        ("--lock s3", in_file.clone(), "--lock-table osmt-test"),
        ("", in_table("osmt-test"), "--lock-table osmt-other"),
        ("", in_table("osmt-other"), "--lock-table osmt-other"),
        ("--lock s3", in_table("osmt-test"), "--lock dynamodb"),
        ("", in_file, "--lock s3"),
    ] {
        let folder = checkout();
        run(&folder, &format!("init {ANSWERS} {now} --yes")).exits(0);
        let before = read(folder.path(), "main.tf");
        emulator.ask(&held);
        run(&folder, &format!("init {moving} --yes")).exits(4).says("locked by ann@desk");
        assert_eq!(read(folder.path(), "main.tf"), before);
        emulator.ask(&free);
        run(&folder, &format!("init {moving} --yes")).exits(0);
    }

    // Both kinds at once is Terraform's own way between them, and no flag says which to leave.
    let folder = checkout();
    run(&folder, &format!("init {ANSWERS} --yes")).exits(0);
    let both = read(folder.path(), "main.tf").replace(
        "    dynamodb_table      = \"osmt-test\"\n",
        "    dynamodb_table      = \"osmt-test\"\n    use_lockfile        = true\n",
    );
    support::write(&folder.path().join("main.tf"), &both);
    assert_eq!(run(&folder, "init --yes").exits(0).stdout, "nothing to do\n");
    assert_eq!(read(folder.path(), "main.tf"), both);
}

#[test]
fn a_digest_that_does_not_fit_the_state_is_drift_and_keeps_the_lock_from_moving_to_the_table() {
    let emulator = Emulator::start();
    let folder = checkout();
    let dir = folder.path();
    let run = |arguments: &str| {
        let mut command = emulator.osmt("osmt-bootstrap");
        command.args(arguments.split_whitespace()).arg("--dir").arg(dir);
        run(&mut command)
    };
    run(&format!("init {ANSWERS} --yes")).exits(0);
    run("apply --yes").exits(0);
    let digest = |digest: &str| {
        format!(
            "client('dynamodb').put_item(TableName='osmt-test', Item={{'LockID': {{'S': 'osmt-test-123456789012-us-west-2/osmt/test/terraform.tfstate-md5'}}, 'Digest': {{'S': '{digest}'}}}})"
        )
    };
    // A digest without a state, one of another state, and the right one (MD5 of `{}`).
    emulator.ask(&digest("0000"));
    let mut all = run("status").exits(1).transcript("a digest, and no state");
    emulator.ask(
        "client('s3').put_object(Bucket='osmt-test-123456789012-us-west-2', Key='osmt/test/terraform.tfstate', Body=b'{}')",
    );
    all += &run("status").exits(1).transcript("the digest of another state");
    run("init --lock s3 --yes").exits(0);
    all += &run("init --lock dynamodb --yes").exits(4).transcript("init --lock dynamodb");
    let md5 = ("99914b932bd37a50b983c5e7c90ae93b", "MD5-OF-THE-STATE");
    snapshot("bootstrap/digest", &all, &[md5, folder.own()[0]]);
    emulator.ask(&digest("99914b932bd37a50b983c5e7c90ae93b"));
    run("init --lock dynamodb --yes").exits(0);
    run("status").exits(0);
}
