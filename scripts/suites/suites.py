"""Runs test suites in parallel. Prints a line when a suite starts and ends, and the output of a suite that fails."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from console import CARGO_PROGRESS, CargoProgress

PAUSE = 0.2
STATUS_INTERVAL = 60  # seconds between two status lines without a terminal
STOP_SIGNALS = ((signal.SIGINT, 60), (signal.SIGTERM, 10), (signal.SIGKILL, 10))


@dataclass
class Suite:
    """A command that passes if its exit code is 0."""

    name: str
    command: list[str]
    alone: str = ""  # suites with the same word do not run at the same time
    needs_build: bool = False
    live: bool = False  # shows cargo's progress on a terminal


@dataclass
class _Running:
    suite: Suite
    process: "subprocess.Popen[bytes]"
    log: Path
    reader: Optional[threading.Thread] = None  # draws the progress
    begun: float = field(default_factory=time.monotonic)
    busy: float = 0.0  # processor time in seconds, including child processes

    def seconds(self) -> int:
        return int(time.monotonic() - self.begun)

    def has_ended(self) -> bool:
        if self.process.returncode is None:
            found, status, used = os.wait4(self.process.pid, os.WNOHANG)
            if found == self.process.pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.busy = used.ru_utime + used.ru_stime
        return self.process.returncode is not None


class Run:
    """One run of the tests."""

    def __init__(self, logs: Path, jobs: int, out: Optional[IO[str]] = None) -> None:
        self.logs = logs
        self.jobs = jobs
        self.out = out or sys.stdout
        self.passed: list[str] = []
        self.failed: list[str] = []
        self.skipped: list[str] = []
        self._first: list[Suite] = []
        self._running: list[_Running] = []
        self._begun = time.monotonic()
        self._shown = 0  # the length of the status line
        self._last_status = time.monotonic()

    def say(self, line: str) -> None:
        self._wipe()
        print(line, file=self.out, flush=True)

    def first(self, suite: Suite) -> None:
        """Adds a suite that runs alone, before all others."""
        self._first.append(suite)

    def skip(self, name: str, why: str) -> None:
        self.say(f"skipped  {name}: {why}")
        # In CI a skipped suite counts as failed.
        (self.failed if os.environ.get("CI") == "true" else self.skipped).append(name)

    def all(self, suites: list[Suite]) -> int:
        """Runs the suites. Returns the exit code."""
        self.logs.mkdir(parents=True, exist_ok=True)
        previous = signal.signal(signal.SIGTERM, _interrupted)
        try:
            for suite in self._first:
                self._together([suite], 1)
            broken = bool(self._first) and any(suite.name in self.failed for suite in self._first)
            for suite in (suite for suite in suites if broken and suite.needs_build):
                self.say(f"FAILED   {suite.name}: not run, because the build failed")
                self.failed.append(suite.name)
            self._together([suite for suite in suites if not (broken and suite.needs_build)], self.jobs)
        except KeyboardInterrupt:
            self._end_all()
            return 130
        finally:
            signal.signal(signal.SIGTERM, previous)
        return self._summary()

    def _together(self, suites: list[Suite], jobs: int) -> None:
        waiting = list(suites)
        while waiting or self._running:
            taken = {one.suite.alone for one in self._running if one.suite.alone}
            ready = next((suite for suite in waiting if suite.alone not in taken or not suite.alone), None)
            if ready is not None and len(self._running) < jobs:
                waiting.remove(ready)
                self._start(ready)
                continue
            for one in [one for one in self._running if one.has_ended()]:
                self._running.remove(one)
                self._finish(one)
            self._show_status()
            time.sleep(PAUSE)

    def _start(self, suite: Suite) -> None:
        log = self.logs / f"{re.sub('[^a-z]+', '-', suite.name.lower()).strip('-')}.log"
        self.say(f"running  {suite.name}: {' '.join(suite.command)}")
        shown = suite.live and sys.stderr.isatty()
        with log.open("wb") as file:
            process = subprocess.Popen(
                suite.command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.PIPE if shown else subprocess.STDOUT,
                env=os.environ | (CARGO_PROGRESS if shown else {}),
                start_new_session=True,  # so that Ctrl-C reaches only this process, which then stops each suite with its children
            )
        reader = threading.Thread(target=_follow, args=(process.stderr, log), daemon=True) if shown else None
        if reader:
            reader.start()
        self._running.append(_Running(suite, process, log, reader))

    def _finish(self, one: _Running) -> None:
        name, code, took = one.suite.name, one.process.returncode, f"{one.seconds()} s (processor: {one.busy:.0f} s)"
        if one.reader:
            one.reader.join(timeout=5)
        output = one.log.read_text(encoding="utf-8", errors="replace")
        if code == 0:
            self.passed.append(name)
            last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")
            self.say(f"passed   {name}, {took}{': ' if last else ''}{last[:100]}")
            return
        self.failed.append(name)
        self.say(f"FAILED   {name}, {took}, exit {code}; its output ({one.log}):")
        self.say(output.rstrip("\n"))
        self.say(f"-------  end of the output of {name}")

    def _show_status(self) -> None:
        """Shows the running suites: on a terminal in a line that is overwritten, otherwise in a line each minute."""
        if not self._running or (any(one.suite.live for one in self._running) and self.out.isatty()):
            return
        line = "         " + ", ".join(f"{one.suite.name} {one.seconds()} s" for one in self._running)
        if self.out.isatty():
            columns = os.get_terminal_size(self.out.fileno()).columns or 80
            line = line[: columns - 1]
            self.out.write(f"\r{line}{' ' * max(self._shown - len(line), 0)}")
            self.out.flush()
            self._shown = len(line)
        elif time.monotonic() - self._last_status >= STATUS_INTERVAL:
            self._last_status = time.monotonic()
            self.say(f"still{line[5:]}")

    def _wipe(self) -> None:
        if self._shown:
            self.out.write(f"\r{' ' * self._shown}\r")
            self._shown = 0

    def _end_all(self) -> None:
        """Stops the running suites, with stronger signals each time."""
        self.say(f"interrupted; stopping {', '.join(one.suite.name for one in self._running) or 'nothing'}")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for sign, seconds in STOP_SIGNALS:
            end = time.monotonic() + seconds
            for one in self._running:
                try:
                    os.killpg(one.process.pid, sign)
                except ProcessLookupError:
                    continue
            while time.monotonic() < end and not all(one.has_ended() for one in self._running):
                time.sleep(PAUSE)
            if all(one.has_ended() for one in self._running):
                return

    def _summary(self) -> int:
        minutes, seconds = divmod(int(time.monotonic() - self._begun), 60)
        self.say("")
        for what, names in (("skipped", self.skipped), ("FAILED", self.failed)):
            for name in names:
                self.say(f"{what}: {name}")
        counts = f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"
        self.say(f"suites: {counts}, in {minutes} min {seconds} s")
        return 1 if self.failed else 0


def _follow(source: IO[bytes], log: Path) -> None:
    with log.open("ab") as kept:
        CargoProgress(sys.stderr).follow(source, kept)


def _interrupted(_number: int, _frame: Optional[FrameType]) -> None:
    raise KeyboardInterrupt
