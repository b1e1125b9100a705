"""From the previous release of the Terraform directory to this one, in another Region and with three zones.

The previous release's stack is applied, then this directory is put in its place as docs/terraform.md says, and planned: nothing
that holds data may be replaced or destroyed. Unless quick, the plan is applied, every setting of `operations` that creates
something is turned on (with the vault of terraform/vault), a second plan is empty, and all of it is destroyed.
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

# The Terraform directory as 0.1.0 had it. With the next release: its commit.
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
# The emulator has no subscribers of a budget and cannot take a node from a cache, so monthly_budget_usd and cache_nodes are not here.
EVERYTHING_ON = f"""locals {{
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
    """The previous release's `terraform/`; a clone without history does not have it, and then there is no test: that is an error."""
    release, commit = PREVIOUS
    packed = subprocess.run(["git", "-C", str(providers.ROOT), "archive", commit, "terraform"], capture_output=True, check=False)
    if packed.returncode:
        printed = packed.stderr.decode(errors="replace").strip()
        raise StepFailed(f"the Terraform directory of {release} is not in this clone ({printed}); fetch the history: git fetch --unshallow")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(folder, filter="data")


def replaced(plan: dict[str, Any]) -> list[str]:
    """What a plan destroys or replaces."""
    return [change["address"] for change in plan["resource_changes"] if "delete" in change["change"]["actions"]]


def with_data(plan: dict[str, Any]) -> list[str]:
    return [
        change["address"] for change in plan["resource_changes"] if "delete" in change["change"]["actions"] and change["type"] in WITH_DATA
    ]


def total(quick: bool) -> int:
    return 7 if quick else 11


def walk(journey: Journey, work: Workplace, quick: bool) -> None:
    steps.prepare_environment(journey)
    with journey.step("build the four binaries", "they prepare the account and judge the plan"):
        steps.build(journey)
    with journey.step(f"the Terraform directory of {PREVIOUS[0]}", "an upgrade begins with what runs today"):
        archive(work.folder)
    with journey.step("start an AWS account on this machine", "no real one is needed, none can be reached"):
        steps.start_emulator(journey, work, keep=False)
        journey.environment |= {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
    rehearsal = steps.Rehearsal(journey, work, REGION)
    with journey.step("account, configuration, secrets", f"{len(ZONES)} zones of {REGION}"):
        steps.prepare_account(rehearsal)
        steps.bootstrap(rehearsal, {"--azs": ",".join(ZONES), "--vpc-cidr": "10.40.0.0/16"})
        steps.secrets_first(rehearsal)
    with journey.step(f"apply {PREVIOUS[0]}", "the stack as an organisation has it"):
        rehearsal.terraform("init", "-no-color", show=steps.last)
        rehearsal.terraform("apply", "-no-color", "-auto-approve", show=steps.changes)
        # The rules of a security group are resources of their own: its state has them only after the next apply, as here.
        rehearsal.terraform("apply", "-refresh-only", "-no-color", "-auto-approve", show=steps.changes)
    with journey.step("this directory in its place", "as docs/terraform.md describes an upgrade"):
        _replace(rehearsal)
        rehearsal.terraform("init", "-no-color", show=steps.last)
    with journey.step("plan this one", "nothing with data is replaced or destroyed"):
        _judge(rehearsal)
    if quick:
        return
    with journey.step("apply it", "and a second plan finds nothing to do"):
        rehearsal.terraform("apply", "-no-color", "upgrade.tfplan", show=steps.changes)
        rehearsal.terraform("plan", "-no-color", "-detailed-exitcode", show=steps.changes)
    with journey.step("a vault for backups", "it has a state of its own, and outlives the stack"):
        _vault(rehearsal)
    with journey.step("every setting that creates something", "applied, and the next plan finds nothing to do"):
        (work.folder / steps.DIR / "operations.tf").write_text(EVERYTHING_ON, encoding="utf-8")
        rehearsal.terraform("plan", "-no-color", "-out=settings.tfplan", show=steps.changes)
        rehearsal.terraform("apply", "-no-color", "settings.tfplan", show=steps.changes)
        rehearsal.terraform("plan", "-no-color", "-detailed-exitcode", show=steps.changes)
    with journey.step("tear down", "protection off, destroy; the vault stays"):
        steps.unprotect(rehearsal)
        rehearsal.terraform("destroy", "-no-color", "-auto-approve", show=steps.changes)


def _replace(rehearsal: steps.Rehearsal) -> None:
    """What the page on the Terraform directory says: module and invocation replaced, the own files kept, main.tf edited by init."""
    terraform = rehearsal.work.folder / "terraform"
    shutil.rmtree(terraform / "module")
    shutil.copytree(providers.ROOT / "terraform" / "module", terraform / "module", ignore=shutil.ignore_patterns(".terraform*"))
    for file in (providers.ROOT / "terraform" / "invocation").iterdir():
        if file.is_file() and file.name not in KEPT and not file.name.endswith(".tfplan"):
            shutil.copy2(file, terraform / "invocation" / file.name)
    rehearsal.bootstrap("init", "--yes", show=steps.last)


def _judge(rehearsal: steps.Rehearsal) -> None:
    rehearsal.terraform("plan", "-no-color", "-out=upgrade.tfplan", show=steps.changes)
    plan = json.loads(rehearsal.terraform("show", "-json", "upgrade.tfplan"))
    rehearsal.journey.expect(bool(plan["resource_changes"]), "the plan has no resources: the state of the previous release was not read")
    lost = with_data(plan)
    rehearsal.journey.expect(not lost, "the upgrade replaces or destroys what holds data:\n  " + "\n  ".join(lost))
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
