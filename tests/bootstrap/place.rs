//! A Terraform directory of a test's own, and the binary run in it.

use std::io::{Read as _, Write as _};
use std::process::Command;

use crate::support;
use crate::support::{Emulator, Folder, Ran, run};

/// A state with a resource, and one without.
const FULL: &str =
    r#"{"version":4,"terraform_version":"1.11.4","lineage":"x","resources":[{"type":"aws_vpc"}]}"#;
const EMPTY: &str = r#"{"version":4,"terraform_version":"1.11.4","lineage":"x","resources":[],"outputs":{}}"#;

/// A directory with a config for one environment of an emulated account.
pub(crate) struct Place<'a> {
    emulator: &'a Emulator,
    pub(crate) folder: Folder,
    pub(crate) env: String,
}

impl<'a> Place<'a> {
    pub(crate) fn new(emulator: &'a Emulator, env: &str) -> Self {
        Self { emulator, folder: Folder::of(env), env: env.to_owned() }
    }

    pub(crate) fn bucket(&self) -> String {
        format!("osmt-{}-{}-{}", self.env, support::ACCOUNT, support::REGION)
    }

    /// The binary, in this directory, with this account.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.emulator.osmt("osmt-bootstrap");
        command.arg("--dir").arg(self.folder.path()).args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.command(arguments))
    }

    /// A zone for the config's domain, and its id in the config.
    pub(crate) fn hosted_zone(&self) -> String {
        let domain = format!("{}.example.org", self.env);
        let id = zone(self.emulator, &domain);
        self.answers_at(&format!("osmt.{domain}"), &id);
        id
    }

    /// A domain and its zone in the config.
    pub(crate) fn answers_at(&self, domain: &str, zone: &str) {
        self.folder.set("/config/domain/name", domain);
        self.folder.set("/config/domain/hosted_zone_id", zone);
    }

    /// A bucket and a table that others use, named in main.tf; their names end with the environment's.
    pub(crate) fn adopts(&self, bucket: &str, table: &str) {
        let env = &self.env;
        let (bucket, table) = (format!("{bucket}-{env}"), format!("{table}-{env}"));
        let main = format!(
            "terraform {{\n  backend \"s3\" {{\n    bucket         = \"{bucket}\"\n    key            = \"osmt/{env}/terraform.tfstate\"\n    region         = \"us-west-2\"\n    dynamodb_table = \"{table}\"\n  }}\n}}\n"
        );
        support::write(&self.folder.path().join("main.tf"), &main);
        self.emulator.ask(&format!(
            r"
s3, db = client('s3'), client('dynamodb')
s3.create_bucket(Bucket='{bucket}', CreateBucketConfiguration={{'LocationConstraint': 'us-west-2'}})
s3.put_object(Bucket='{bucket}', Key='artifacts/lms-release.zip', Body=b'PK')
s3.put_object(Bucket='{bucket}', Key='lms/terraform.tfstate', Body=b'{FULL}')
db.create_table(TableName='{table}', BillingMode='PAY_PER_REQUEST', SSESpecification={{'Enabled': True}}, KeySchema=[{{'AttributeName': 'LockID', 'KeyType': 'HASH'}}],
  AttributeDefinitions=[{{'AttributeName': 'LockID', 'AttributeType': 'S'}}])
for name in ('lms', 'sis', 'hr'):
    db.put_item(TableName='{table}', Item={{'LockID': {{'S': 'campus-tfstate/' + name + '/terraform.tfstate-md5'}}, 'Digest': {{'S': 'x'}}}})"
        ));
    }

    /// What Terraform leaves in an adopted bucket and table once everything is destroyed.
    pub(crate) fn use_state(&self) {
        let env = &self.env;
        self.emulator.ask(&format!(
            r"
s3, db = client('s3'), client('dynamodb')
for body in (b'{FULL}', b'{EMPTY}'):
    s3.put_object(Bucket='campus-tfstate-{env}', Key='osmt/{env}/terraform.tfstate', Body=body)
s3.put_object(Bucket='campus-tfstate-{env}', Key='osmt/{env}/terraform.tfstate.tflock', Body=b'x')
s3.delete_object(Bucket='campus-tfstate-{env}', Key='osmt/{env}/terraform.tfstate.tflock')
db.put_item(TableName='terraform-locks-{env}', Item={{'LockID': {{'S': 'campus-tfstate-{env}/osmt/{env}/terraform.tfstate-md5'}}, 'Digest': {{'S': 'x'}}}})"
        ));
    }

    /// Puts an object into the bucket, by hand and quickly.
    pub(crate) fn put(&self, key: &str, body: &str) {
        let host = self.emulator.endpoint.trim_start_matches("http://");
        let mut wire = std::net::TcpStream::connect(host).unwrap();
        write!(
            wire,
            "PUT /{}/{key} HTTP/1.1\r\nHost: {host}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=emulator/20260101/us-west-2/s3/aws4_request\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.bucket(),
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        wire.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// Makes a public zone and gives its id.
pub(crate) fn zone(emulator: &Emulator, domain: &str) -> String {
    let id = emulator.ask(&format!(
        "answer = client('route53').create_hosted_zone(Name='{domain}', CallerReference='{domain}')['HostedZone']['Id'].split('/')[-1]"
    ));
    id.as_str().unwrap().to_owned()
}
