"""Checks on the private Python environment: made by the program itself, once, and whole."""

import ast
import os
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2]


def started_by_hand(program: Path) -> bool:
    return '__name__ == "__main__"' in program.read_text(encoding="utf-8", errors="replace")


class Environment(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.requirements = self.folder / "nothing" / "requirements.txt"
        self.requirements.parent.mkdir()
        self.requirements.write_text("", encoding="utf-8")

    def make(self) -> subprocess.CompletedProcess:
        command = [sys.executable, "-B", str(SCRIPTS / "environment.py"), str(self.requirements)]
        settings = {**os.environ, "OSMT_CACHE": str(self.folder / "cache")}
        return subprocess.run(command, capture_output=True, text=True, env=settings, check=False)

    def test_one_that_cannot_be_made_says_why_and_the_next_start_makes_it_once(self) -> None:
        self.requirements.write_text("a package that nobody wrote\n", encoding="utf-8")
        refused = self.make()
        self.assertEqual(refused.returncode, 1)
        self.assertIn("installing the pinned packages of nothing", refused.stderr)
        self.assertIn("error: could not install requirements.txt", refused.stderr)
        self.assertNotIn("Traceback", refused.stderr)
        self.requirements.write_text("", encoding="utf-8")
        first = self.make()
        self.assertEqual(first.returncode, 0, first.stderr)
        interpreter = first.stdout.strip()
        self.assertTrue(interpreter.startswith(str((self.folder / "cache").resolve() / "python-nothing-")), interpreter)
        self.assertEqual(subprocess.run([interpreter, "-c", ""], check=False).returncode, 0)
        again = self.make()
        self.assertEqual((again.returncode, again.stdout, again.stderr), (0, first.stdout, ""))
        (Path(interpreter).parents[1] / "finished").unlink()  # what an interrupted start leaves
        Path(interpreter).unlink()
        self.assertEqual(self.make().stdout, first.stdout)
        self.assertTrue(Path(interpreter).exists())
        # Each set of packages and each Python has a folder of its own: another start may be using the other one.
        self.assertEqual(len(list((self.folder / "cache").glob("python-nothing-*/bin/python"))), 2)

    def test_a_full_disk_is_named(self) -> None:
        sys.path.insert(0, str(SCRIPTS))
        import environment

        usage = unittest.mock.Mock(return_value=unittest.mock.Mock(free=3 << 20))
        with unittest.mock.patch("shutil.disk_usage", usage), self.assertRaisesRegex(environment.Unavailable, "only 3 MiB are free"):
            environment._run([sys.executable, "-c", "raise SystemExit(1)"], "do something", "another help")


class Programs(unittest.TestCase):
    def test_a_program_starts_below_everything_that_it_defines(self) -> None:
        programs = [path for path in SCRIPTS.rglob("*") if path.is_file() and "__pycache__" not in path.parts and started_by_hand(path)]
        self.assertGreater(len(programs), 5)
        for path in programs:
            if path == Path(__file__).resolve():
                continue
            last = ast.parse(path.read_text(encoding="utf-8")).body[-1]
            with self.subTest(path.name):
                self.assertIsInstance(last, ast.If, f"{path}: a definition below the start does not exist yet when the program runs")


if __name__ == "__main__":
    unittest.main()
