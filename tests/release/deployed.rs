//! What runs, in an emulated account: `status` reports, `tag` asks before it records, `migrate` runs a task.

use serde_json::Value;

use crate::checkout::Checkout;
use crate::support::{Emulator, Folder, Ran, run, snapshot};

/// Deploys an image as Terraform would: the app's service, and the definition of the one-off task.
pub(crate) fn deploy(account: &Emulator, image: &str) {
    account.ask(&format!(
        r"
ecs, ec2 = client('ecs'), client('ec2')
ecs.create_cluster(clusterName='osmt-test')
def define(name):
    made = ecs.register_task_definition(family='osmt-test-' + name, networkMode='awsvpc', requiresCompatibilities=['FARGATE'],
        cpu='256', memory='512', containerDefinitions=[dict(name=name, image='{image}', memory=512, logConfiguration=dict(
            logDriver='awslogs', options={{'awslogs-group': '/osmt/test/' + name, 'awslogs-stream-prefix': name}}))])
    return made['taskDefinition']['taskDefinitionArn']
define('maintenance')
service = dict(cluster='osmt-test', taskDefinition=define('app'))
there = ecs.describe_services(cluster='osmt-test', services=['osmt-test-app'])['services']
if there:
    ecs.update_service(service='osmt-test-app', **service)
else:
    vpc = ec2.create_vpc(CidrBlock='10.0.0.0/16')['Vpc']['VpcId']
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames=dict(Value=True))
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock='10.0.0.0/24')['Subnet']['SubnetId']
    group = ec2.create_security_group(GroupName='app', Description='app', VpcId=vpc)['GroupId']
    place = dict(awsvpcConfiguration=dict(subnets=[subnet], securityGroups=[group]))
    ecs.create_service(serviceName='osmt-test-app', desiredCount=2, launchType='FARGATE', networkConfiguration=place, **service)
"
    ));
}

fn verdict<'a>(printed: &'a Value, name: &str) -> &'a str {
    let links = printed["links"].as_array().unwrap();
    let link = links.iter().find(|link| link["name"] == name);
    link.map_or("absent", |link| link["verdict"].as_str().unwrap())
}

#[test]
fn the_chain_is_reported_link_by_link_and_only_what_runs_is_recorded() {
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    let tool = || checkout.on(account.osmt("osmt-release"));
    let status = || {
        let Ran { exit, stdout, stderr } = run(tool().args(["status", "--format", "json"]));
        let printed: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stderr}"));
        (exit, printed)
    };

    let (exit, printed) = status();
    assert_eq!((exit, verdict(&printed, "deployment")), (1, "differs"), "nothing is there");

    deploy(&account, "wguopensource/osmt-app:2.5.0");
    let (exit, printed) = status();
    assert_eq!((exit, verdict(&printed, "task definition")), (1, "differs"), "{printed}");
    run(tool().args(["tag", "--yes"])).exits(4).matches("release/tag-not-deployed", &[]);

    deploy(&account, "wguopensource/osmt-app:3.0.0");
    let (exit, printed) = status();
    assert_eq!((exit, verdict(&printed, "deployment")), (0, "agrees"), "{printed}");
    assert_eq!(verdict(&printed, "task definition"), "agrees");
    assert_eq!(verdict(&printed, "source"), "agrees");
    assert_eq!(verdict(&printed, "record"), "unknown", "nothing was recorded yet");
    run(tool().args(["tag", "--yes"])).exits(0);
    assert_eq!(run(tool().args(["tag"])).exits(0).stdout, "nothing to do\n");
    run(tool().arg("status")).exits(0).matches("release/status", &[]);
    let (exit, printed) = status();
    assert_eq!((exit, verdict(&printed, "record")), (0, "agrees"), "{printed}");

    // A checkout is not needed; what git would answer is then unknown, not passed.
    let mut bare = account.osmt("osmt-release");
    let elsewhere = Folder::empty();
    bare.current_dir(elsewhere.path()).arg("--config").arg(checkout.config());
    run(bare.arg("status")).exits(0).shows("record          unknown");

    // The circuit breaker has rolled back: the config says one thing, ECS runs another.
    checkout.select("broken");
    deploy(&account, "wguopensource/broken:3.0.0");
    run(tool().arg("status")).exits(1).matches("release/status-rolled-back", &[]);

    let writes = account.calls().into_iter().filter(|call| {
        let name = call.split(':').nth(1).unwrap_or_default();
        call.starts_with("ecs:")
            && !["Describe", "List", "Create", "Register", "Update"].iter().any(|verb| name.starts_with(verb))
    });
    assert_eq!(writes.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn the_database_is_migrated_by_a_task_of_the_selected_image_and_its_end_is_awaited() {
    let checkout = Checkout::osmt();
    let account = Emulator::start();
    let tool = || checkout.on(account.osmt("osmt-release"));
    let migrate = |arguments: &[&str]| run(tool().arg("migrate").args(arguments));
    let mut all = migrate(&["--yes"]).exits(4).transcript("nothing is deployed");
    deploy(&account, "wguopensource/osmt-app:2.5.0");
    all += &migrate(&["--yes"]).exits(4).transcript("another image is deployed");
    deploy(&account, "wguopensource/osmt-app:3.0.0");
    all += &migrate(&["--dry-run"]).exits(1).transcript("--dry-run");
    all += &migrate(&[]).exits(4).transcript("no terminal");
    assert!(!account.calls().contains(&"ecs:RunTask".to_owned()));
    for (args, command, setting) in [
        (&["migrate", "--yes"][..], &["import", "reindex"][..], None),
        (
            &["migrate", "--yes", "--step", "reindex", "--out-of-order", "--no-snapshot", "--format", "json"],
            &["reindex"],
            Some("SPRING_FLYWAY_OUTOFORDER"),
        ),
    ] {
        let Ran { exit, stderr, .. } = run(tool().args(args));
        assert_eq!(exit, 0, "{stderr}");
        let log = "aws logs tail /osmt/test/maintenance --log-stream-names maintenance/maintenance/";
        assert!(stderr.contains(log), "{stderr}");
        let started = stderr.lines().find_map(|line| line.strip_prefix("started ")).unwrap();
        let task = account.ask(&format!(
            "answer = client('ecs').describe_tasks(cluster='osmt-test', tasks=['{started}'])['tasks'][0]"
        ));
        assert_eq!(task["startedBy"], "osmt-release");
        assert_eq!(task["lastStatus"], "STOPPED", "its end was awaited");
        let given = &task["overrides"]["containerOverrides"][0];
        assert_eq!(given["command"], serde_json::json!(command));
        let environment = given["environment"].as_array().unwrap().iter();
        let names: Vec<&str> = environment.map(|one| one["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"SPRING_FLYWAY_INITSQLS_0_"), "the preflight: {names:?}");
        assert_eq!(names.iter().find(|name| **name == "SPRING_FLYWAY_OUTOFORDER").copied(), setting);
    }
    all += &migrate(&["--yes", "--wait", "0"]).exits(3).transcript("--yes --wait 0");
    all += &migrate(&["--yes"]).exits(4).transcript("a task is running");
    snapshot("release/migrate", &all, &[]);
}

#[test]
fn another_account_is_refused_and_no_account_is_a_clear_failure() {
    let checkout = Checkout::osmt();
    let account = Emulator::start_as("210987654321");
    let mut all = String::new();
    for verb in [&["status"][..], &["tag", "--yes"], &["migrate", "--yes"]] {
        let other = run(checkout.on(account.osmt("osmt-release")).args(verb)).exits(4);
        let mut nowhere = checkout.on(account.osmt("osmt-release"));
        nowhere.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env("AWS_MAX_ATTEMPTS", "1");
        let unreached = run(nowhere.args(verb)).exits(3);
        let without = run(checkout.release_tool().args(verb)).exits(3);
        for (what, ran) in
            [("another account", other), ("no network", unreached), ("no credentials", without)]
        {
            all += &ran.transcript(&format!("{}: {what}", verb[0]));
        }
    }
    snapshot("release/no-account", &all, &[]);
    assert_eq!(checkout.git(&["for-each-ref", "refs/tags/osmt/"]), "");
}
