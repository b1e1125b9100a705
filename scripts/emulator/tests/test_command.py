"""`scripts/aws-emulator` as a person and a test use it."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

import emulators
from botocore.exceptions import ClientError


class Command(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = Path(folder.name) / "one"
        self.addCleanup(lambda: emulators.run("stop", "--state", str(self.state)))

    def test_status_start_start_stop_stop(self) -> None:
        self.assertEqual(emulators.run("status", "--state", str(self.state)).returncode, 1)
        first = emulators.start(self.state)
        again = emulators.run("start", "--state", str(self.state))
        self.assertEqual(again.returncode, 0)
        self.assertIn("already running", again.stdout)
        self.assertIn(first["endpoint"], again.stdout)
        status = emulators.run("status", "--state", str(self.state), "--format", "json")
        self.assertEqual((status.returncode, json.loads(status.stdout)["pid"]), (0, first["pid"]))
        for said in ("was stopped", "no emulator was running"):
            stopped = emulators.run("stop", "--state", str(self.state))
            self.assertEqual(stopped.returncode, 0, stopped.stderr)
            self.assertIn(said, stopped.stdout)
        self.assertEqual(emulators.run("status", "--state", str(self.state), "--env").returncode, 3)

    def test_the_environment_reaches_it_and_drops_the_users_own(self) -> None:
        emulators.start(self.state)
        user = dict(os.environ, AWS_PROFILE="mine", AWS_ENDPOINT_URL_S3="https://elsewhere.example")
        script = (
            f'eval "$({" ".join(emulators.COMMAND)} status --env --state {self.state})" && '
            f'test -z "${{AWS_PROFILE+set}}${{AWS_ENDPOINT_URL_S3+set}}" && '
            f"{sys.executable} -c \"import boto3; print(boto3.client('sts').get_caller_identity()['Account'])\""
        )
        shell = subprocess.run(["sh", "-c", script], env=user, capture_output=True, text=True, check=False)
        self.assertEqual(shell.stdout.strip(), "123456789012", shell.stderr)

    def test_two_are_two_accounts(self) -> None:
        one = emulators.start(self.state)
        other_state = self.state.with_name("two")
        two = emulators.start(other_state, "--account-id", "210987654321")
        self.addCleanup(lambda: emulators.run("stop", "--state", str(other_state)))
        emulators.client(one["endpoint"], "s3").create_bucket(Bucket="mine", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        self.assertEqual(emulators.client(two["endpoint"], "s3").list_buckets()["Buckets"], [])
        self.assertEqual(emulators.client(two["endpoint"], "sts").get_caller_identity()["Account"], "210987654321")

    def test_a_killed_one_is_noticed_and_started_anew(self) -> None:
        first = emulators.start(self.state)
        os.kill(first["pid"], signal.SIGKILL)
        while emulators.run("status", "--state", str(self.state)).returncode == 0:
            time.sleep(0.01)
        self.assertEqual(emulators.run("status", "--state", str(self.state)).returncode, 1)
        self.assertNotEqual(emulators.start(self.state)["pid"], first["pid"])

    def test_it_ends_with_its_parent(self) -> None:
        parent = subprocess.Popen(["sleep", "600"])
        started = emulators.run("start", "--state", str(self.state), "--parent", str(parent.pid))
        self.assertEqual(started.returncode, 0, started.stderr)
        parent.kill()  # dead, but not yet waited for: that is gone, too
        deadline = time.monotonic() + 30
        while emulators.run("status", "--state", str(self.state)).returncode != 1:
            self.assertLess(time.monotonic(), deadline, "it outlived its parent")
            time.sleep(0.1)
        parent.wait()

    def test_bad_flags_are_usage(self) -> None:
        for arguments in ([], ["begin"], ["start", "--format", "yaml"]):
            self.assertEqual(emulators.run(*arguments).returncode, 2)

    def test_a_state_folder_that_cannot_be_made_is_said(self) -> None:
        failed = emulators.run("start", "--state", "/dev/null/state")
        self.assertEqual(failed.returncode, 3)
        self.assertIn("error: could not start the emulator", failed.stderr)
        self.assertNotIn("Traceback", failed.stderr)


class Gaps(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.state = Path(cls.folder.name)
        cls.endpoint = emulators.start(cls.state)["endpoint"]
        cls.addClassCleanup(lambda: emulators.run("stop", "--state", cls.folder.name))

    def refused(self, of: str, operation: str, **parameters: object) -> str:
        with self.assertRaises(ClientError) as caught:
            getattr(emulators.client(self.endpoint, of), operation)(**parameters)
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 501)
        self.assertEqual(caught.exception.response["Error"]["Code"], "NotImplemented")
        return caught.exception.response["Error"]["Message"]

    def test_a_missing_operation_is_named(self) -> None:
        role = {"PolicySourceArn": "arn:aws:iam::123456789012:role/any", "ActionNames": ["s3:GetObject"]}
        said = self.refused("iam", "simulate_principal_policy", **role)
        self.assertEqual(said, "the emulator lacks iam:SimulatePrincipalPolicy")
        self.assertIn("ListServiceDeployments", self.refused("ecs", "list_service_deployments", service="any"))
        self.assertIn("GetInstanceMetadataDefaults", self.refused("ec2", "get_instance_metadata_defaults"))
        self.assertIn("TestDNSAnswer", self.refused("route53", "test_dns_answer", HostedZoneId="Z1", RecordName="a", RecordType="A"))
        self.assertIn("UpdateFileSystem", self.refused("efs", "update_file_system", FileSystemId="fs-1", ThroughputMode="bursting"))
        status = json.loads(emulators.run("status", "--state", self.folder.name, "--format", "json").stdout)
        self.assertIn("iam:SimulatePrincipalPolicy", status["gaps"])
        self.assertIn("iam:SimulatePrincipalPolicy", (self.state / "server.log").read_text(encoding="utf-8"))

    def test_a_missing_service_is_named(self) -> None:
        said = self.refused("accessanalyzer", "list_analyzers")
        self.assertIn("access-analyzer", said)

    def repeating(self, service: str) -> Any:
        """A client whose requests all have the number of the first, as those that an SDK repeats."""

        def number(request: Any, **_: object) -> None:
            request.headers["amz-sdk-invocation-id"] = "the-same"

        client = emulators.client(self.endpoint, service)
        client.meta.events.register(f"before-send.{service}", number)
        return client

    def test_a_repeated_request_is_done_again(self) -> None:
        """AWS promises nothing for the number; what makes a repetition harmless is a client token, where a call has one."""
        secrets = self.repeating("secretsmanager")
        secrets.create_secret(Name="again", SecretString="{}", ClientRequestToken="a" * 32)
        with self.assertRaises(secrets.exceptions.ResourceExistsException):
            secrets.create_secret(Name="again", SecretString="{}", ClientRequestToken="b" * 32)
        versions = [secrets.put_secret_value(SecretId="again", SecretString=text)["VersionId"] for text in ("{}", "[]")]
        self.assertNotEqual(versions[0], versions[1])
        tables = self.repeating("dynamodb")
        table = {
            "TableName": "again",
            "KeySchema": [{"AttributeName": "LockID", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        tables.create_table(**table)
        with self.assertRaises(tables.exceptions.ResourceInUseException):
            tables.create_table(**table)

    def test_calls_are_logged_by_name_and_without_values(self) -> None:
        s3 = emulators.client(self.endpoint, "s3")
        s3.create_bucket(Bucket="named", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        s3.put_object(Bucket="named", Key="a/b", Body=b"x")
        s3.get_bucket_versioning(Bucket="named")
        secrets = emulators.client(self.endpoint, "secretsmanager")
        secrets.create_secret(Name="named", SecretString="not-to-be-logged")
        emulators.client(self.endpoint, "route53").list_hosted_zones()
        log = (self.state / "calls.jsonl").read_text(encoding="utf-8")
        self.assertNotIn("not-to-be-logged", log)
        calls = {f"{call['service']}:{call['operation']}" for call in map(json.loads, log.splitlines())}
        wanted = {"s3:CreateBucket", "s3:PutObject", "s3:GetBucketVersioning", "secretsmanager:CreateSecret", "route53:ListHostedZones"}
        self.assertLessEqual(wanted, calls)


class Forks(unittest.TestCase):
    """The process that accounts are forked from, as the integration tests use it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        started = emulators.run("forks", "--folder", str(self.folder / "forks"))
        self.assertEqual(started.returncode, 0, started.stderr)

    def request(self, **asked: Any) -> Any:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(str(self.folder / "forks" / "socket"))
            with connection.makefile("rw", encoding="utf-8") as stream:
                stream.write(json.dumps(asked) + "\n")
                stream.flush()
                return json.loads(stream.readline())

    def account(self, name: str) -> Any:
        state = self.folder / name
        state.mkdir()
        return self.request(start={"state": str(state), "parent": os.getpid(), "region": "us-west-2"})

    def ask(self, account: Any, script: str) -> Any:
        return self.request(ask={"script": script, "environment": account["environment"]})

    def test_each_account_has_its_own_things_and_its_own_random_names(self) -> None:
        one, two = self.account("one"), self.account("two")
        make = "made = client('ec2').create_vpc(CidrBlock='10.0.0.0/16'); answer = made['Vpc']['VpcId']"
        named = [self.ask(account, make)["answer"] for account in (one, two)]
        self.assertNotEqual(*named)
        listed = "answer = [vpc['VpcId'] for vpc in client('ec2').describe_vpcs()['Vpcs'] if not vpc['IsDefault']]"
        self.assertEqual(self.ask(one, listed), {"answer": named[:1]})
        self.assertIn("ec2", Path(one["calls"]).read_text(encoding="utf-8"))
        broken = self.ask(one, "answer = client('no-such-service')")
        self.assertIn("UnknownServiceError", broken["error"])
        os.kill(one["pid"], signal.SIGTERM)
        self.assertEqual(self.ask(two, listed), {"answer": named[1:]})

    def test_of_several_starts_one_listens(self) -> None:
        again = emulators.run("forks", "--folder", str(self.folder / "forks"))
        self.assertEqual((again.returncode, again.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
