"""Downloads the pinned version of Mermaid's browser bundle with npm into the cache, verifies its checksum, and prints its path.

Exits with 3 if it is not available.
"""

import base64
import fcntl
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

import console  # noqa: E402
import environment  # noqa: E402

VERSION = "12.3.0"
INTEGRITY = "sha512-4113TdXeLAsMruJ79OpFL5O8+LTFXhQqZ260rF3tgUmiNAtRm4Uume04I+65PRN6yZ69J4f8rVYWW8zRk65UYw=="  # as npm publishes it
BUNDLE = "package/dist/mermaid.min.js"


class Unavailable(Exception):
    """The bundle could not be downloaded."""


def bundle() -> Path:
    place = environment.cache() / f"mermaid-{VERSION}.min.js"
    environment.cache().mkdir(parents=True, exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process may be downloading it
        if not place.exists():
            _fetch(place)
    return place


def _fetch(place: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("npm is missing; on Debian and Ubuntu: apt install npm")
    print(f"downloading mermaid {VERSION} into {place.parent} (once)", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        with console.show_elapsed():
            packed = subprocess.run(
                [npm, "pack", f"mermaid@{VERSION}", "--silent", "--pack-destination", folder],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )  # fmt: skip
        archive = next(Path(folder).glob("*.tgz"), None)
        if packed.returncode != 0 or archive is None:
            raise Unavailable(f"npm could not download mermaid {VERSION}: {packed.stdout.strip()}")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != INTEGRITY:
            raise Unavailable(f"the download is not mermaid {VERSION}: its checksum is sha512-{digest}; it was not used")
        with tarfile.open(archive) as files:
            member = files.extractfile(BUNDLE)
            if member is None:
                raise Unavailable(f"mermaid {VERSION} does not contain {BUNDLE}")
            unfinished = place.with_suffix(".unfinished")
            unfinished.write_bytes(member.read())
            unfinished.rename(place)


def main() -> int:
    print(bundle())
    return 0


if __name__ == "__main__":
    console.start(main, reported=(Unavailable,))
