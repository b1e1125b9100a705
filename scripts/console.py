"""Shared by the scripts: errors in one describe, exit 130 after an interruption, and the elapsed time of long operations."""

import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from contextlib import contextmanager
from typing import IO, Callable, Iterator, NoReturn, Optional, Tuple, Type

SHOWN_AFTER = 2  # seconds


def start(main: Callable[[], int], failed: int = 3, reported: Tuple[Type[Exception], ...] = ()) -> NoReturn:
    """Runs a script and exits. Prints exceptions of the types `reported` without a traceback; other exceptions keep theirs."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr] # the terminal may not support UTF-8
    try:
        code = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = 130
    except reported as reason:
        code = failed
        print(f"error: {reason}", file=sys.stderr)
    except BrokenPipeError:  # the reader closed the pipe; the script did not finish
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = failed
    except (OSError, subprocess.CalledProcessError, zipfile.BadZipFile, tarfile.TarError) as reason:
        code = failed
        print(f"error: could not continue\ncaused by: {describe(reason)}", file=sys.stderr)
    sys.exit(code)


def describe(reason: BaseException) -> str:
    """The text of an error for a message: the system's error text and the file."""
    if isinstance(reason, subprocess.CalledProcessError):
        printed = reason.stderr or reason.stdout or b""
        words = printed if isinstance(printed, str) else printed.decode(errors="replace")
        return "\n".join(filter(None, [f"{' '.join(map(str, reason.cmd))} ended with exit {reason.returncode}", words.strip()]))
    if isinstance(reason, OSError) and reason.strerror:
        files = " and ".join(str(file) for file in (reason.filename, reason.filename2) if file is not None)
        return f"{files}: {reason.strerror}" if files else reason.strerror
    return str(reason)


@contextmanager
def show_elapsed() -> Iterator[None]:
    """Shows the elapsed time on a terminal while the block runs."""
    if not sys.stderr.isatty():
        yield
        return
    with _every_second(lambda seconds: sys.stderr.write(f"\r          … {seconds} s ") if seconds >= SHOWN_AFTER else 0):
        yield


CARGO_PROGRESS = {"CARGO_TERM_PROGRESS_WHEN": "always", "CARGO_TERM_PROGRESS_WIDTH": "70"}  # for cargo's environment


class CargoProgress:
    """Cargo's progress bar, followed by the elapsed time. Cargo updates it only when a crate is finished, which can take 15 s."""

    def __init__(self, terminal: IO[str]) -> None:
        self._terminal = terminal
        self._bar = ""
        self._kept = bytearray()

    def follow(self, source: IO[bytes], keep: Optional[IO[bytes]] = None) -> bytes:
        """Reads to the end. Copies complete lines to the terminal and into `keep`, and draws the bar each second."""
        with _every_second(self._draw):
            unread = b""
            while chunk := source.read1(1 << 14):  # type: ignore[attr-defined]
                *parts, unread = re.split(rb"[\r\n]", unread + chunk)  # cargo ends the bar with a carriage return
                for part in parts:
                    self._take(part, keep)
            self._take(unread, keep)
        return bytes(self._kept)

    def _take(self, part: bytes, keep: Optional[IO[bytes]]) -> None:
        text = part.decode(errors="replace").replace("\x1b[K", "").rstrip()
        if text.lstrip().startswith(("Building [", "Fetch [", "Checking [")):
            self._bar = text
            return
        if text:
            self._kept += text.encode() + b"\n"
            if keep is not None:
                keep.write(text.encode() + b"\n")
                keep.flush()
            self._terminal.write(f"\r\x1b[K{text}\n")
            self._terminal.flush()

    def _draw(self, seconds: int) -> None:
        try:
            columns = os.get_terminal_size(self._terminal.fileno()).columns or 80
        except (OSError, ValueError):
            columns = 80
        tail = f" {seconds} s"
        self._terminal.write(f"\r\x1b[K{(self._bar or '    Starting cargo')[: columns - len(tail) - 1]}{tail}")


@contextmanager
def _every_second(draw: Callable[[int], object]) -> Iterator[None]:
    """Calls `draw` with the elapsed seconds each second, and clears the line at the end."""
    start = time.monotonic()

    def redraw() -> None:
        draw(int(time.monotonic() - start))
        sys.stderr.flush()

    try:
        with every(1, redraw):
            yield
    finally:
        sys.stderr.write("\r\x1b[K" if sys.stderr.isatty() else "")
        sys.stderr.flush()


@contextmanager
def every(seconds: float, action: Callable[[], object]) -> Iterator[None]:
    """Calls `action` repeatedly while the block runs."""
    ended = threading.Event()

    def count() -> None:
        while not ended.wait(seconds):
            action()

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
