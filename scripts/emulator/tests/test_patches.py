"""Each patch closes its gap, and moto alone still has it: a patch that is no longer needed fails here and can go."""

import importlib
import tempfile
import unittest
from pathlib import Path
from typing import Any, Callable, Dict, List

import emulators
import patches
from patch_checks import CHECKS

for _service in ("network", "compute", "data"):
    importlib.import_module(f"checks_of_{_service}")


class Account:
    """One emulated account, asked for clients."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        if service not in self._clients:  # making one takes longer than most calls
            self._clients[service] = emulators.client(self._endpoint, service)
        return self._clients[service]


class Patches(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.accounts: Dict[str, Account] = {}
        for name, flags in {"patched": [], "raw": ["--raw"]}.items():
            folder = tempfile.TemporaryDirectory()
            cls.addClassCleanup(folder.cleanup)
            cls.accounts[name] = Account(emulators.start(Path(folder.name), *flags)["endpoint"])
            cls.addClassCleanup(lambda place=folder.name: emulators.run("stop", "--state", place))

    def test_every_patch_has_a_check_and_every_check_a_patch(self) -> None:
        registered: List[str] = [name for service in patches.services() for name in patches.names(service)]
        self.assertEqual(sorted(CHECKS), sorted(registered))


def holds(check: Callable[[Any], None]) -> Callable[[Patches], None]:
    return lambda case: check(case.accounts["patched"])


def is_needed(check: Callable[[Any], None]) -> Callable[[Patches], None]:
    def test(case: Patches) -> None:
        try:
            check(case.accounts["raw"])
        except Exception:  # whatever moto does wrong: an error, a wrong answer, an end of the connection
            return
        case.fail("moto does this by itself now: drop the patch and its check")

    return test


for _name, _check in CHECKS.items():
    _test = _name.replace(".", "_")
    setattr(Patches, f"test_{_test}_holds", holds(_check))
    setattr(Patches, f"test_{_test}_is_needed", is_needed(_check))

if __name__ == "__main__":
    unittest.main()
