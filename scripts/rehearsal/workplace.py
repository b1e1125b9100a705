"""The temporary folder of one rehearsal: found again when its rehearsal was killed, never one that is in use."""

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
    """A folder and the lock that says that its rehearsal lives."""

    def __init__(self, folder: Path, lock: IO[str]) -> None:
        self.folder = folder
        self.emulator = folder / "emulator"
        self._lock = lock

    @classmethod
    def make(cls) -> "Workplace":
        """A new folder, after the remains of killed rehearsals are cleared away."""
        for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            _clear_if_dead(old)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = (folder / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        return cls(folder, lock)

    def keep(self) -> None:
        (self.folder / "kept").touch()

    def die(self) -> None:
        """What the system does for a rehearsal that was killed."""
        self._lock.close()

    def clear(self) -> None:
        _clear(self.folder)


def _clear_if_dead(folder: Path) -> None:
    try:
        with (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not (folder / "kept").exists():
                print(f"clearing away a rehearsal that was killed: {folder}", file=sys.stderr)
                _clear(folder)
    except OSError:  # in use, another user's, or gone
        return


def _clear(folder: Path) -> None:
    stop = [sys.executable, str(SCRIPTS / "aws-emulator"), "stop", "--state", str(folder / "emulator")]
    subprocess.run(stop, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)
