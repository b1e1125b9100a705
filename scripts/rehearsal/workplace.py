"""The temporary folder of a rehearsal. Folders of killed rehearsals are recognised and removed."""

import fcntl
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

SCRIPTS = Path(__file__).resolve().parents[1]
_PREFIX = "osmt-rehearsal-"


class Workplace:
    """A folder with a lock, which shows that its rehearsal is running."""

    def __init__(self, folder: Path, lock: IO[str]) -> None:
        self.folder = folder
        self.emulator = folder / "emulator"
        self._lock = lock

    @classmethod
    def make(cls) -> "Workplace":
        """Creates a folder, and removes the folders of killed rehearsals."""
        for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            _clear_if_dead(old)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = (folder / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        return cls(folder, lock)

    def keep(self) -> None:
        (self.folder / "kept").touch()

    def die(self) -> None:
        """For tests: releases the lock, as the system does when a rehearsal is killed."""
        self._lock.close()

    def clear(self) -> None:
        _clear(self.folder)


def _clear_if_dead(folder: Path) -> None:
    try:
        with (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not (folder / "kept").exists():
                print(f"removing the folder of a killed rehearsal: {folder}", file=sys.stderr)
                _clear(folder)
    except OSError:  # in use, owned by another user, or already removed
        return


def _clear(folder: Path) -> None:
    stop = [sys.executable, str(SCRIPTS / "aws-emulator"), "stop", "--state", str(folder / "emulator")]
    subprocess.run(stop, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)
