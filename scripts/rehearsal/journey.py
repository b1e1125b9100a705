"""Runs the steps of a rehearsal: says what and why, shows the command, keeps its output, stops at the first failure."""

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

from console import DRAWING, CargoProgress, signs_of_life

PR_SET_PDEATHSIG = 1


class StepFailed(Exception):
    """A step did not end as it should; the message holds its output."""


class Journey:
    """One rehearsal under way, in a working copy of its own."""

    def __init__(self, work: Path, environment: dict[str, str], total: int) -> None:
        self.work = work
        self.environment = environment
        self.logs = work / "logs"
        self.logs.mkdir(exist_ok=True)
        self.seen_arguments: set[str] = set()  # every argument list seen, for the search at the end
        self._total = total
        self.number = 0
        self._commands = 0
        self._running: Optional[subprocess.Popen[Any]] = None

    @contextmanager
    def step(self, what: str, why: str) -> Iterator[None]:
        """One line of what and why before, its time after."""
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
        """Runs a command, prints it as a person would type it, and returns its stdout.

        `given` is written to its stdin (`given_is` says in the transcript what that was); `show` picks what to show of stdout.
        `live` is for cargo: its progress is drawn on the terminal, where there is one.
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
            env=self.environment | (more or {}) | (DRAWING if drawn else {}),
            stdin=subprocess.PIPE if given is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=not drawn,
            errors=None if drawn else "replace",
            start_new_session=True,  # Ctrl-C comes to us first: we end it and what it started
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no other thread runs yet
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
                with signs_of_life():
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
        """As `run`, of a command whose stdout is one JSON document."""
        out = self.run(*command, **options)
        try:
            return json.loads(out)
        except ValueError as reason:
            raise StepFailed(f"{shlex.join(command)}\nprinted no JSON document ({reason}):\n{out}") from reason

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise StepFailed(otherwise)

    def interrupt(self) -> None:
        """Ends the command that runs, with all that it started; politely first."""
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
        """Reads the arguments of everything that the command starts: they are visible to every user of the machine."""
        others: set[str] = set()  # processes that are not the command's; each is asked once
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
    """So that a killed rehearsal leaves no command behind (Linux)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
