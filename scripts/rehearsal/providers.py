"""Terraform's providers: from an unpacked mirror if the machine has one, otherwise from the registry.

A mirror is a folder that contains `registry.terraform.io`.

- `providers.py validate` validates the Terraform directories, and `providers.py test` runs the module's tests, in a copy. For OpenTofu
  the tests are converted first (opentofu.py).
- `providers.py opentofu` writes the converted tests into the checkout, where git ignores them, for `tofu init` and `tofu test`.
- `providers.py program` prints the program that the scripts use.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Optional

import opentofu
import refusals
import terraform
from console import start

ROOT = Path(__file__).resolve().parents[2]
HOST = "registry.terraform.io"


def program() -> str:
    """Terraform or OpenTofu: `OSMT_TERRAFORM`, otherwise the first of the two on PATH, otherwise the downloaded Terraform.

    The binaries choose in the same order (src/command/terraform.rs).
    """
    named = os.environ.get("OSMT_TERRAFORM")
    if named:  # absolute, because the program is started in another folder
        return os.path.abspath(named) if os.sep in named else named
    found = next((name for name in ("terraform", "tofu") if shutil.which(name)), None)
    return found or (str(terraform.cached()) if terraform.cached().exists() else "terraform")


def mirror() -> Optional[Path]:
    """The first mirror in `OSMT_PROVIDER_MIRROR`, Terraform's default folders, and the folders in /opt."""
    named = os.environ.get("OSMT_PROVIDER_MIRROR")
    if named:
        if not (Path(named) / HOST).is_dir():
            raise SystemExit(f"error: OSMT_PROVIDER_MIRROR={named} does not contain the folder {HOST}")
        return Path(named).resolve()
    usual = [Path.home() / ".terraform.d" / "plugins", Path("/usr/local/share/terraform/plugins"), Path("/usr/share/terraform/plugins")]
    usual += sorted(Path("/opt").glob("*")) if Path("/opt").is_dir() else []
    return next((place for place in usual if (place / HOST).is_dir()), None)


def configuration(folder: Path) -> dict[str, str]:
    """Environment variables for Terraform. If there is a mirror, writes a CLI configuration for it into the folder."""
    found = mirror()
    if found is not None and opentofu.is_it(program()):
        found = opentofu.mirror(found, HOST, folder)
    environment = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    if found is not None:
        configured = folder / "terraform.rc"
        configured.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{found}"\n  }}\n}}\n', encoding="utf-8")
        environment["TF_CLI_CONFIG_FILE"] = str(configured)
    elif not Path(os.environ.get("TF_CLI_CONFIG_FILE", os.devnull)).exists():
        environment["TF_CLI_CONFIG_FILE"] = os.devnull
    return environment


def _terraform(folder: Path, environment: dict[str, str], *arguments: str, quiet: bool = True) -> int:
    command = [program(), f"-chdir={folder}", *arguments]
    done = subprocess.run(command, env=environment, check=False, text=True, capture_output=quiet, stdin=subprocess.DEVNULL)
    if done.returncode and quiet:
        print(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.returncode


def _protection(module: Path, environment: dict[str, str]) -> int:
    """Checks with Terraform's graph that a destroy waits for the protection, which `terraform test` cannot check."""
    graph = subprocess.run([program(), f"-chdir={module}", "graph"], env=environment, check=True, capture_output=True, text=True)
    return subprocess.run([sys.executable, "-B", module / "tests" / "protection.py"], input=graph.stdout, check=False, text=True).returncode


def main() -> int:
    if sys.argv[1:] not in (["validate"], ["test"], ["opentofu"], ["program"]):
        print(f"usage: {sys.argv[0]} validate|test|opentofu|program", file=sys.stderr)
        return 2
    verb = sys.argv[1]
    if verb == "program":
        print(program())
        return 0
    if verb == "opentofu":
        alone = opentofu.write_tests(ROOT / "terraform" / "module")
        print(f"wrote terraform/module/tests/*.tofutest.hcl; without runs, because OpenTofu does not support them: {', '.join(alone)}")
        return 0
    tofu = opentofu.is_it(program())
    with tempfile.TemporaryDirectory(prefix="osmt-terraform-") as place:
        copy = Path(place) / "terraform"
        unwanted = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfplan", "*.tofutest.hcl", "main.tf.tpl")
        shutil.copytree(ROOT / "terraform", copy, ignore=unwanted)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | configuration(Path(place))
        if tofu:
            alone = ", ".join(opentofu.write_tests(copy / "module"))
            print(f"only with Terraform: {alone}, the graph of the protection, the error messages")
        for name in ("vault", "module"):
            folder, own = copy / name, environment | {"TF_DATA_DIR": str(Path(place) / f"data-{name}")}
            failed = _terraform(folder, own, "init", "-backend=false", "-no-color")
            if not failed and verb == "test" and name == "module":
                # The results do not depend on the program, and OpenTofu's graph and reports have another format.
                failed = 0 if tofu else _protection(folder, own) or refusals.check(program(), folder, own)
            if not failed:
                failed = _terraform(folder, own, verb, "-no-color", quiet=verb == "validate")
            if failed:
                return failed
        return 0


if __name__ == "__main__":
    start(main, failed=1)
