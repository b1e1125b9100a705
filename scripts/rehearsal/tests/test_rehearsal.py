"""The parts of a rehearsal that can be wrong without anyone noticing: the search for leaks, above all."""

import base64
import io
import os
import stat
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path
from unittest import mock

REHEARSAL = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REHEARSAL), str(REHEARSAL.parent)]

import leaks  # noqa: E402
import opentofu  # noqa: E402
import osmt_repository  # noqa: E402
import prerequisites  # noqa: E402
import providers  # noqa: E402
from journey import Journey, StepFailed  # noqa: E402
from workplace import Workplace  # noqa: E402

VALUE = "a-Value_of~a.secret"


class Leaks(unittest.TestCase):
    def found(self, content: bytes) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "file").write_bytes(content)
            return bool(leaks.in_folder(Path(folder), leaks.needles([VALUE])))

    def test_plain_in_anything(self) -> None:
        self.assertTrue(self.found(f'{{"password": "{VALUE}"}}'.encode()))
        self.assertTrue(self.found(b"\xff\x00" + VALUE.encode() + b"\x80"))

    def test_in_base64_wherever_it_stands(self) -> None:
        for before in ("", "x", "xy", "xyz"):
            for after in ("", "x", "xy", "xyz"):
                with self.subTest(before=before, after=after):
                    self.assertTrue(self.found(base64.b64encode((before + VALUE + after).encode())))

    def test_in_an_archive(self) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("tfplan", "x" * 1000 + VALUE)
        self.assertNotIn(VALUE.encode(), packed.getvalue())
        self.assertTrue(self.found(packed.getvalue()))

    def test_nothing_where_nothing_is(self) -> None:
        self.assertFalse(self.found(b"a-Value_of~another.secret and " + base64.b64encode(b"something else altogether")))


class Steps(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.journey = Journey(Path(folder.name), dict(os.environ), total=1)
        silence = mock.patch("builtins.print")
        silence.start()
        self.addCleanup(silence.stop)

    def test_another_exit_than_wanted_stops_with_the_output(self) -> None:
        with self.assertRaises(StepFailed) as caught:
            self.journey.run("sh", "-c", "echo shown; echo why >&2; exit 7")
        for part in ("exit 7", "shown", "why"):
            self.assertIn(part, str(caught.exception))
        self.assertEqual(self.journey.run("sh", "-c", "echo pending; exit 1", exits=(1,)), "pending\n")

    def test_what_is_given_reaches_stdin_and_no_argument(self) -> None:
        self.assertEqual(self.journey.run("cat", given=VALUE, given_is="a value"), VALUE)
        self.assertFalse([line for line in self.journey.seen_arguments if VALUE in line])

    @unittest.skipUnless(Path("/proc").exists(), "only Linux shows the arguments of other processes in files")
    def test_the_arguments_of_what_a_command_starts_are_seen(self) -> None:
        self.journey.run("sh", "-c", "read word; sleep 0.$word; :", given="3\n")
        self.assertTrue([line for line in self.journey.seen_arguments if line.startswith("sleep 0.3")])


class Machine(unittest.TestCase):
    def test_what_is_missing_is_named_with_its_remedy(self) -> None:
        with tempfile.TemporaryDirectory() as empty, mock.patch.dict(os.environ, {"PATH": empty}):
            said = "\n".join(prerequisites.missing())
        for word in ("cargo", "https://rustup.rs", "git", "terraform", "https://developer.hashicorp.com/terraform/install"):
            self.assertIn(word, said)

    def test_an_old_terraform_is_refused(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            fake = Path(folder) / "terraform"
            fake.write_text('#!/bin/sh\necho \'{"terraform_version": "1.9.8"}\'\n', encoding="utf-8")
            fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
            with mock.patch.dict(os.environ, {"PATH": f"{folder}:{os.environ['PATH']}"}):
                self.assertIn("terraform 1.9 is too old", "\n".join(prerequisites.missing()))

    def test_opentofu_is_used_where_terraform_is_missing_and_what_is_named_before_both(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"PATH": folder}):
            os.environ.pop("OSMT_TERRAFORM", None)
            for name in ("tofu", "terraform"):
                (Path(folder) / name).touch(mode=0o755)
                self.assertEqual(providers.program(), name)
            os.environ["OSMT_TERRAFORM"] = "/opt/tofu/tofu"
            self.assertEqual(providers.program(), "/opt/tofu/tofu")
            self.assertIn("/opt/tofu/tofu is not on PATH", "\n".join(prerequisites.missing()))
            os.environ["OSMT_TERRAFORM"] = "my tools/tofu"
            self.assertEqual(providers.program(), f"{Path.cwd()}/my tools/tofu")
            os.environ["OSMT_TERRAFORM"] = ""
            self.assertEqual(providers.program(), "terraform")

    def test_opentofu_is_known_by_its_version_and_finds_the_packages_of_terraforms_mirror(self) -> None:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            for name, says in (("one", "OpenTofu v1.12.6"), ("two", "Terraform v1.11.4")):
                (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
                (folder / name).chmod(0o755)
            self.assertTrue(opentofu.is_it(str(folder / "one")))
            self.assertFalse(opentofu.is_it(str(folder / "two")))
            self.assertFalse(opentofu.is_it(str(folder / "absent")))
            package = folder / "mirror" / providers.HOST / "hashicorp" / "aws" / "5.100.0" / "linux_amd64"
            package.mkdir(parents=True)
            (package / "provider").touch()
            made = opentofu.mirror(folder / "mirror", providers.HOST, folder)
            self.assertTrue((made / opentofu.HOST / "hashicorp" / "aws" / "5.100.0" / "linux_amd64" / "provider").exists())

    def test_a_named_mirror_is_used_and_a_wrong_one_refused(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"OSMT_PROVIDER_MIRROR": folder}):
            with self.assertRaises(SystemExit):
                providers.mirror()
            (Path(folder) / providers.HOST).mkdir()
            environment = providers.configuration(Path(folder))
            self.assertIn(folder, Path(environment["TF_CLI_CONFIG_FILE"]).read_text(encoding="utf-8"))

    def test_the_remains_of_a_killed_rehearsal_are_cleared_and_no_others(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(tempfile, "tempdir", folder), mock.patch("builtins.print"):
            killed, kept, living = Workplace.make(), Workplace.make(), Workplace.make()
            kept.keep()
            for dead in (killed, kept):
                dead.die()
            new = Workplace.make()
            self.addCleanup(living.die)
            self.addCleanup(new.die)
            there = [work.folder.exists() for work in (killed, kept, living, new)]
            self.assertEqual(there, [False, True, True, True])

    def test_the_repository_is_of_osmts_shape(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            osmt_repository.make(Path(folder))
            git = ["git", "-C", folder]
            tags = subprocess.run([*git, "tag", "--list"], capture_output=True, text=True, check=True).stdout.split()
            self.assertIn(osmt_repository.NEWEST, tags)
            status = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
            self.assertEqual(status.stdout, "")


if __name__ == "__main__":
    unittest.main()
