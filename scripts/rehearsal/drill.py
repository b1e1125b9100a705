"""The restore drill of docs/terraform.md, in an existing network and with an internal load balancer.

The first environment has a database. The second environment's stack is deployed completely, with a database that is restored from a
snapshot of the first. The third environment's database is restored from the first to a point in time. The second plan of each is
empty, and all are destroyed.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import environment
import osmt_repository
import providers
import steps
from journey import Journey
from workplace import Workplace

DATABASE = "module.osmt.aws_db_instance.main"
BLOCKS = {"private": ["10.60.0.0/24", "10.60.1.0/24"], "public": ["10.60.2.0/24", "10.60.3.0/24"]}
VPC = "10.60.0.0/16"


def total() -> int:
    return 10


def walk(journey: Journey, work: Workplace) -> None:
    steps.prepare_environment(journey)
    aws = environment.python(providers.ROOT / "scripts" / "awscli" / "requirements.txt").parent
    with journey.step("build the four binaries", "they prepare the accounts and check the plans"):
        steps.build(journey)
        journey.environment["PATH"] += f":{aws}"
    with journey.step("start an AWS account on this machine", "no real account can be reached"):
        steps.start_emulator(journey, work, keep=False)
    first = steps.Rehearsal(journey, work)
    with journey.step("create a network of the organisation", "it exists before the stacks and is not part of them"):
        steps.prepare_account(first)
        network = json.loads(first.account("network", VPC, json.dumps(BLOCKS), steps.REGION))
        print(f"          {network['vpc_id']} with {len(network['private_subnet_ids'])} private subnets")
    with journey.step("deploy an environment with a database", "the database to restore; only the database of the stack is created"):
        steps.copy_directory(work)
        _begin(first, _operations(network))
        first.terraform("apply", "-no-color", "-auto-approve", f"-target={DATABASE}", show=steps.changes)
        (work.folder / "terraform").rename(work.folder / "terraform-of-the-first")
    source = f"osmt-{first.env}"
    with journey.step("create a snapshot of it", "RDS creates one each night; here it is created by hand"):
        journey.run("aws", "rds", "create-db-snapshot", "--db-instance-identifier", source, "--db-snapshot-identifier", f"{source}-drill")
        journey.run("aws", "rds", "describe-db-snapshots", "--db-instance-identifier", source, show=_snapshots)
    drill = _another(first)
    with journey.step("drill: deploy another environment", "restored from the snapshot, in that network"):
        steps.copy_directory(work)
        _begin(drill, _operations(network, restore_from_snapshot=f"{source}-drill"))
        drill.terraform("plan", "-no-color", "-out=drill.tfplan", show=steps.changes)
        drill.doctor("plan", f"{steps.DIR}/drill.tfplan", show=steps.last)
        drill.terraform("apply", "-no-color", "drill.tfplan", show=steps.changes)
        drill.terraform("plan", "-no-color", "-detailed-exitcode", show=steps.changes)
        _internal(drill)
    with journey.step("drill: reindex and check", "a backup does not contain the search index"):
        osmt_repository.make(work.folder / steps.REPOSITORY)
        drill.release("migrate", "--step", "reindex", "--yes", show=steps.last)
        drill.release("status", exits=(0, 1), show=steps.last)
    with journey.step("drill: destroy", "the network of the organisation is kept"):
        _end(drill)
        journey.expect(network["vpc_id"] in drill.account("inventory"), "the existing network was destroyed with the stack")
    moment = _another(first)
    with journey.step("restore to a point in time", "only the database of the stack is created"):
        steps.copy_directory(work)
        _begin(moment, _operations(network, restore_to_point_in_time={"source_db_instance_identifier": source}))
        moment.terraform("apply", "-no-color", "-auto-approve", f"-target={DATABASE}", show=steps.changes)
        moment.terraform("plan", "-no-color", "-detailed-exitcode", f"-target={DATABASE}", show=steps.changes)
        _end(moment, f"-target={DATABASE}")
    with journey.step("destroy the first environment", "the network and the snapshots are kept"):
        (work.folder / "terraform-of-the-first").rename(work.folder / "terraform")
        _end(first, f"-target={DATABASE}")


def _another(of: steps.Rehearsal) -> steps.Rehearsal:
    """Another environment of the same account and domain."""
    other = steps.Rehearsal(of.journey, of.work)
    other.zone, other.before = of.zone, of.before
    return other


def _begin(rehearsal: steps.Rehearsal, operations: dict[str, Any]) -> None:
    """Prepares the directory of an environment, including `terraform init`."""
    folder = rehearsal.work.folder / steps.DIR
    steps.bootstrap(rehearsal)
    steps.secrets_first(rehearsal)
    text = json.dumps(operations, indent=2)
    (folder / "operations.tf").write_text(f"locals {{\n  operations = jsondecode(<<-EOT\n{text}\nEOT\n  )\n}}\n", encoding="utf-8")
    _describe_network(folder / Path(steps.CONFIG).name)
    rehearsal.doctor("check", show=steps.last)
    rehearsal.terraform("init", "-no-color", show=steps.last)


def _operations(network: dict[str, Any], **more: Any) -> dict[str, Any]:
    own = {name: network[name] for name in ("vpc_id", "private_subnet_ids")}
    return {"existing_network": own, "internal_load_balancer": True} | more


def _describe_network(config: Path) -> None:
    """Writes the network into the config, because the doctor checks it."""
    document = json.loads(config.read_text(encoding="utf-8"))
    document["config"]["vpc"] |= {"vpc_cidr": VPC, "subnets": BLOCKS}
    document["config"]["alb"]["ingress_cidrs"] = ["10.0.0.0/8"]
    config.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _internal(rehearsal: steps.Rehearsal) -> None:
    name = f"osmt-{rehearsal.env}"
    balancer = rehearsal.journey.run_json("aws", "elbv2", "describe-load-balancers", "--names", name, "--output", "json")["LoadBalancers"][
        0
    ]
    rehearsal.journey.expect(balancer["Scheme"] == "internal", f"the load balancer is {balancer['Scheme']}")


def _end(rehearsal: steps.Rehearsal, *only: str) -> None:
    """Destroys an environment. `only` limits the removal of the protection to the resources that were created."""
    steps.unprotect(rehearsal, *only)
    rehearsal.terraform("destroy", "-no-color", "-auto-approve", show=steps.changes)
    shutil.rmtree(rehearsal.work.folder / "terraform")


def _snapshots(out: str) -> str:
    return ", ".join(one["DBSnapshotIdentifier"] for one in json.loads(out)["DBSnapshots"])
