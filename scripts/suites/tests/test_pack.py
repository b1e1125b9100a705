"""`scripts/pack` puts binaries, completions and manual pages into an archive, the same bytes each time."""

import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

PACK = Path(__file__).resolve().parents[2] / "pack"
BINARIES = ("osmt-bootstrap", "osmt-doctor", "osmt-release", "osmt-secrets")


class Pack(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def binaries(self, ending: str) -> Path:
        place = self.folder / f"binaries{ending}"
        place.mkdir()
        for name in BINARIES:
            file = place / f"{name}{ending}"
            roff = name.replace("-", "\\-")
            file.write_text(f"#!/bin/sh\necho \"$@\"\n[ \"$*\" != man ] || printf '%s\\n' '{roff}\\-check(1)'\n", encoding="utf-8")
            file.chmod(0o755)
        return place

    def pack(self, target: str, binaries: Path, to: str) -> Path:
        command = [sys.executable, "-B", str(PACK), target, str(binaries), str(self.folder / to)]
        return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())

    def test_a_tar_has_everything_and_is_reproducible(self) -> None:
        binaries = self.binaries("")
        one, two = (self.pack("x86_64-unknown-linux-musl", binaries, to) for to in ("one", "two"))
        self.assertEqual(one.read_bytes(), two.read_bytes())
        with tarfile.open(one) as packed:
            names = {name.split("/", 1)[1] for name in packed.getnames()}
            self.assertEqual(packed.getmember(f"{one.name[:-7]}/osmt-doctor").mode, 0o755)
        for name in BINARIES:
            for path in (name, f"completions/{name}.bash", f"completions/_{name}", f"completions/{name}.fish", f"man/man1/{name}.1"):
                self.assertIn(path, names)
            self.assertIn(f"man/man1/{name}-check.1", names)
        self.assertLessEqual({"LICENSE", "README.md", "CHANGELOG.md"}, names)

    def test_windows_gets_a_zip(self) -> None:
        with zipfile.ZipFile(self.pack("x86_64-pc-windows-msvc", self.binaries(".exe"), "zip")) as packed:
            self.assertIsNone(packed.testzip())
            self.assertTrue(any(name.endswith("/osmt-secrets.exe") for name in packed.namelist()))

    def test_a_missing_binary_is_an_error(self) -> None:
        (self.folder / "empty").mkdir()
        with self.assertRaises(subprocess.CalledProcessError):
            self.pack("x86_64-unknown-linux-musl", self.folder / "empty", "none")


if __name__ == "__main__":
    unittest.main()
