"""Is that still the same process? A number alone is not enough: numbers come round again."""

import os
import subprocess
from pathlib import Path
from typing import Optional


def mark_of(pid: int) -> Optional[str]:
    """When the process began, as the system reports it; None when it is gone, or dead and only not yet buried."""
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


def is_the_same(pid: int, mark: Optional[str]) -> bool:
    return mark is not None and mark_of(pid) == mark


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
