"""Private Python environments for the scripts, with the packages that a `requirements.txt` pins. Prints the interpreter's path."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from console import describe, show_elapsed, start

HERE = Path(__file__).resolve().parent
OLDEST_PYTHON = (3, 10)
LARGEST = 400  # MiB: more than any environment takes


class Unavailable(Exception):
    """The environment could not be created; the message contains help."""


def cache() -> Path:
    """The folder for everything that the scripts install: `OSMT_CACHE`, otherwise `.cache` in the checkout."""
    return Path(os.environ.get("OSMT_CACHE") or HERE.parent / ".cache").resolve()


def python(requirements: Path = HERE / "emulator" / "requirements.txt") -> Path:
    """The interpreter of the environment. Creates the environment if it does not exist or is incomplete."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        raise Unavailable(f"Python {found} is too old: 3.10 or later is needed (python.org, Homebrew or your distribution)")
    try:
        return _ensure(requirements)
    except OSError as reason:
        raise Unavailable(
            f"could not create a private Python environment in {cache()}\ncaused by: {describe(reason)}\n"
            "help: OSMT_CACHE selects another folder; all environments together need 800 MB"
        ) from reason


def _ensure(requirements: Path) -> Path:
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    # One folder per interpreter, because the environment of another one may be in use.
    place = cache() / f"python-{requirements.parent.name}-{wanted[:12]}"
    finished = place / "finished"
    if finished.exists():
        return place / "bin" / "python"  # does not need write access to the cache
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{place.name}.lock").open("w") as lock:
        with show_elapsed():
            fcntl.flock(lock, fcntl.LOCK_EX)  # another process may be creating it
        if not finished.exists():
            shutil.rmtree(place, ignore_errors=True)
            _create(place, requirements)
            finished.touch()
    return place / "bin" / "python"


def _create(place: Path, requirements: Path) -> None:
    print(f"installing the pinned packages of {requirements.parent.name} into {place} (once)", file=sys.stderr)
    _run(
        [sys.executable, "-m", "venv", str(place)], "create a private Python environment", "on Debian and Ubuntu: apt install python3-venv"
    )
    install = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    install += ["--require-hashes", "--requirement", str(requirements)]
    _run(
        install,
        f"install {requirements.name}",
        "check that the package index can be reached (PIP_INDEX_URL and proxies apply)",
    )


def _run(command: list, what: str, remedy: str) -> None:
    with show_elapsed():
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        with process:
            try:
                output, _ = process.communicate()
            except BaseException:
                process.terminate()
                raise
    if process.returncode != 0:
        last = "\n".join(output.strip().splitlines()[-8:])
        free = shutil.disk_usage(cache()).free >> 20
        if free < LARGEST:
            remedy = f"only {free} MiB are free on the file system of {cache()}; OSMT_CACHE names another folder"
        raise Unavailable(f"could not {what}\n{last}\nhelp: {remedy}")


def main() -> int:
    print(python(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE / "emulator" / "requirements.txt"))
    return 0


if __name__ == "__main__":
    start(main, failed=1, reported=(Unavailable,))
