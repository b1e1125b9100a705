"""The private Python environment of the scripts: what `requirements.txt` pins, installed once, never half."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from console import sentence, signs_of_life, start

HERE = Path(__file__).resolve().parent
OLDEST_PYTHON = (3, 10)
LARGEST = 400  # MiB: more than any environment takes


class Unavailable(Exception):
    """The environment could not be made; the message says what to do."""


def cache() -> Path:
    """Where the scripts keep what they install: `OSMT_CACHE`, otherwise `.cache` of the checkout."""
    return Path(os.environ.get("OSMT_CACHE") or HERE.parent / ".cache").resolve()


def python(requirements: Path = HERE / "emulator" / "requirements.txt") -> Path:
    """The environment's interpreter, made first where it is missing or unfinished."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        raise Unavailable(f"Python {found} is too old: 3.10 or later is needed (python.org, Homebrew or your distribution)")
    try:
        return _made(requirements)
    except OSError as reason:
        raise Unavailable(
            f"could not make a private Python environment in {cache()}\ncaused by: {sentence(reason)}\n"
            "help: OSMT_CACHE names another folder; the environments of all scripts together take 800 MB"
        ) from reason


def _made(requirements: Path) -> Path:
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    # One folder for each: an environment that another interpreter of this machine made may be in use.
    place = cache() / f"python-{requirements.parent.name}-{wanted[:12]}"
    finished = place / "finished"
    if finished.exists():
        return place / "bin" / "python"  # also where the cache cannot be written
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{place.name}.lock").open("w") as lock:
        with signs_of_life():
            fcntl.flock(lock, fcntl.LOCK_EX)  # another start may be making it: wait for that one
        if not finished.exists():
            shutil.rmtree(place, ignore_errors=True)
            _make(place, requirements)
            finished.touch()
    return place / "bin" / "python"


def _make(place: Path, requirements: Path) -> None:
    print(f"installing the pinned packages of {requirements.parent.name} into {place} (once)", file=sys.stderr)
    _run([sys.executable, "-m", "venv", str(place)], "make a private Python environment", "on Debian and Ubuntu: apt install python3-venv")
    install = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    install += ["--require-hashes", "--requirement", str(requirements)]
    _run(install, f"install {requirements.name}", "is the package index reachable? pip's own settings apply (PIP_INDEX_URL, proxies)")


def _run(command: list, what: str, remedy: str) -> None:
    with signs_of_life():
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
