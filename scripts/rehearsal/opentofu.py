"""The Terraform directory under OpenTofu, whose tests have a grammar of their own.

OpenTofu knows neither `source` of `mock_provider` nor `override_during`, and cannot replace one instance of several. Beside a
test for Terraform (`x.tftest.hcl`) it reads one of its own (`x.tofutest.hcl`) instead. So those are written from the tests for
Terraform: the mocks put in, `override_during` left out (OpenTofu's plan has these values anyway). A file that replaces single
instances has no runs there; what it tests does not depend on the program.
"""

import re
import shutil
import subprocess
from pathlib import Path

HOST = "registry.opentofu.org"
_TIME = re.compile(r"^ *override_during *= *plan\n", re.MULTILINE)
_SHARED = '  source = "./tests/mocks"\n'
_INSTANCE = re.compile(r"^ *target *= *\S*\[", re.MULTILINE)


def is_it(program: str) -> bool:
    """Whether the program is OpenTofu, whatever its name."""
    if shutil.which(program) is None:
        return False
    printed = subprocess.run([program, "version"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL).stdout
    return "OpenTofu v" in printed


def translated(test: str, mocks: str) -> str:
    """A test for OpenTofu; without a run where it cannot be said there."""
    if _INSTANCE.search(test):
        return "# This test replaces single instances, which OpenTofu's tests cannot: it is for Terraform alone.\n"
    inside = "".join(f"  {line}".rstrip() + "\n" for line in mocks.splitlines())
    return "# Written from the test for Terraform; change that one.\n" + _TIME.sub("", test.replace(_SHARED, _TIME.sub("", inside)))


def write_tests(module: Path) -> list[str]:
    """Writes the tests for OpenTofu beside those for Terraform; the names of those that are for Terraform alone."""
    tests = module / "tests"
    mocks = "\n".join(file.read_text(encoding="utf-8") for file in sorted((tests / "mocks").glob("*.hcl")))
    alone = []
    for file in sorted(tests.glob("*.tftest.hcl")):
        text = translated(file.read_text(encoding="utf-8"), mocks)
        file.with_name(file.name.replace(".tftest.", ".tofutest.")).write_text(text, encoding="utf-8")
        if "\nrun " not in text:
            alone.append(file.name)
    return alone


def mirror(found: Path, terraforms: str, folder: Path) -> Path:
    """A mirror under OpenTofu's registry, of the same packages: they are the same files."""
    if (found / HOST).is_dir():
        return found
    made = folder / "opentofu-mirror"
    for package in (found / terraforms).glob("*/*/*/*"):
        place = made / HOST / package.relative_to(found / terraforms)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.symlink_to(package)
    return made
