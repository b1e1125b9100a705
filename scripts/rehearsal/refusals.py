"""Does every mistake that the Terraform module can report have a case in which it is reported, and reported in its own words?

`terraform test` knows only which object failed: a case that was written for one validation of `var.config` passes as well
when another one of the same variable fails. So each case with `expect_failures` is run here without that line, in a file of
its own (a failed run ends its file), and what Terraform then reports is compared with every `error_message` of the module.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

_RUN = re.compile(r'^run "(?P<name>\w+)" \{\n.*?^\}\n', re.MULTILINE | re.DOTALL)
_EXPECTED = re.compile(r"^  expect_failures = \[.*?\]\n", re.MULTILINE | re.DOTALL)
_MESSAGE = re.compile(r'^ *error_message *= *"(?P<text>.*)"$', re.MULTILINE)
_FEWEST = 60


def messages(module: Path) -> list[tuple[str, str]]:
    """What the module can say, as the words before the first value in it, each with the file that says it."""
    return [
        (match["text"].split("${")[0].replace('\\"', '"').strip(), file.name)
        for file in sorted(module.glob("*.tf"))
        for match in _MESSAGE.finditer(file.read_text(encoding="utf-8"))
    ]


def never_reported_here() -> set[str]:
    """The beginnings of messages that only a real apply can bring."""
    return {"The app does not run the revision asked for", "Elasticsearch does not run the revision asked for"}


def cases(tests: Path) -> Iterator[tuple[str, str]]:
    """Each case with its mistake, as a file of its own; the run that expects the failure is taken out of the given files."""
    for file in sorted(tests.glob("*.tftest.hcl")):
        text = file.read_text(encoding="utf-8")
        preamble = text[: text.index('\nrun "')] if '\nrun "' in text else text
        kept = text
        for run in _RUN.finditer(text):
            if _EXPECTED.search(run[0]):
                kept = kept.replace(run[0], "")
                yield run["name"], f"{preamble}\n{_EXPECTED.sub('', run[0])}"
        file.write_text(kept, encoding="utf-8")


def reported(output: str) -> dict[str, str]:
    """What each case reported, from `terraform test -json`."""
    said: dict[str, str] = {}
    for line in output.splitlines():
        told = json.loads(line) if line.startswith("{") else {}
        if told.get("type") == "diagnostic" and "@testrun" in told:
            diagnostic = told["diagnostic"]
            said[told["@testrun"]] = said.get(told["@testrun"], "") + f"{diagnostic['summary']} {diagnostic['detail']}\n"
    return said


def check(command: list[str], module: Path, environment: dict[str, str]) -> int:
    """Runs the cases in this copy of the module; what is left in its tests are the runs that must succeed."""
    folder = module / "refusals"
    folder.mkdir()
    names = []
    for name, text in cases(module / "tests"):
        (folder / f"{name}.tftest.hcl").write_text(text, encoding="utf-8")
        names.append(name)
    values = (module / "tests" / "defaults.auto.tfvars.json").read_text(encoding="utf-8")
    (folder / "defaults.auto.tfvars.json").write_text(values, encoding="utf-8")
    ran = subprocess.run(
        [*command, "test", "-json", f"-test-directory={folder.name}"],
        env=environment, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    said = reported(ran.stdout)
    faults = [f"{name}: nothing was reported" for name in names if name not in said]
    everything = "\n".join(said.values())
    flat = re.sub(r"\s+", " ", everything)
    for words, file in messages(module):
        if not any(words.startswith(beginning) for beginning in never_reported_here()) and re.sub(r"\s+", " ", words) not in flat:
            faults.append(f"{file}: no case brings this message: {words}")
    if len(names) < _FEWEST:
        faults.append(f"only {len(names)} cases were found: the tests were not read")
    for fault in faults:
        print(fault)
    print(f"refusals: {len(names)} cases, {len(messages(module))} messages, {len(faults)} faults")
    return 1 if faults else 0
