"""A keyring for a rehearsal, separate from the user's.

On Linux it is a new session keyring of the kernel, which ends with the rehearsal. If the kernel does not allow that, as in some
containers, a private Secret Service is started. On other systems it is the desktop's keyring, with entries that no other deployment
uses and that are removed at the end.
"""

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

_SYSTEM_CALLS = {"x86_64": (248, 250), "aarch64": (217, 219)}  # add_key, keyctl
_JOIN_SESSION_KEYRING = 1
_SESSION_KEYRING = -3
_INSIDE = "OSMT_REHEARSAL_IN_PRIVATE_BUS"


class Unavailable(Exception):
    """No keyring is usable; the message says what to install."""


def enter() -> str:
    """Chooses the keyring. Must be called first, because for a private bus this program is started again."""
    if not sys.platform.startswith("linux"):
        return "desktop"
    if _fresh_session_keyring():
        return "kernel"
    if os.environ.get(_INSIDE) is None:
        if shutil.which("dbus-run-session") is None or shutil.which("gnome-keyring-daemon") is None:
            raise Unavailable(
                "the kernel's keyring is not usable, and dbus-run-session or gnome-keyring-daemon is not installed. "
                "On Debian and Ubuntu: apt install dbus gnome-keyring"
            )
        os.environ[_INSIDE] = "1"
        os.execvp("dbus-run-session", ["dbus-run-session", "--", sys.executable, *sys.argv])
    return "private"


def environment(kind: str, state: Path) -> dict[str, str]:
    """Opens the keyring. Returns the environment variables for programs that use it."""
    if kind != "private":
        return {"OSMT_KEYRING": "kernel" if kind == "kernel" else "os"}
    home = state / "keyring"
    home.mkdir(mode=0o700)
    own = os.environ | {"XDG_DATA_HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    daemon = ["gnome-keyring-daemon", "--daemonize", "--unlock", "--components=secrets"]
    opened = subprocess.run(daemon, input="rehearsal", env=own, capture_output=True, text=True, check=False)
    if opened.returncode != 0:
        raise Unavailable(f"could not start a private Secret Service: {opened.stderr.strip()}")
    return {"OSMT_KEYRING": "os"}


def _fresh_session_keyring() -> bool:
    numbers = _SYSTEM_CALLS.get(platform.machine())
    if numbers is None:
        return False
    add_key, keyctl = numbers
    call = ctypes.CDLL(None, use_errno=True).syscall
    if call(keyctl, _JOIN_SESSION_KEYRING, None) < 0:
        return False
    return bool(call(add_key, b"user", b"osmt-rehearsal", b"1", 1, _SESSION_KEYRING) >= 0)
