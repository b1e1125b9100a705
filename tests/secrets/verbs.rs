//! The smaller verbs and flags: `history`, `push --bump`, dotenv files, `verify --max-age`, `rotate --verify`, KMS.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use crate::support::{self, Emulator, run, snapshot};
use crate::world::World;

fn revision(world: &World) -> u64 {
    let config: serde_json::Value = serde_json::from_str(&world.config_text()).unwrap();
    config["config"]["secrets_revision"].as_u64().unwrap()
}

#[test]
fn history_lists_the_versions_and_a_rollback_goes_to_any_of_them() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.run(&account, "history rds/password").exits(0).shows("is not in AWS");
    world.pushed(&account);
    let first = world.kept("rds/password");
    world.run(&account, "rotate --yes").exits(0);
    world.run(&account, "rotate --yes").exits(0);
    let ran = world.run(&account, "history rds/password --format json").exits(0).json();
    let versions = ran["versions"].as_array().unwrap();
    let labels: Vec<_> = versions.iter().map(|version| version["labels"][0].as_str()).collect();
    assert_eq!(labels[..2], [Some("AWSCURRENT"), Some("AWSPREVIOUS")]);
    assert_eq!((&versions[0]["in_keyring"], &versions[1]["in_keyring"]), (&true.into(), &false.into()));
    world.run(&account, "history rds/password").exits(0).matches("secrets/history", &world.own());
    assert_eq!(versions.len(), 3, "{versions:?}");

    // The oldest one has no label any more.
    let oldest = versions[2]["id"].as_str().unwrap();
    world
        .run(&account, "rollback rds/password --to nonsense --yes")
        .exits(4)
        .says("has no version with this id");
    world.run(&account, &format!("rollback rds/password --to {} --yes", &oldest[..12])).exits(0);
    assert_eq!(world.kept("rds/password"), first);
    assert_eq!(world.held(&account, "rds")["password"].as_str(), first.as_deref());
    world.run(&account, "verify").exits(0);
    world.run(&account, "history").exits(2);
    world.run(&account, "history rds/nothing").exits(2);
}

#[test]
fn a_push_can_make_terraform_deploy_what_it_wrote() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.offline("generate rds/password", "").exits(0);
    world.offline("set app/oauth_client_secret", "issued-elsewhere\n").exits(0);
    world
        .run(&account, "push --yes")
        .exits(0)
        .says("next: `terraform apply` deploys them")
        .lacks("secrets_revision");
    assert_eq!(revision(&world), 1);
    world.run(&account, "push --bump --yes").exits(0).shows("nothing to do");
    assert_eq!(revision(&world), 1, "nothing was written, so nothing must be deployed");
    world.offline("set app/oauth_client_secret --yes", "a-second-one\n").exits(0);
    let text = world.config_text();
    world.run(&account, "push --bump --dry-run").exits(1).shows("secrets_revision: 1 → 2");
    assert_eq!(world.config_text(), text);
    world.run(&account, "push --bump --yes").exits(0);
    assert_eq!(world.config_text(), text.replace("\"secrets_revision\": 1", "\"secrets_revision\": 2"));
    assert_eq!(world.held(&account, "app")["oauth_client_secret"], "a-second-one");
    world.run(&account, "push --bump --yes").exits(0).shows("nothing to do");
    assert_eq!(revision(&world), 2);
    world.offline("set app/oauth_client_secret --yes", "a-third-one\n").exits(0);
    world.run(&account, "push --yes").exits(0).says("next: increase `secrets_revision` in ");
}

#[test]
fn a_dotenv_file_is_taken_whole_or_not_at_all() {
    let Some(world) = World::new() else { return };
    let mut all = String::new();
    for (what, stdin) in [
        ("a line without a name", "DB_PASSWORD=Canary-one\nnot a Canary line\n"),
        ("a name twice", "DB_PASSWORD=Canary-one\nDB_PASSWORD=Canary-two\n"),
        ("an open quote", "DB_PASSWORD=\"Canary-open\n"),
        ("white space in a value", "DB_PASSWORD='Canary one'\n"),
        ("no secret of the deployment", "OTHER=Canary-other\n"),
        ("nothing", ""),
    ] {
        all += &world.offline("import --yes", stdin).exits(2).lacks("Canary").transcript(what);
    }
    snapshot("secrets/dotenv-refused", &all, &world.own());
    assert_eq!(world.kept("rds/password"), None);
    let good =
        "# the app's\nexport DB_PASSWORD=\"Canary-one\" # a comment\nOAUTH_CLIENTSECRET='it#is'\nPATH=/bin\n";
    world
        .offline("import", good)
        .exits(0)
        .says("ignored 1 variable that is not a secret")
        .shows("2 to create");
    assert_eq!(world.kept("rds/password").as_deref(), Some("Canary-one"));
    assert_eq!(world.kept("app/oauth_client_secret").as_deref(), Some("it#is"));
    world.offline("import", good).exits(0).shows("nothing to do");
}

#[test]
fn a_rotation_that_is_due_fails_verify() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.pushed(&account);
    world.run(&account, "verify --max-age 90d").exits(0).shows("the maximum is 90 days");
    std::thread::sleep(Duration::from_secs(2));
    world.run(&account, "verify --max-age 1s").exits(1).shows("`osmt-secrets rotate rds/password`");
    for wrong in ["Canary", "-1d", "0", ""] {
        world.run(&account, &format!("verify --max-age={wrong}")).exits(2).lacks("Canary");
    }
    // What could not be checked is a failure where that is asked for: `DB_URI` is not there yet.
    world.run(&account, "verify --strict").exits(1).shows("SKIP");
}

#[test]
fn a_rotation_ends_where_all_tasks_are_newer() {
    let Some(world) = World::new() else { return };
    let account = Emulator::start();
    world.pushed(&account);
    world.run(&account, "rotate --verify").exits(4).says("-app does not exist yet").says("terraform apply");
    let env = &world.env;
    let deploy = |create: bool| {
        account.ask(&format!(
            r"
ecs, ec2 = client('ecs'), client('ec2')
if {create}:
    ecs.create_cluster(clusterName='osmt-{env}')
made = ecs.register_task_definition(family='osmt-{env}-app', networkMode='awsvpc', requiresCompatibilities=['FARGATE'],
    cpu='256', memory='512', containerDefinitions=[dict(name='app', image='osmt-app', memory=512)])
service = dict(cluster='osmt-{env}', taskDefinition=made['taskDefinition']['taskDefinitionArn'])
if {create}:
    vpc = ec2.create_vpc(CidrBlock='10.0.0.0/16')['Vpc']['VpcId']
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock='10.0.0.0/24')['Subnet']['SubnetId']
    group = ec2.create_security_group(GroupName='app', Description='app', VpcId=vpc)['GroupId']
    place = dict(awsvpcConfiguration=dict(subnets=[subnet], securityGroups=[group]))
    ecs.create_service(serviceName='osmt-{env}-app', desiredCount=2, launchType='FARGATE', networkConfiguration=place, **service)
else:
    ecs.update_service(service='osmt-{env}-app', forceNewDeployment=True, **service)
",
            create = if create { "True" } else { "False" },
        ));
    };
    std::thread::sleep(Duration::from_secs(1));
    deploy(true);
    world.run(&account, "rotate --verify").exits(0).shows("2 running tasks were started after");

    std::thread::sleep(Duration::from_secs(1));
    world.run(&account, "rotate --yes").exits(0).says("rotate rds/password --verify");
    let mut command = world.program(Some(&account));
    command.args(["rotate", "--verify"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let waiting =
        said.find(|line| line.as_ref().is_ok_and(|line| line.contains("2 tasks were started before")));
    assert!(waiting.is_some(), "it does not say what it waits for");
    assert!(child.try_wait().unwrap().is_none());
    deploy(false);
    drop(said);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("the service is stable"));
}

/// An account in which Secrets Manager may not use the key of a secret. The message is Secrets Manager's own.
fn without_the_key(key: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut reader = BufReader::new(&stream);
                let (mut head, mut length) = (String::new(), 0);
                while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {
                    let last = head.lines().last().unwrap_or_default().to_ascii_lowercase();
                    if let Some(value) = last.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let (status, kind, answer) = if head.contains("DescribeSecret") {
                    (200, "application/x-amz-json-1.1", format!(r#"{{"Name": "x", "KmsKeyId": "{key}"}}"#))
                } else if head.contains("secretsmanager.") {
                    let denied =
                        r#"{"__type": "AccessDeniedException", "Message": "Access to KMS is not allowed"}"#;
                    (400, "application/x-amz-json-1.1", denied.to_owned())
                } else {
                    let account = support::ACCOUNT;
                    let caller = format!(
                        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/a</Arn><UserId>A</UserId><Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
                    );
                    (200, "text/xml", caller)
                };
                let length = answer.len();
                let answer = format!(
                    "HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}"
                );
                let _ = (&stream).write_all(answer.as_bytes());
            });
        }
    });
    endpoint
}

#[test]
fn a_key_that_may_not_be_used_is_named_with_its_secret() {
    let Some(world) = World::new() else { return };
    world.offline("generate rds/password", "").exits(0);
    world.offline("set app/oauth_client_secret", "issued\n").exits(0);
    let key = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let endpoint = without_the_key(key);
    let mut all = String::new();
    for verb in ["diff", "verify", "push", "pull", "rotate"] {
        let mut command = world.program(None);
        command.args([verb, "--yes", "--endpoint-url", &endpoint]);
        command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
        all += &run(&mut command).exits(3).transcript(verb);
    }
    // Both secrets are read at the same time; the error is about the one whose answer is first.
    let all = all.replace("/app, which", "/rds, which");
    snapshot("secrets/key-denied", &all, &world.own());
}
