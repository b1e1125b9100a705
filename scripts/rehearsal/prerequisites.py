"""The programs that a rehearsal needs, and how to install them."""

import importlib.util
import json
import re
import shutil
import subprocess
from typing import Optional

import providers

TERRAFORM = (1, 11)

NEEDED = {
    "cargo": "Rust: https://rustup.rs, or your distribution's rustup",
    "cc": "a C compiler and linker (Debian and Ubuntu: apt install build-essential; macOS: xcode-select --install)",
    "git": "git: https://git-scm.com/downloads, or your distribution's git",
}
_VENV = "Python's venv with pip, which the emulator needs,"
_TERRAFORM = "Terraform 1.11 or later: https://developer.hashicorp.com/terraform/install, or OpenTofu 1.11 or later: https://opentofu.org/docs/intro/install"


def missing() -> list[str]:
    """A sentence for each program that is missing or too old."""
    needed = NEEDED | {providers.program(): _TERRAFORM}
    absent = [f"{program} is not on PATH. Get {how}" for program, how in needed.items() if shutil.which(program) is None]
    if importlib.util.find_spec("ensurepip") is None:  # a separate package on Debian and Ubuntu
        absent.append(f"{_VENV} is missing. On Debian and Ubuntu: apt install python3-venv")
    version = terraform_version()
    if version is not None and version < TERRAFORM:
        found = ".".join(map(str, version))
        absent.append(f"{providers.program()} {found} is too old: write-only arguments need 1.11. Get {_TERRAFORM}")
    return absent


def terraform_version() -> Optional[tuple[int, ...]]:
    if shutil.which(providers.program()) is None:
        return None
    command = [providers.program(), "version", "-json"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL)
        return tuple(int(part) for part in re.findall(r"\d+", json.loads(run.stdout)["terraform_version"])[:2])
    except (OSError, ValueError, KeyError, TypeError):
        return None
