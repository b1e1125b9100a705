"""The restore drill of docs/terraform.md, into a network that exists and behind an internal load balancer.

A database runs in one environment. Its snapshot becomes the database of another one, whose stack is applied whole in a network
that was there before: the load balancer has private addresses only. Then a third environment gets the first one's database as
it was at a moment. Each second plan is empty, and all of it is destroyed.
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
    with journey.step("build the four binaries", "they prepare the accounts and judge the plans"):
        steps.build(journey)
        journey.environment["PATH"] += f":{aws}"
    with journey.step("start an AWS account on this machine", "no real one is needed, none can be reached"):
        steps.start_emulator(journey, work, keep=False)
    first = steps.Rehearsal(journey, work)
    with journey.step("a network of the organisation", "it is there before the stacks and stays after them"):
        steps.prepare_account(first)
        network = json.loads(first.account("network", VPC, json.dumps(BLOCKS), steps.REGION))
        print(f"          {network['vpc_id']} with {len(network['private_subnet_ids'])} private subnets")
    with journey.step("an environment with a database", "the one that was lost; of its stack only the database is made"):
        steps.copy_directory(work)
        _begin(first, _operations(network))
        first.terraform("apply", "-no-color", "-auto-approve", f"-target={DATABASE}", show=steps.changes)
        (work.folder / "terraform").rename(work.folder / "terraform-of-the-first")
    source = f"osmt-{first.env}"
    with journey.step("a snapshot of it", "RDS makes one each night; here it is made by hand"):
        journey.run("aws", "rds", "create-db-snapshot", "--db-instance-identifier", source, "--db-snapshot-identifier", f"{source}-drill")
        journey.run("aws", "rds", "describe-db-snapshots", "--db-instance-identifier", source, show=_snapshots)
    drill = _another(first)
    with journey.step("the drill: a new directory with another env", "restored from the snapshot, in that network"):
        steps.copy_directory(work)
        _begin(drill, _operations(network, restore_from_snapshot=f"{source}-drill"))
        drill.terraform("plan", "-no-color", "-out=drill.tfplan", show=steps.changes)
        drill.doctor("plan", f"{steps.DIR}/drill.tfplan", show=steps.last)
        drill.terraform("apply", "-no-color", "drill.tfplan", show=steps.changes)
        drill.terraform("plan", "-no-color", "-detailed-exitcode", show=steps.changes)
        _internal(drill)
    with journey.step("the drill: reindex and look", "the index is not part of a backup"):
        osmt_repository.make(work.folder / steps.REPOSITORY)
        drill.release("migrate", "--step", "reindex", "--yes", show=steps.last)
        drill.release("status", exits=(0, 1), show=steps.last)
    with journey.step("the drill: destroy", "the network of the organisation stays"):
        _end(drill)
        journey.expect(network["vpc_id"] in drill.account("inventory"), "the network that existed was destroyed with the stack")
    moment = _another(first)
    with journey.step("a moment of the first database", "restore_to_point_in_time; of the stack only the database is made"):
        steps.copy_directory(work)
        _begin(moment, _operations(network, restore_to_point_in_time={"source_db_instance_identifier": source}))
        moment.terraform("apply", "-no-color", "-auto-approve", f"-target={DATABASE}", show=steps.changes)
        moment.terraform("plan", "-no-color", "-detailed-exitcode", f"-target={DATABASE}", show=steps.changes)
        _end(moment, f"-target={DATABASE}")
    with journey.step("tear down the first one", "all that is left is the network and the snapshots"):
        (work.folder / "terraform-of-the-first").rename(work.folder / "terraform")
        _end(first, f"-target={DATABASE}")


def _another(of: steps.Rehearsal) -> steps.Rehearsal:
    """Another environment of the same account and domain."""
    other = steps.Rehearsal(of.journey, of.work)
    other.zone, other.before = of.zone, of.before
    return other


def _begin(rehearsal: steps.Rehearsal, operations: dict[str, Any]) -> None:
    """The directory of an environment, up to `terraform init`."""
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
    """The config says what the network is, because the doctor judges it."""
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
    """Where of a stack only the database was made, only the database is unprotected; all that there is of it is destroyed."""
    steps.unprotect(rehearsal, *only)
    rehearsal.terraform("destroy", "-no-color", "-auto-approve", show=steps.changes)
    shutil.rmtree(rehearsal.work.folder / "terraform")


def _snapshots(out: str) -> str:
    return ", ".join(one["DBSnapshotIdentifier"] for one in json.loads(out)["DBSnapshots"])
