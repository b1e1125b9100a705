"""Every script ends with a describe, never with a traceback, and cargo's progress is drawn with its seconds."""

import io
import os
import pty
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SCRIPTS))

import console  # noqa: E402

PROGRAMS = ("aws-emulator", "bench", "pack", "refresh-offers", "rehearse", "scan-terraform", "test")
BAR = b"   Compiling one v1.0.0\n    Building [==>    ] 1/3: two, three\r    Building [====> ] 2/3: three\r   Compiling three v1.0.0\n"


class Programs(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def checkout(self) -> Path:
        """The scripts in a checkout whose path has spaces and letters outside ASCII; it is not a clone."""
        place = self.folder / "mein Ordner für OSMT" / "scripts"
        shutil.copytree(SCRIPTS, place, ignore=shutil.ignore_patterns("__pycache__", "tests"))
        return place

    def run_script(self, *command: str, **settings: str) -> subprocess.CompletedProcess:
        """Without cargo, npm, git, Terraform, a keyring or a browser, and without network."""
        empty = self.folder / "empty"
        (self.folder / "file").touch()
        empty.mkdir(exist_ok=True)
        nowhere = "http://127.0.0.1:9"
        own = {
            "PATH": str(empty),
            "HOME": str(self.folder),
            "OSMT_CACHE": str(self.folder / "file"),  # nothing is installed: that takes long
            "PIP_INDEX_URL": nowhere,
            "PIP_RETRIES": "0",
            "OSMT_TERRAFORM_RELEASES": nowhere,
            "NO_PROXY": "127.0.0.1",
            **settings,
        }
        command = (sys.executable, "-B", *command)
        pipes = {"stdin": subprocess.DEVNULL, "capture_output": True}
        done = subprocess.run(command, cwd="/", env=own, text=True, check=False, timeout=60, **pipes)
        self.assertNotIn("Traceback", done.stderr, command)
        return done

    def test_on_an_empty_machine_each_script_says_what_is_missing(self) -> None:
        place = self.checkout()
        for name, arguments, code, words in (
            ("rehearse", [], 3, "cargo is not on PATH. Get Rust: https://rustup.rs"),
            ("test", [], 1, "desktop keyring: missing; on Debian and Ubuntu: apt install gnome-keyring"),
            ("scan-terraform", [], 3, "error: could not create a private Python environment"),
            ("refresh-offers", ["--check"], 3, "error: "),
            ("bench", [], 3, "error: could not build osmt-doctor: cargo is missing"),
            ("pack", ["x86_64-unknown-linux-musl", "nowhere", "to"], 3, "No such file or directory"),
            ("aws-emulator", ["start"], 3, "OSMT_CACHE selects another folder"),
            ("aws-emulator", ["status"], 1, "no emulator is running"),
            ("environment.py", ["nowhere/requirements.txt"], 1, "No such file or directory"),
        ):
            with self.subTest(name):
                done = self.run_script(str(place / name), *arguments)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(words, done.stdout + done.stderr)

    def test_odd_settings_are_refused_in_a_sentence(self) -> None:
        file = self.folder / "file"
        for name, arguments, settings, words in (
            ("aws-emulator", ["status", "--state", str(file / "below")], {}, ""),
            ("scan-terraform", [], {"OSMT_CACHE": "/proc/nowhere"}, "OSMT_CACHE selects another folder"),
            ("rehearse", [], {"OSMT_CACHE": str(self.folder), "OSMT_TERRAFORM_RELEASES": "no address"}, "unknown url type"),
            ("rehearse", [], {}, "could not write Terraform into"),
            ("rehearse", [], {"OSMT_TERRAFORM": str(file)}, f"{file} is not on PATH"),
        ):
            with self.subTest(name, settings=settings):
                done = self.run_script(str(SCRIPTS / name), *arguments, **settings)
                self.assertIn(done.returncode, (1, 3))
                self.assertIn(words, done.stderr)

    def test_arguments_that_are_unknown_are_a_usage_error(self) -> None:
        for name in PROGRAMS:
            with self.subTest(name):
                self.assertEqual(self.run_script(str(SCRIPTS / name), "--no-such-option").returncode, 2)

    def test_a_python_without_ensurepip_is_named_before_the_build(self) -> None:
        program = (
            "import importlib.util as u, runpy, sys\nfind = u.find_spec\n"
            "u.find_spec = lambda name, *more: None if name == 'ensurepip' else find(name, *more)\n"
            f"sys.argv[:] = [{str(SCRIPTS / 'rehearse')!r}]\nsys.path.insert(0, {str(SCRIPTS)!r})\n"
            f"runpy.run_path({str(SCRIPTS / 'rehearse')!r}, run_name='__main__')\n"
        )
        self.assertIn("apt install python3-venv", self.run_script("-c", program).stderr)

    def test_a_closed_pipe_and_an_interruption_end_quietly(self) -> None:
        writes = (
            "import sys; sys.path.insert(0, sys.argv[1]); import console\ndef main():\n    while True: print('a line')\nconsole.start(main)"
        )
        process = subprocess.Popen(
            [sys.executable, "-B", "-c", writes, str(SCRIPTS)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.stderr.read(), "")
        self.assertEqual(process.wait(20), 3)
        process.stderr.close()
        waits = writes.replace("while True: print('a line')", "print('begun', flush=True); import time; time.sleep(60)")
        process = subprocess.Popen(
            [sys.executable, "-B", "-c", waits, str(SCRIPTS)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.communicate(timeout=20)[1], "")
        self.assertEqual(process.returncode, 130)


class Progress(unittest.TestCase):
    def test_lines_are_kept_and_the_bar_is_not(self) -> None:
        kept, terminal = io.BytesIO(), io.StringIO()
        said = console.CargoProgress(terminal).follow(io.BufferedReader(io.BytesIO(BAR)), kept)
        self.assertEqual(said, b"   Compiling one v1.0.0\n   Compiling three v1.0.0\n")
        self.assertEqual(kept.getvalue(), said)

    def test_the_seconds_are_shown_while_cargo_is_silent(self) -> None:
        reading, writing = os.pipe()
        terminal = io.StringIO()
        os.write(writing, BAR)
        with os.fdopen(reading, "rb") as source:
            ends = time.monotonic() + 2.4
            threading.Thread(target=lambda: (time.sleep(ends - time.monotonic()), os.close(writing)), daemon=True).start()
            console.CargoProgress(terminal).follow(source)
        self.assertIn("Building [====> ] 2/3: three 1 s", terminal.getvalue())
        self.assertIn("Building [====> ] 2/3: three 2 s", terminal.getvalue())

    def test_a_check_that_lasts_shows_its_seconds_on_a_terminal(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "scripts").mkdir()
            shutil.copy(SCRIPTS / "check", place / "scripts" / "check")
            bash, git = shutil.which("bash"), shutil.which("git")
            if bash is None or git is None:
                self.skipTest("bash or git is missing")
            subprocess.run([git, "init", "--quiet", folder], check=True)
            for name, does in (("cargo", '[ "$1" != clippy ] || sleep 3'), ("python3", "exit 1"), ("terraform", "exit 0")):
                program = place / name
                program.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
                program.chmod(program.stat().st_mode | stat.S_IXUSR)
            leader, follower = pty.openpty()
            own = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
            process = subprocess.Popen([bash, "scripts/check"], cwd=folder, env=own, stdout=subprocess.DEVNULL, stderr=follower)
            os.close(follower)
            said = b""
            try:
                while chunk := os.read(leader, 4096):
                    said += chunk
            except OSError:  # Linux: the other end is closed
                pass
            os.close(leader)
            self.assertEqual(process.wait(20), 1)
            self.assertIn("clippy … 2 s", said.decode())


if __name__ == "__main__":
    unittest.main()
