"""Downloads a pinned version of Terraform into the cache if the machine has none, and verifies its checksum."""

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
from console import describe, every

VERSION = "1.11.4"  # the version that the tests run with
# HashiCorp's checksums of the archives ("terraform_1.11.4_SHA256SUMS"; also in HashiCorp's Homebrew tap).
CHECKSUMS = {
    ("darwin", "amd64"): "a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b",
    ("darwin", "arm64"): "867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18",
    ("linux", "amd64"): "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc",
    ("linux", "arm64"): "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633",
}
RELEASES = "https://releases.hashicorp.com/terraform"
TIMEOUT = 30  # seconds without data
PROGRESS_INTERVAL = 2  # seconds between two lines during the download


class Unavailable(Exception):
    """Terraform could not be downloaded; the message contains help."""


def cached() -> Path:
    """The path of the downloaded Terraform."""
    return environment.cache() / f"terraform-{VERSION}" / "terraform"


def provide(say: Callable[[str], None]) -> None:
    """Adds a downloaded Terraform to PATH if there is none. Does not replace the program in OSMT_TERRAFORM."""
    if os.environ.get("OSMT_TERRAFORM") or any(shutil.which(name) for name in ("terraform", "tofu")):
        return
    if not cached().exists():
        try:
            fetch(say)
        except OSError as reason:
            raise Unavailable(f"could not write Terraform into {cached().parent}: {describe(reason)}") from reason
    os.environ["PATH"] = f"{cached().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def fetched(say: Callable[[str], None]) -> bool:
    """As `provide`, but reports a failure with `say` and returns whether Terraform is available."""
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
            f"Terraform cannot be downloaded for this machine ({sys.platform}, {platform.machine()}): scripts/rehearsal/terraform.py "
            "does not have its checksum"
        )
    name = f"terraform_{VERSION}_{'_'.join(kind)}.zip"
    url = f"{os.environ.get('OSMT_TERRAFORM_RELEASES') or RELEASES}/{VERSION}/{name}"
    place = cached()
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / "lock").open("w") as lock:
        say(f"downloading Terraform {VERSION} into {place.parent} (once): {url}")
        with _progress(say, lambda: "waiting for another process that is downloading it"):
            fcntl.flock(lock, fcntl.LOCK_EX)
        if place.exists():
            return
        archive = _download(url, say)
        found = hashlib.sha256(archive).hexdigest()
        if found != checksum:
            raise Unavailable(f"{url} is not Terraform {VERSION}: its SHA-256 is {found} instead of {checksum}; it was not used")
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
        return f"{read.tell() / 2**20:.1f}{of} MiB downloaded" if read.tell() else "waiting for the server"

    try:
        with _progress(say, state), urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310 - the URL is constant or set by the user
            length = answer.headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
            while chunk := answer.read(1 << 16):
                read.write(chunk)
    except (OSError, ValueError, http.client.HTTPException) as reason:  # ValueError: not a valid URL
        said = getattr(reason, "reason", reason)
        raise Unavailable(
            f"could not download {url}: {said}\nhelp: check that it can be reached; HTTPS_PROXY is used. "
            "OSMT_TERRAFORM_RELEASES selects another server with the same files. Or install Terraform"
        ) from reason
    return read.getvalue()


def _progress(say: Callable[[str], None], state: Callable[[], str]) -> AbstractContextManager[None]:
    """Prints the state every two seconds while the block runs."""
    return every(PROGRESS_INTERVAL, lambda: say(f"  {state()}"))
