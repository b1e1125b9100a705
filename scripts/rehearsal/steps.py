"""The steps of the rehearsal, in order. Each does what a user would do and checks what a user would see."""

import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, Optional

import console
import environment
import leaks
import osmt_repository
import providers
from journey import Journey, StepFailed
from workplace import Workplace

ACCOUNT = "123456789012"
REGION = "us-west-2"
# The emulator has no data for these operations, so `osmt-doctor check --live` reports the checks as unknown.
WITHOUT_DATA = {
    "elasticache:DescribeCacheEngineVersions",
    "elasticache:DescribeReservedCacheNodesOfferings",
    "rds:DescribeDBEngineVersions",
    "rds:DescribeEngineDefaultParameters",
    "rds:DescribeOrderableDBInstanceOptions",
    "servicequotas:GetAWSDefaultServiceQuota",
    "servicequotas:GetServiceQuota",
    "servicequotas:ListServiceQuotas",
}
DOMAIN = "osmt.rehearsal-college.edu"  # not a reserved domain, which the doctor would report; no DNS query is made
DIR = "terraform/invocation"
CONFIG = f"{DIR}/config.auto.tfvars.json"
REPOSITORY = "osmt"
CLIENT_SECRET = "app/oauth_client_secret"


class Rehearsal:
    """The data that the steps share."""

    def __init__(self, journey: Journey, work: Workplace, region: str = REGION) -> None:
        self.region = region
        self.journey = journey
        self.work = work
        self.env = f"rehearse-{secrets.token_hex(3)}"
        self.client_secret = secrets.token_urlsafe(30)
        self.python = str(environment.python())
        self.values = {self.client_secret}  # of secrets, to search for them at the end
        self.objects = 0  # the number of copied objects
        self.zone = ""
        self.before: list[str] = []

    # the commands that the steps run

    def bootstrap(self, *arguments: str, **options: Any) -> str:
        return self.journey.run("osmt-bootstrap", *arguments, **options)

    def secrets(self, *arguments: str, **options: Any) -> str:
        return self.journey.run("osmt-secrets", *arguments, **options)

    def doctor(self, *arguments: str, **options: Any) -> str:
        return self.journey.run("osmt-doctor", *arguments, **options)

    def release(self, *arguments: str, **options: Any) -> str:
        return self.journey.run("osmt-release", "--repo", REPOSITORY, *arguments, **options)

    def terraform(self, *arguments: str, **options: Any) -> str:
        return self.journey.run(providers.program(), f"-chdir={DIR}", *arguments, **options)

    def account(self, *arguments: str) -> str:
        """Runs account.py without logging it, because its output may contain values of secrets."""
        command = [self.python, "-B", str(Path(__file__).with_name("account.py")), *arguments]
        with console.show_elapsed():
            done = subprocess.run(
                command, env=self.journey.environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
            )
        if done.returncode != 0:
            raise StepFailed(f"could not read the emulated account: account.py {arguments[0]}\n{done.stderr}")
        return done.stdout

    def gather(self) -> None:
        """Records the values of the account's secrets and copies its objects, for the search."""
        copied = self.work.folder / "objects"
        copied.mkdir(exist_ok=True)
        self.objects += int(self.account("objects", str(copied)))
        for versions in json.loads(self.account("secrets")).values():
            for version in versions:
                self.values.update(value for key, value in json.loads(version).items() if key != "username")

    def config(self) -> dict[str, Any]:
        return dict(json.loads((self.work.folder / CONFIG).read_text(encoding="utf-8"))["config"])


def total(quick: bool, keep: bool) -> int:
    """The number of steps of `walk`."""
    return 8 if quick else 12 if keep else 13


def walk(journey: Journey, work: Workplace, quick: bool, keep: bool) -> None:
    """Runs the steps; with `quick` only those up to Terraform's plan."""
    prepare_environment(journey)
    copy_directory(work)
    with journey.step("build the four binaries", "all other steps use them"):
        build(journey)
    with journey.step("start an AWS account on this machine", "no real account can be reached"):
        start_emulator(journey, work, keep)
    rehearsal = Rehearsal(journey, work)
    with journey.step("create a hosted zone for the domain", "an organisation has one before it deploys"):
        prepare_account(rehearsal)
    with journey.step("osmt-bootstrap", "state bucket, lock table and certificate must exist before Terraform"):
        bootstrap(rehearsal)
    with journey.step("osmt-secrets", "passwords are copied only from the keyring to Secrets Manager"):
        secrets_first(rehearsal)
    with journey.step("osmt-doctor", "mistakes are found before the plan"):
        _doctor(rehearsal)
    with journey.step("terraform plan", "osmt-doctor checks the plan before it is applied"):
        _terraform_plan(rehearsal)
    if not quick:
        with journey.step("terraform apply", "the stack is created, and a second plan has no changes"):
            _terraform_apply(rehearsal)
        with journey.step("osmt-release", "a release of OSMT is selected, deployed, recorded and shown"):
            _release(rehearsal)
        with journey.step("restore the database", "after a failed migration, as described in docs/release.md"):
            _restore(rehearsal)
        with journey.step("rotate the secrets", "one apply gives the new password to the database"):
            _rotate(rehearsal)
    if not quick and not keep:
        with journey.step("tear down", "turn the protection off and destroy; the account is as empty as before"):
            rehearsal.gather()  # before the account is deleted
            _tear_down(rehearsal)
    with journey.step("search for the values of the secrets", "state, plans, logs and arguments must not contain one"):
        _search(rehearsal)


def prepare_environment(journey: Journey) -> None:
    """Removes the user's AWS, Terraform and git settings, so that no real account can be reached."""
    unwanted = ("AWS_", "TF_", "GIT_", "OSMT_KEYRING")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "NO_COLOR": "1"}
    own |= {f"GIT_{who}_NAME": "Rehearsal" for who in ("AUTHOR", "COMMITTER")}
    own |= {f"GIT_{who}_EMAIL": "rehearsal@example.org" for who in ("AUTHOR", "COMMITTER")}
    journey.environment = kept | own | journey.environment | providers.configuration(journey.work)


def copy_directory(work: Workplace) -> None:
    """Copies the Terraform directory without the files that Terraform and the binaries wrote."""
    made = {".terraform", "terraform.tfstate", "terraform.tfstate.backup", "main.tf", "config.auto.tfvars.json"}

    def left_by_a_run(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if name in made or name.endswith(".tfplan")}

    shutil.copytree(providers.ROOT / "terraform", work.folder / "terraform", ignore=left_by_a_run)


def build(journey: Journey) -> None:
    root = str(providers.ROOT)
    journey.run("cargo", "build", "--locked", "--bins", cwd=root, live=True)
    printed = subprocess.run(
        ["cargo", "metadata", "--format-version=1", "--no-deps", "--locked"], cwd=root, capture_output=True, text=True, check=True
    )
    binaries = Path(json.loads(printed.stdout)["target_directory"]) / "debug"
    journey.environment["PATH"] = f"{binaries}{os.pathsep}{journey.environment['PATH']}"


def start_emulator(journey: Journey, work: Workplace, keep: bool) -> None:
    environment.python()  # prints what it installs
    parent = [] if keep else ["--parent", str(os.getpid())]
    command = [str(providers.ROOT / "scripts" / "aws-emulator"), "start", "--state", str(work.emulator), *parent]
    started = journey.run_json(*command, "--format", "json", show=lambda out: f"running at {json.loads(out)['endpoint']}")
    for name in started["unset"]:
        journey.environment.pop(name, None)
    journey.environment.update(started["environment"])


def prepare_account(rehearsal: Rehearsal) -> None:
    rehearsal.zone = rehearsal.account("prepare", DOMAIN).strip()
    rehearsal.before = json.loads(rehearsal.account("inventory"))
    print(f"          {DOMAIN} is zone {rehearsal.zone}")


def bootstrap(rehearsal: Rehearsal, more: Optional[dict[str, str]] = None) -> None:
    answers = (more or {}) | {
        "--account-id": ACCOUNT,
        "--region": rehearsal.region,
        "--env": rehearsal.env,
        "--domain": DOMAIN,
        "--hosted-zone-id": rehearsal.zone,
        "--oauth-issuer": "https://login.rehearsal-college.edu/oauth2/default",
        "--oauth-client-id": "0oa1rehearsal2client3",
        "--oauth-audience": "api://default",
    }
    rehearsal.bootstrap("init", "--yes", *(word for pair in answers.items() for word in pair))
    rehearsal.bootstrap("plan", exits=(1,), show=_all_lines)
    rehearsal.bootstrap("apply", "--yes", show=last)
    rehearsal.bootstrap("apply", "--yes", show=last)
    rehearsal.bootstrap("plan", show=last)
    rehearsal.bootstrap("certificate", "--yes", show=last)
    arn = rehearsal.config()["alb"]["certificate_arn"]
    wanted = f"arn:aws:acm:{rehearsal.region}:{ACCOUNT}:certificate/"
    rehearsal.journey.expect(arn.startswith(wanted), f"the certificate's ARN is not in {CONFIG}: {arn}")
    rehearsal.bootstrap("status", show=_all_lines)


def secrets_first(rehearsal: Rehearsal) -> None:
    rehearsal.secrets("generate", "rds/password")
    given = rehearsal.client_secret + "\n"
    rehearsal.secrets("set", CLIENT_SECRET, given=given, given_is="a random value")
    rehearsal.secrets("diff", exits=(1,), show=_all_lines)
    rehearsal.secrets("push", "--yes", show=last)
    rehearsal.secrets("diff", show=last)
    rehearsal.secrets("verify", show=_all_lines)


def _doctor(rehearsal: Rehearsal) -> None:
    rehearsal.doctor("check", show=last)
    rehearsal.doctor("check", "--live", show=last)


def _terraform_plan(rehearsal: Rehearsal) -> None:
    rehearsal.terraform("init", "-no-color", show=last)
    rehearsal.terraform("plan", "-no-color", "-out=first.tfplan", show=changes)
    rehearsal.doctor("plan", f"{DIR}/first.tfplan", show=last)


def _terraform_apply(rehearsal: Rehearsal) -> None:
    rehearsal.terraform("apply", "-no-color", "first.tfplan", show=changes)
    rehearsal.terraform("plan", "-no-color", "-detailed-exitcode", show=changes)


def _release(rehearsal: Rehearsal) -> None:
    osmt_repository.make(rehearsal.work.folder / REPOSITORY)
    before = (rehearsal.work.folder / CONFIG).read_text(encoding="utf-8").splitlines()
    rehearsal.release("list", show=_all_lines)
    rehearsal.release("select", osmt_repository.NEWEST, "--yes", show=last)
    after = (rehearsal.work.folder / CONFIG).read_text(encoding="utf-8").splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    for old, new in changed:
        print(f"          - {old.strip()}\n          + {new.strip()}")
    rehearsal.journey.expect(len(changed) == 1, f"selecting a release changed {len(changed)} lines of {CONFIG} instead of one")
    rehearsal.terraform("apply", "-no-color", "-auto-approve", show=changes)
    rehearsal.release("tag", "--yes", show=last)
    printed = rehearsal.release("status", show=_all_lines)
    print("          (the emulated account does not run the app, so its state is unknown)")
    rehearsal.journey.expect(osmt_repository.NEWEST in printed, f"the status does not name the running release, {osmt_repository.NEWEST}")


def _restore(rehearsal: Rehearsal) -> None:
    database, resource = f"osmt-{rehearsal.env}", "module.osmt.aws_db_instance.main"
    snapshot = f"{database}-before-rehearsal"
    rehearsal.account("restore", database, snapshot)
    print(f"          renamed {database} to {database}-failed, restored {database} from {snapshot}")
    # Terraform identifies a database by its resource id, which the renamed database keeps.
    rehearsal.terraform("state", "rm", resource, show=last)
    rehearsal.terraform("import", "-no-color", resource, database)
    config = rehearsal.work.folder / CONFIG
    revision = rehearsal.config()["secrets_revision"]
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(f'"secrets_revision": {revision}', f'"secrets_revision": {revision + 1}'), encoding="utf-8")
    rehearsal.journey.expect(rehearsal.config()["secrets_revision"] == revision + 1, f"secrets_revision was not increased in {CONFIG}")
    print(f"          in {CONFIG}: secrets_revision {revision + 1}, because the restored database has the password of its snapshot")
    rehearsal.terraform("plan", "-no-color", "-out=restored.tfplan", show=changes)
    rehearsal.doctor("plan", f"{DIR}/restored.tfplan", show=last)
    rehearsal.terraform("apply", "-no-color", "restored.tfplan", show=changes)
    rehearsal.terraform("plan", "-no-color", "-detailed-exitcode", show=changes)
    rehearsal.release("tag", "--restored", "--yes", show=last)
    rehearsal.account("forget", database, snapshot)


def _rotate(rehearsal: Rehearsal) -> None:
    before = rehearsal.config()["secrets_revision"]
    rehearsal.secrets("rotate", "--yes", show=last)
    after = rehearsal.config()["secrets_revision"]
    rehearsal.journey.expect(after == before + 1, f"secrets_revision changed from {before} to {after}")
    rehearsal.terraform("apply", "-no-color", "-auto-approve", show=changes)
    rehearsal.secrets("verify", show=_all_lines)


def _search(rehearsal: Rehearsal) -> None:
    """Fails if a value of a secret is found anywhere."""
    rehearsal.gather()
    journey, values = rehearsal.journey, rehearsal.values
    command = [str(providers.ROOT / "scripts" / "aws-emulator"), "status", "--state", str(rehearsal.work.emulator), "--format", "json"]
    unsupported = set(journey.run_json(*command)["gaps"]) - WITHOUT_DATA
    journey.expect(not unsupported, f"the emulator does not support operations that were called: {', '.join(sorted(unsupported))}")
    journey.expect(len(values) > 1, "the account has no generated password to search for")
    wanted = leaks.needles(values)
    places = leaks.in_folder(rehearsal.work.folder, wanted)
    for arguments in journey.seen_arguments:
        places += leaks.in_bytes(f"the arguments of {arguments.split(' ')[0]}", arguments.encode(), wanted)
    if places:
        raise StepFailed("the value of a secret was found in\n  " + "\n  ".join(sorted(set(places))))
    print(
        f"          {len(values)} values, none of them in {rehearsal.objects} objects of the account, the working copy with "
        f"its plans and logs, or {len(journey.seen_arguments)} argument lists"
    )


def unprotect(rehearsal: Rehearsal, *only: str) -> None:
    """Turns the deletion protection off, for all resources or for those in `only`."""
    config = rehearsal.work.folder / CONFIG
    text = config.read_text(encoding="utf-8")
    text = re.sub(r'("enable_deletion_protection":\s*)true', r"\1false", text)
    text = re.sub(r'("skip_final_snapshot":\s*)false', r"\1true", text)
    config.write_text(text, encoding="utf-8")
    print(f"          in {CONFIG}: enable_deletion_protection false (twice), skip_final_snapshot true")
    rehearsal.terraform("apply", "-no-color", "-auto-approve", *only, show=changes)


def _tear_down(rehearsal: Rehearsal) -> None:
    unprotect(rehearsal)
    rehearsal.terraform("destroy", "-no-color", "-auto-approve", show=changes)
    rehearsal.secrets("rm", "--all", "--remote", "--no-recovery", "--yes", show=last)
    rehearsal.bootstrap("destroy", "--yes", "--confirm", rehearsal.env, show=last)
    after = json.loads(rehearsal.account("inventory"))
    left, lost = sorted(set(after) - set(rehearsal.before)), sorted(set(rehearsal.before) - set(after))
    rehearsal.journey.expect(not left, "the account is not as empty as before; these resources remain:\n  " + "\n  ".join(left))
    rehearsal.journey.expect(not lost, "these resources were deleted but are not part of the deployment:\n  " + "\n  ".join(lost))
    print(f"          the account has the same resources as at the beginning: {len(after)}")


def leave(journey: Journey, work: Workplace) -> None:
    """Keeps everything and prints how to continue by hand."""
    work.keep()
    exported = {name: value for name, value in journey.environment.items() if os.environ.get(name) != value}
    removed = sorted(name for name in os.environ if name not in journey.environment)
    lines = [f"unset {name}" for name in removed] + [f"export {name}={shlex.quote(value)}" for name, value in exported.items()]
    (work.folder / "environment.sh").write_text("\n".join(lines) + "\n", encoding="utf-8")
    stop = f"{shlex.quote(str(providers.ROOT / 'scripts' / 'aws-emulator'))} stop --state {work.emulator}"
    print(
        f"\nkept. To continue by hand:\n  cd {work.folder} && . ./environment.sh\n"
        f"  {providers.program()} -chdir={DIR} plan\nTo remove everything:\n  {stop} && rm -r {work.folder}",
        flush=True,
    )


def clear(journey: Journey, work: Workplace) -> None:
    """Removes the entries of the keyring, stops the emulator and deletes the working copy."""
    if (work.folder / CONFIG).exists():
        command = ["osmt-secrets", "rm", "--all", "--yes"]
        subprocess.run(command, cwd=work.folder, env=journey.environment, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    work.clear()


def _all_lines(out: str) -> str:
    return out.strip("\n")


def last(out: str) -> str:
    return (out.strip().splitlines() or [""])[-1].strip()


def changes(out: str) -> str:
    summaries = r"^(Plan: .*|Apply complete!.*|Destroy complete!.*|No changes\..*)$"
    return "\n".join(re.findall(summaries, out, flags=re.MULTILINE))
