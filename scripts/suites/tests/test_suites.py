"""What `scripts/test` says and does when suites pass, fail, exclude each other or are interrupted."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

SUITES = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SUITES))

from suites import Run, Suite  # noqa: E402


def shell(name: str, script: str, **options: object) -> Suite:
    return Suite(name, ["sh", "-c", script], **options)  # type: ignore[arg-type]


class Suites(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = io.StringIO()
        environment = mock.patch.dict(os.environ)
        environment.start()
        self.addCleanup(environment.stop)
        os.environ.pop("CI", None)

    def run_all(self, *suites: Suite, jobs: int = 2, first: tuple[Suite, ...] = ()) -> tuple[int, str]:
        run = Run(self.folder / "logs", jobs, self.out)
        for suite in first:
            run.first(suite)
        return run.all(list(suites)), self.out.getvalue()

    def test_a_failure_is_printed_whole_and_a_pass_is_one_line(self) -> None:
        code, said = self.run_all(shell("good", "echo a; echo 3 tests passed"), shell("bad", "echo one; echo two >&2; exit 7"))
        self.assertEqual(code, 1)
        self.assertIn("passed   good, 0 s (processor: 0 s): 3 tests passed", said)
        self.assertIn("exit 7; its output", said)
        self.assertIn("one\ntwo\n-------  end of the output of bad", said)
        self.assertIn("suites: 1 passed, 1 failed, 0 skipped", said)
        self.assertEqual((self.folder / "logs" / "good.log").read_text(), "a\n3 tests passed\n")

    def test_suites_run_at_the_same_time_but_no_more_than_asked(self) -> None:
        waits = [shell(f"wait {letter}", "sleep 0.8") for letter in "abc"]
        begun = time.monotonic()
        self.assertEqual(self.run_all(*waits, jobs=3)[0], 0)
        together = time.monotonic() - begun
        begun = time.monotonic()
        self.assertEqual(self.run_all(*waits, jobs=1)[0], 0)
        self.assertGreater(time.monotonic() - begun, together)
        self.assertGreaterEqual(time.monotonic() - begun, 2.4)

    def test_suites_of_one_resource_exclude_each_other(self) -> None:
        lock = self.folder / "lock"
        script = f"mkdir {lock} && sleep 0.5 && rmdir {lock}"
        code, said = self.run_all(shell("one", script, alone="lock"), shell("two", script, alone="lock"), shell("three", "true"), jobs=3)
        self.assertEqual(code, 0, said)

    def test_what_needs_a_build_that_failed_is_not_run_and_counts_as_failed(self) -> None:
        code, said = self.run_all(shell("tests", "echo ran", needs_build=True), shell("lints", "true"), first=(shell("build", "exit 1"),))
        self.assertEqual(code, 1)
        self.assertIn("FAILED   tests: not run", said)
        self.assertIn("passed   lints", said)

    def test_a_skipped_suite_fails_in_ci_only(self) -> None:
        run = Run(self.folder, 1, self.out)
        run.skip("a thing", "it is missing")
        self.assertEqual(run.all([]), 0)
        with mock.patch.dict(os.environ, {"CI": "true"}):
            run.skip("a thing", "it is missing")
            self.assertEqual(run.all([]), 1)

    def test_an_interruption_ends_what_runs_with_all_it_started(self) -> None:
        mark = self.folder / "ended"
        script = f"trap 'touch {mark}; exit 1' INT; sleep 60 & wait"
        program = (
            f"import sys; sys.path.insert(0, {str(SUITES)!r}); from pathlib import Path; from suites import Run, Suite\n"
            f"sys.exit(Run(Path({str(self.folder)!r}), 1).all([Suite('long', ['sh', '-c', {script!r}])]))"
        )
        process = subprocess.Popen([sys.executable, "-B", "-c", program], stdout=subprocess.PIPE, text=True)
        time.sleep(1.5)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertIn("interrupted; stopping long", said)
        self.assertTrue(mark.exists())


if __name__ == "__main__":
    unittest.main()
