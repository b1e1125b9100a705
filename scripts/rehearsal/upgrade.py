"""Upgrades the previous release of the Terraform directory to this one, in another Region and with three Availability Zones.

The previous release is applied, then replaced with this directory as docs/terraform.md describes, and planned. The plan must not
replace or destroy a resource that contains data. Without --quick the plan is applied, every setting of `operations` that creates
resources is turned on (with the vault of terraform/vault), a second plan is empty, and the stack is destroyed.
"""

import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import providers
import steps
from journey import Journey, StepFailed
from workplace import Workplace

# The commit with the Terraform directory of the previous release. Change it with each release.
PREVIOUS = ("0.1.0", "f26c8f0a944fd9adf9771b76c58d6f7095de7ca0")
REGION = "eu-central-1"
ZONES = [f"{REGION}{letter}" for letter in "abc"]
KEPT = ("config.auto.tfvars.json", "main.tf", "operations.tf")
WITH_DATA = {
    "aws_backup_vault",
    "aws_db_instance",
    "aws_efs_file_system",
    "aws_elasticache_replication_group",
    "aws_kms_key",
    "aws_s3_bucket",
    "aws_secretsmanager_secret",
}
VAULT = "osmt-rehearsal"
COPIES = f"arn:aws:backup:us-east-1:{steps.ACCOUNT}:backup-vault:{VAULT}"
# Without monthly_budget_usd and cache_nodes: the emulator does not support subscribers of a budget and removing a node of a cache.
ALL_SETTINGS = f"""locals {{
  operations = {{
    alarm_emails           = ["operators@rehearsal-college.edu"]
    interface_endpoints    = ["logs"]
    ecs_exec               = true
    region_in_names        = false
    waf                    = {{ rate_limit = 5000 }}
    schedule               = {{ stop = "cron(0 19 ? * MON-FRI *)", start = "cron(0 7 ? * MON-FRI *)", timezone = "Europe/Berlin" }}
    backup                 = {{ vault_name = "{VAULT}", copy_to = {{ "{COPIES}" = 60 }} }}
    ecr_pull_through_cache = true
  }}
}}
"""


def archive(folder: Path) -> None:
    """Extracts `terraform/` of the previous release. Fails in a shallow clone, which does not have its commit."""
    release, commit = PREVIOUS
    packed = subprocess.run(["git", "-C", str(providers.ROOT), "archive", commit, "terraform"], capture_output=True, check=False)
    if packed.returncode:
        printed = packed.stderr.decode(errors="replace").strip()
        raise StepFailed(f"the Terraform directory of {release} is not in this clone ({printed}); fetch the history: git fetch --unshallow")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(folder, filter="data")


def replaced(plan: dict[str, Any]) -> list[str]:
    """The resources that a plan destroys or replaces."""
    return [change["address"] for change in plan["resource_changes"] if "delete" in change["change"]["actions"]]


def with_data(plan: dict[str, Any]) -> list[str]:
    return [
        change["address"] for change in plan["resource_changes"] if "delete" in change["change"]["actions"] and change["type"] in WITH_DATA
    ]


def total(quick: bool) -> int:
    return 7 if quick else 11


def walk(journey: Journey, work: Workplace, quick: bool) -> None:
    steps.prepare_environment(journey)
    with journey.step("build the four binaries", "they prepare the account and check the plan"):
        steps.build(journey)
    with journey.step(f"extract the Terraform directory of {PREVIOUS[0]}", "the release before the upgrade"):
        archive(work.folder)
    with journey.step("start an AWS account on this machine", "no real account can be reached"):
        steps.start_emulator(journey, work, keep=False)
        journey.environment |= {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
    rehearsal = steps.Rehearsal(journey, work, REGION)
    with journey.step("prepare account, config and secrets", f"{len(ZONES)} Availability Zones of {REGION}"):
        steps.prepare_account(rehearsal)
        steps.bootstrap(rehearsal, {"--azs": ",".join(ZONES), "--vpc-cidr": "10.40.0.0/16"})
        steps.secrets_first(rehearsal)
    with journey.step(f"apply {PREVIOUS[0]}", "the stack before the upgrade"):
        rehearsal.terraform("init", "-no-color", show=steps.last)
        rehearsal.terraform("apply", "-no-color", "-auto-approve", show=steps.changes)
        # The state of a security group contains its rules, which are separate resources, only after the next refresh.
        rehearsal.terraform("apply", "-refresh-only", "-no-color", "-auto-approve", show=steps.changes)
    with journey.step("replace the directory with this one", "as docs/terraform.md describes an upgrade"):
        _replace(rehearsal)
        rehearsal.terraform("init", "-no-color", show=steps.last)
    with journey.step("plan the upgrade", "no resource with data is replaced or destroyed"):
        _check_plan(rehearsal)
    if quick:
        return
    with journey.step("apply the upgrade", "a second plan has no changes"):
        rehearsal.terraform("apply", "-no-color", "upgrade.tfplan", show=steps.changes)
        rehearsal.terraform("plan", "-no-color", "-detailed-exitcode", show=steps.changes)
    with journey.step("create a vault for backups", "it has a separate state and is kept when the stack is destroyed"):
        _vault(rehearsal)
    with journey.step("turn on every setting that creates resources", "a second plan has no changes"):
        (work.folder / steps.DIR / "operations.tf").write_text(ALL_SETTINGS, encoding="utf-8")
        rehearsal.terraform("plan", "-no-color", "-out=settings.tfplan", show=steps.changes)
        rehearsal.terraform("apply", "-no-color", "settings.tfplan", show=steps.changes)
        rehearsal.terraform("plan", "-no-color", "-detailed-exitcode", show=steps.changes)
    with journey.step("tear down", "turn the protection off and destroy; the vault is kept"):
        steps.unprotect(rehearsal)
        rehearsal.terraform("destroy", "-no-color", "-auto-approve", show=steps.changes)


def _replace(rehearsal: steps.Rehearsal) -> None:
    """Replaces module and invocation, keeps the user's files, and lets `init` edit main.tf, as docs/terraform.md describes."""
    terraform = rehearsal.work.folder / "terraform"
    shutil.rmtree(terraform / "module")
    shutil.copytree(providers.ROOT / "terraform" / "module", terraform / "module", ignore=shutil.ignore_patterns(".terraform*"))
    for file in (providers.ROOT / "terraform" / "invocation").iterdir():
        if file.is_file() and file.name not in KEPT and not file.name.endswith(".tfplan"):
            shutil.copy2(file, terraform / "invocation" / file.name)
    rehearsal.bootstrap("init", "--yes", show=steps.last)


def _check_plan(rehearsal: steps.Rehearsal) -> None:
    rehearsal.terraform("plan", "-no-color", "-out=upgrade.tfplan", show=steps.changes)
    plan = json.loads(rehearsal.terraform("show", "-json", "upgrade.tfplan"))
    rehearsal.journey.expect(bool(plan["resource_changes"]), "the plan has no resources: the state of the previous release was not read")
    lost = with_data(plan)
    rehearsal.journey.expect(not lost, "the upgrade replaces or destroys resources with data:\n  " + "\n  ".join(lost))
    print(f"          replaced or destroyed, none with data: {', '.join(replaced(plan)) or 'nothing'}")
    rehearsal.doctor("plan", f"{steps.DIR}/upgrade.tfplan", show=steps.last)


def _vault(rehearsal: steps.Rehearsal) -> None:
    shutil.copytree(
        providers.ROOT / "terraform" / "vault",
        rehearsal.work.folder / "terraform" / "vault",
        ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"),
    )
    here = f"-chdir={Path(steps.DIR).parent / 'vault'}"
    values = [
        f"-var=account_id={steps.ACCOUNT}",
        f"-var=region={REGION}",
        f"-var=name={VAULT}",
        f'-var=administrator_arns=["arn:aws:iam::{steps.ACCOUNT}:role/backup-administrators"]',
    ]
    rehearsal.journey.run(providers.program(), here, "init", "-no-color", show=steps.last)
    rehearsal.journey.run(providers.program(), here, "apply", "-no-color", "-auto-approve", *values, show=steps.changes)
    rehearsal.journey.run(providers.program(), here, "plan", "-no-color", "-detailed-exitcode", *values, show=steps.changes)
