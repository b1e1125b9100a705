"""Is every resource of the module behind terraform_data.protection? Reads `terraform graph` from stdin.

A resource that the protection does not depend on is destroyed beside it, before its refusal is heard. A change that adds a
resource that nothing else needs, and forgets it in protection.tf, fails here.
"""

import re
import sys

GUARD = "terraform_data.protection"


def unprotected(graph: str) -> list[str]:
    """The resources of a graph that the guard does not reach."""
    resources = {name for name in re.findall(r'"([^"]+)" \[label', graph) if not name.startswith("data.")}
    needs: dict[str, set[str]] = {}
    for dependent, needed in re.findall(r'"([^"]+)" -> "([^"]+)"', graph):
        needs.setdefault(dependent, set()).add(needed)
    reached, waiting = {GUARD}, [GUARD]
    while waiting:
        found = needs.get(waiting.pop(), set()) - reached
        reached |= found
        waiting += found
    return sorted(resources - reached)


def main() -> int:
    graph = sys.stdin.read()
    if f'"{GUARD}" [label' not in graph:
        print(f"error: {GUARD} is not in the graph; pipe `terraform graph` into this", file=sys.stderr)
        return 2
    missing = unprotected(graph)
    for resource in missing:
        print(f"{resource} is not behind {GUARD}: name it in protection.tf")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
