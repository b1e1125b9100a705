"""Converts the module's Terraform tests to OpenTofu tests.

OpenTofu supports neither `source` of `mock_provider` nor `override_during`, and cannot override a single instance of a resource. If
`x.tofutest.hcl` exists, OpenTofu reads it instead of `x.tftest.hcl`. This module writes these files: it inserts the mocks and removes
`override_during` (OpenTofu's plan has the values anyway). A file that overrides single instances gets no runs; its tests do not depend
on the program.
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
    """The test for OpenTofu; without runs if OpenTofu does not support it."""
    if _INSTANCE.search(test):
        return "# This test overrides single instances, which OpenTofu does not support. Only Terraform runs it.\n"
    inside = "".join(f"  {line}".rstrip() + "\n" for line in mocks.splitlines())
    return "# Generated from the test for Terraform. Do not edit.\n" + _TIME.sub("", test.replace(_SHARED, _TIME.sub("", inside)))


def write_tests(module: Path) -> list[str]:
    """Writes the tests for OpenTofu. Returns the names of the tests that only Terraform can run."""
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
    """A mirror with the same packages under the name of OpenTofu's registry."""
    if (found / HOST).is_dir():
        return found
    made = folder / "opentofu-mirror"
    for package in (found / terraforms).glob("*/*/*/*"):
        place = made / HOST / package.relative_to(found / terraforms)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.symlink_to(package)
    return made
