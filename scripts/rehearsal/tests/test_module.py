"""What must be written down beside the Terraform module's code: a description for each field, a row for each setting."""

import json
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MODULE = ROOT / "terraform" / "module"
sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(ROOT / "scripts" / "emulator"), str(MODULE / "tests")]

import opentofu  # noqa: E402
import protection  # noqa: E402
import refusals  # noqa: E402
import upgrade  # noqa: E402


def variables(text: str) -> dict[str, str]:
    """Each variable's block."""
    return {match[1]: match[0] for match in re.finditer(r'^variable "(\w+)" \{\n.*?^\}\n', text, re.MULTILINE | re.DOTALL)}


def fields(block: str) -> list[str]:
    """The paths of an object's fields, read line by line as `terraform fmt` leaves them."""
    path, found = [], []
    for line in map(str.strip, block.split("type = object({\n", 1)[1].splitlines()):
        if line.startswith("})"):
            if not path:
                break
            path.pop()
        elif match := re.match(r"(\w+) *= (.*)", line):
            here = ".".join([*path, match[1]])
            found.append(here)
            if match[2].endswith("object({"):
                path.append(match[1])
    return found


def described(block: str) -> set[str]:
    text = re.search(r"description = <<-EOT\n(.*?)\n  EOT", block, re.DOTALL)
    lines = re.findall(r"^ *- (`[^:]*`): \S", text[1], re.MULTILINE) if text else []
    return {name for line in lines for name in re.findall(r"`([^`]+)`", line)}


class OpenTofu(unittest.TestCase):
    def test_its_tests_are_those_of_terraform_in_its_own_grammar(self) -> None:
        with tempfile.TemporaryDirectory() as place:
            module = Path(place) / "module"
            shutil.copytree(MODULE / "tests", module / "tests", ignore=shutil.ignore_patterns("*.tofutest.hcl"))
            self.assertEqual(opentofu.write_tests(module), ["existing_network.tftest.hcl", "policies.tftest.hcl"])
            for file in (module / "tests").glob("*.tftest.hcl"):
                with self.subTest(file=file.name):
                    own = file.with_name(file.name.replace(".tftest.", ".tofutest.")).read_text(encoding="utf-8")
                    for unknown in ("override_during", "source ", "["):
                        self.assertNotIn(unknown, "".join(re.findall(r"^ *(?:target|override_during|source) .*$", own, re.MULTILINE)))
                    if "\nrun " in own:
                        runs = re.compile(r'^run "\w+" \{\n.*?^\}\n', re.MULTILINE | re.DOTALL)
                        self.assertEqual(runs.findall(own), runs.findall(file.read_text(encoding="utf-8")))
                        self.assertIn('mock_resource "aws_lb"', own)


class Graph(unittest.TestCase):
    def test_what_does_not_wait_for_what_it_needs_is_found(self) -> None:
        chain = "".join(f'"{later}" -> "{earlier}"\n' for later, earlier in protection.AFTER)
        self.assertEqual(protection.too_early(chain), [])
        for later, earlier in protection.AFTER[:2]:
            with self.subTest(missing=(later, earlier)):
                found = protection.too_early(chain.replace(f'"{later}" -> "{earlier}"\n', ""))
                self.assertIn((later, earlier), found)


class Descriptions(unittest.TestCase):
    def setUp(self) -> None:
        files = [MODULE / "variables.tf", MODULE / "operations.tf"]
        self.blocks = variables("\n".join(file.read_text(encoding="utf-8") for file in files))

    def test_every_field_is_described_and_nothing_else(self) -> None:
        for name, block in self.blocks.items():
            if name == "database_credentials":  # two fields, in its one describe
                continue
            with self.subTest(variable=name):
                there = fields(block)
                self.assertGreater(len(there), 30)
                # A group of the config is described by its fields; one of operations has a line of its own too.
                groups = {field for field in there if any(other.startswith(f"{field}.") for other in there)}
                wanted = set(there) - (groups if name == "config" else set())
                self.assertEqual(wanted ^ described(block), set())

    def test_every_setting_of_operations_has_its_row_in_the_page(self) -> None:
        page = (ROOT / "docs" / "terraform.md").read_text(encoding="utf-8")
        rows = "\n".join(re.findall(r"^\| `.*", page, re.MULTILINE))
        missing = [field for field in fields(self.blocks["operations"]) if "." not in field and f"`{field}`" not in rows]
        self.assertEqual(missing, [])

    def test_every_output_and_variable_has_a_description(self) -> None:
        for folder in ("module", "invocation", "vault"):
            for file in sorted((ROOT / "terraform" / folder).glob("*.tf")):
                text = file.read_text(encoding="utf-8")
                for match in re.finditer(r'^(?:output|variable) "\w+" \{\n.*?^\}\n', text, re.MULTILINE | re.DOTALL):
                    with self.subTest(file=file.name, block=match[0].splitlines()[0]):
                        self.assertIn("  description ", match[0])


class Refusals(unittest.TestCase):
    def test_the_messages_of_the_module_are_found(self) -> None:
        found = refusals.messages(MODULE)
        self.assertGreater(len(found), 55)
        # As many as there are, so that no form of writing one escapes.
        written = sum(file.read_text(encoding="utf-8").count("error_message") for file in MODULE.glob("*.tf"))
        self.assertEqual(len(found), written)

    def test_what_a_case_reports_is_read(self) -> None:
        line = '{"type": "diagnostic", "@testrun": "case", "diagnostic": {"summary": "Invalid", "detail": "NET009 Two subnets overlap."}}'
        self.assertIn("NET009", refusals.reported(f"not json\n{line}\n")["case"])


class Page(unittest.TestCase):
    """docs/terraform-tests.md names what there is and counts it."""

    def setUp(self) -> None:
        self.page = (ROOT / "docs" / "terraform-tests.md").read_text(encoding="utf-8")

    def test_its_numbers_are_right(self) -> None:
        events = json.loads((MODULE / "tests" / "events.json").read_text(encoding="utf-8"))["events"]
        for number in (f"{len(refusals.messages(MODULE))} messages", f"{len(events)} events"):
            self.assertIn(number, self.page)

    def test_every_test_that_it_names_exists(self) -> None:
        runs: set[str] = set()
        for file in (ROOT / "terraform").glob("*/tests/*.tftest.hcl"):
            runs |= set(re.findall(r'^run "(\w+)"', file.read_text(encoding="utf-8"), re.MULTILINE))
        section = self.page.split("## What real AWS refuses", 1)[1].split("\n## ", 1)[0]
        rows = [line.split("|") for line in section.splitlines() if re.match(r"\| \d+ ", line)]
        named = {name for row in rows for name in re.findall(r"`([^`]+)`", row[4])}
        self.assertGreater(len(named), 15)
        tests = [MODULE / "tests", ROOT / "scripts" / "emulator" / "tests", ROOT]
        missing = [name for name in sorted(named) if name not in runs and not any((folder / name).exists() for folder in tests)]
        self.assertEqual(missing, [])


class Upgrade(unittest.TestCase):
    def test_a_replaced_database_is_seen(self) -> None:
        def change(kind: str, *actions: str) -> dict[str, object]:
            return {"address": f"module.osmt.{kind}.main", "type": kind, "change": {"actions": list(actions)}}

        plan = {"resource_changes": [change("aws_db_instance", "delete", "create"), change("aws_ecs_task_definition", "create", "delete")]}
        self.assertEqual(upgrade.with_data(plan), ["module.osmt.aws_db_instance.main"])
        self.assertEqual(len(upgrade.replaced(plan)), 2)
        self.assertEqual(upgrade.with_data({"resource_changes": [change("aws_db_instance", "update")]}), [])


if __name__ == "__main__":
    unittest.main()
