"""Terraform, where the machine has none: one pinned version, fetched once into the scripts' cache and compared with its checksum."""

import fcntl
import hashlib
import http.client
import io
import os
import platform
import shutil
import sys
import urllib.request
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import environment
from console import every, sentence

VERSION = "1.11.4"  # the version that the tests run with
# Of the archives, as HashiCorp publishes them ("terraform_1.11.4_SHA256SUMS"; also in HashiCorp's Homebrew tap).
CHECKSUMS = {
    ("darwin", "amd64"): "a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b",
    ("darwin", "arm64"): "867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18",
    ("linux", "amd64"): "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc",
    ("linux", "arm64"): "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633",
}
RELEASES = "https://releases.hashicorp.com/terraform"
PATIENCE = 30  # seconds without an answer
PULSE = 2  # seconds between two lines while it is fetched


class Unavailable(Exception):
    """It could not be fetched; the message says why and what to do."""


def cached() -> Path:
    """Where a fetched Terraform is."""
    return environment.cache() / f"terraform-{VERSION}" / "terraform"


def provide(say: Callable[[str], None]) -> None:
    """Puts a Terraform on PATH where none is there; one that the user names is theirs to install."""
    if os.environ.get("OSMT_TERRAFORM") or any(shutil.which(name) for name in ("terraform", "tofu")):
        return
    if not cached().exists():
        try:
            fetch(say)
        except OSError as reason:
            raise Unavailable(f"could not write Terraform into {cached().parent}: {sentence(reason)}") from reason
    os.environ["PATH"] = f"{cached().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def fetched(say: Callable[[str], None]) -> bool:
    """As `provide`; says why it could not, and whether there is one now."""
    try:
        provide(say)
    except Unavailable as reason:
        say(str(reason))
        return False
    return shutil.which("terraform") is not None


def fetch(say: Callable[[str], None]) -> None:
    kind = (sys.platform, {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower(), ""))
    checksum = CHECKSUMS.get(kind)
    if checksum is None:
        raise Unavailable(
            f"Terraform is not fetched for this machine ({sys.platform}, {platform.machine()}): no checksum of it is known here"
        )
    name = f"terraform_{VERSION}_{'_'.join(kind)}.zip"
    url = f"{os.environ.get('OSMT_TERRAFORM_RELEASES') or RELEASES}/{VERSION}/{name}"
    place = cached()
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / "lock").open("w") as lock:
        say(f"fetching Terraform {VERSION} into {place.parent} (once): {url}")
        with _pulse(say, lambda: "another process is fetching it"):
            fcntl.flock(lock, fcntl.LOCK_EX)
        if place.exists():
            return
        archive = _download(url, say)
        found = hashlib.sha256(archive).hexdigest()
        if found != checksum:
            raise Unavailable(f"what {url} sent is not Terraform {VERSION}: its SHA-256 is {found} instead of {checksum}; it was not used")
        unfinished = place.with_suffix(".unfinished")
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            unfinished.write_bytes(files.read("terraform"))
        unfinished.chmod(0o755)
        unfinished.rename(place)


def _download(url: str, say: Callable[[str], None]) -> bytes:
    read = io.BytesIO()
    total: Optional[int] = None

    def state() -> str:
        of = f" of {total / 2**20:.0f}" if total else ""
        return f"{read.tell() / 2**20:.1f}{of} MiB of Terraform are here" if read.tell() else "no answer yet"

    try:
        with _pulse(say, state), urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - an address of ours, or the user's
            length = answer.headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
            while chunk := answer.read(1 << 16):
                read.write(chunk)
    except (OSError, ValueError, http.client.HTTPException) as reason:  # ValueError: what is named is not an address
        said = getattr(reason, "reason", reason)
        raise Unavailable(
            f"could not fetch {url}: {said}\nhelp: is it reachable? HTTPS_PROXY is used. "
            "OSMT_TERRAFORM_RELEASES names another server with the same files; or install Terraform"
        ) from reason
    return read.getvalue()


def _pulse(say: Callable[[str], None], state: Callable[[], str]) -> AbstractContextManager[None]:
    """A line every two seconds for as long as it lasts."""
    return every(PULSE, lambda: say(f"  {state()}"))
