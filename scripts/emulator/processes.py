"""Recognises a process by its id and its start time, because ids are reused."""

import os
import subprocess
from pathlib import Path
from typing import Optional


def start_time(pid: int) -> Optional[str]:
    """The start time of a process in the system's format; None if it ended or is a zombie."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    found = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, began = found.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()


def is_same_process(pid: int, started: Optional[str]) -> bool:
    return started is not None and start_time(pid) == started


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
