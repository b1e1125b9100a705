"""Is every resource of the module behind terraform_data.protection, and does each wait for what it needs? Reads `terraform graph`
from stdin.

A resource that the protection does not depend on is destroyed beside it, before its refusal is heard. A change that adds a
resource that nothing else needs, and forgets it in protection.tf, fails here.
"""

import re
import sys

GUARD = "terraform_data.protection"
# What is made only after what. Not references, which Terraform sees by itself, but what AWS needs to be there.
AFTER = [
    ("aws_ecs_service.elasticsearch", "terraform_data.mount_targets_reachable"),
    ("terraform_data.mount_targets_reachable", "aws_efs_mount_target.elasticsearch"),
    ("aws_ecs_service.app", "aws_ecs_service.elasticsearch"),
    ("aws_ecs_service.app", "aws_lb_listener.https"),
    ("aws_ecs_service.app", "aws_secretsmanager_secret_version.db_uri"),
    ("aws_secretsmanager_secret_version.db_uri", "aws_db_instance.main"),
    ("aws_ecs_cluster.main", "aws_cloudwatch_log_group.main"),
    ("aws_lb.main", "aws_s3_bucket_policy.access_logs"),
]


def reached(graph: str, beginning: str) -> set[str]:
    """All that a resource waits for."""
    needs: dict[str, set[str]] = {}
    for dependent, needed in re.findall(r'"([^"]+)" -> "([^"]+)"', graph):
        needs.setdefault(dependent, set()).add(needed)
    found, waiting = {beginning}, [beginning]
    while waiting:
        new = needs.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def unprotected(graph: str) -> list[str]:
    """The resources of a graph that the guard does not reach."""
    resources = {name for name in re.findall(r'"([^"]+)" \[label', graph) if not name.startswith("data.")}
    return sorted(resources - reached(graph, GUARD))


def too_early(graph: str) -> list[tuple[str, str]]:
    """Pairs of which the first does not wait for the second."""
    return [(later, earlier) for later, earlier in AFTER if earlier not in reached(graph, later)]


def main() -> int:
    graph = sys.stdin.read()
    if f'"{GUARD}" [label' not in graph:
        print(f"error: {GUARD} is not in the graph; pipe `terraform graph` into this", file=sys.stderr)
        return 2
    missing = unprotected(graph)
    for resource in missing:
        print(f"{resource} is not behind {GUARD}: name it in protection.tf")
    early = too_early(graph)
    for later, earlier in early:
        print(f"{later} does not wait for {earlier}")
    return 1 if missing or early else 0


if __name__ == "__main__":
    sys.exit(main())
