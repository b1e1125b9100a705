"""Runs the steps of a rehearsal: prints each step and its commands, logs their output, and stops at the first failure."""

import ctypes
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from console import CARGO_PROGRESS, CargoProgress, show_elapsed

PR_SET_PDEATHSIG = 1


class StepFailed(Exception):
    """A step failed; the message contains its output."""


class Journey:
    """The state of a running rehearsal."""

    def __init__(self, work: Path, environment: dict[str, str], total: int) -> None:
        self.work = work
        self.environment = environment
        self.logs = work / "logs"
        self.logs.mkdir(exist_ok=True)
        self.seen_arguments: set[str] = set()  # the arguments of all processes, to search them for secrets at the end
        self._total = total
        self.number = 0
        self._commands = 0
        self._running: Optional[subprocess.Popen[Any]] = None

    @contextmanager
    def step(self, what: str, why: str) -> Iterator[None]:
        """Prints the step and its reason before, and its duration after."""
        self.number += 1
        print(f"\n[{self.number:2}/{self._total}] {what}: {why}", flush=True)
        begun = time.monotonic()
        yield
        print(f"        done in {time.monotonic() - begun:.1f} s", flush=True)

    def run(
        self,
        *command: str,
        exits: tuple[int, ...] = (0,),
        given: Optional[str] = None,
        given_is: str = "",
        show: Callable[[str], str] = lambda _: "",
        cwd: str = ".",
        more: Optional[dict[str, str]] = None,
        live: bool = False,
    ) -> str:
        """Prints a command, runs it, and returns its stdout.

        `given` is written to its stdin; `given_is` is printed instead. `show` selects the part of stdout that is printed. `live`
        shows cargo's progress on a terminal.
        """
        typed = shlex.join(command)
        prefix = "" if cwd == "." else f"cd {cwd}; "
        print(f"        $ {prefix}{typed}{f' < ({given_is})' if given is not None else ''}", flush=True)
        self.seen_arguments.add(typed)
        self._commands += 1
        drawn = live and sys.stderr.isatty()
        log = self.logs / f"{self._commands:02}-{Path(command[0]).name}-{next((word for word in command[1:] if word.isalpha()), '')}.log"
        process = subprocess.Popen(
            command,
            cwd=self.work / cwd,
            env=self.environment | (more or {}) | (CARGO_PROGRESS if drawn else {}),
            stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=not drawn,
            errors=None if drawn else "replace",
            start_new_session=True,  # so that Ctrl-C reaches only this process, which then stops the command and its children
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no other thread is running yet
        )
        self._running = process
        watch = threading.Event()
        watcher = threading.Thread(target=self._watch_arguments, args=(process.pid, watch), daemon=True)
        watcher.start()
        try:
            if drawn:
                err = CargoProgress(sys.stderr).follow(process.stderr).decode(errors="replace")
                out = process.communicate()[0].decode(errors="replace")
            else:
                with show_elapsed():
                    out, err = process.communicate(given)
        finally:
            watch.set()
            watcher.join()
        self._running = None
        log.write_text(f"$ {typed}\n--- exit {process.returncode}\n--- stdout\n{out}--- stderr\n{err}", encoding="utf-8")
        if process.returncode not in exits:
            wanted = " or ".join(map(str, exits))
            raise StepFailed(f"{typed}\nended with exit {process.returncode} instead of {wanted}:\n{err}{out}")
        for line in filter(None, show(out).splitlines()):
            print(f"          {line}", flush=True)
        return out

    def run_json(self, *command: str, **options: Any) -> Any:
        """Runs a command whose stdout is a JSON document."""
        out = self.run(*command, **options)
        try:
            return json.loads(out)
        except ValueError as reason:
            raise StepFailed(f"{shlex.join(command)}\ndid not print a JSON document ({reason}):\n{out}") from reason

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise StepFailed(otherwise)

    def interrupt(self) -> None:
        """Stops the running command and its children, with stronger signals each time."""
        process = self._running
        if process is None:
            return
        for sign, patience in ((signal.SIGINT, 20), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            try:
                os.killpg(process.pid, sign)
                process.wait(patience)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue
            return

    def _watch_arguments(self, session: int, stop: threading.Event) -> None:
        """Records the arguments of the command and its children, because all users of the machine can read them."""
        others: set[str] = set()  # processes of other sessions, which are read only once
        while not stop.wait(0.05):
            processes = {name for name in os.listdir("/proc") if name.isdigit()} if os.path.isdir("/proc") else set()
            others &= processes
            for name in processes - others:
                place = Path("/proc", name)
                try:
                    if place.joinpath("stat").read_text().rpartition(")")[2].split()[3] == str(session):
                        arguments = place.joinpath("cmdline").read_bytes()
                        self.seen_arguments.add(arguments.replace(b"\0", b" ").decode(errors="replace"))
                    else:
                        others.add(name)
                except (OSError, IndexError):
                    continue


def _end_with_parent() -> None:
    """Linux: ends a command when the rehearsal is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
