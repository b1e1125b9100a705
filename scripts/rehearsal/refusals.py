"""Checks that the tests of the Terraform module trigger every `error_message` of the module.

`expect_failures` of `terraform test` only names the object that fails: a case for one validation of `var.config` also passes if another
validation of the variable fails. So this module runs each case without `expect_failures`, in a separate file (a failed run ends its
file), and compares the reported messages with every `error_message`.

Cases of variables are run with a module that contains only the variables. It needs no provider, whose schema takes nearly two seconds
of processor time per case.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

_RUN = re.compile(r'^run "(?P<name>\w+)" \{\n.*?^\}\n', re.MULTILINE | re.DOTALL)
_EXPECTED = re.compile(r"^  expect_failures = \[.*?\]\n", re.MULTILINE | re.DOTALL)
_MESSAGE = re.compile(r'^ *error_message *= *"(?P<text>.*)"$', re.MULTILINE)
_VARIABLE = re.compile(r'^variable "\w+" \{\n.*?^\}\n', re.MULTILINE | re.DOTALL)
_MIN_CASES = 60


def messages(module: Path) -> list[tuple[str, str]]:
    """The text of each `error_message` before its first interpolation, with the file."""
    return [
        (match["text"].split("${")[0].replace('\\"', '"').strip(), file.name)
        for file in sorted(module.glob("*.tf"))
        for match in _MESSAGE.finditer(file.read_text(encoding="utf-8"))
    ]


def only_at_apply() -> set[str]:
    """The beginnings of messages that only an apply can trigger."""
    return {"The app does not run the planned", "Elasticsearch does not run the planned"}


def cases(tests: Path) -> Iterator[tuple[str, str, bool]]:
    """The name of each case with `expect_failures`, its text as a separate file, and whether a variable is expected to fail.

    Removes these cases from the given files.
    """
    for file in sorted(tests.glob("*.tftest.hcl")):
        text = file.read_text(encoding="utf-8")
        preamble = text[: text.index('\nrun "')] if '\nrun "' in text else text
        kept = text
        for run in _RUN.finditer(text):
            expected = _EXPECTED.search(run[0])
            if expected:
                kept = kept.replace(run[0], "")
                of_variable = re.fullmatch(r"  expect_failures = \[var\.\w+\]\n", expected[0]) is not None
                mistaken = _EXPECTED.sub("", run[0])
                yield run["name"], mistaken if of_variable else f"{preamble}\n{mistaken}", of_variable
        file.write_text(kept, encoding="utf-8")


def reported(output: str) -> dict[str, str]:
    """The messages of each case, from the output of `terraform test -json`."""
    said: dict[str, str] = {}
    for line in output.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("type") == "diagnostic" and "@testrun" in message:
            diagnostic = message["diagnostic"]
            said[message["@testrun"]] = said.get(message["@testrun"], "") + f"{diagnostic['summary']} {diagnostic['detail']}\n"
    return said


def variables(module: Path) -> str:
    """The module's variables with their validations, and the locals that they use."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(module.glob("*.tf"))]
    blocks = "\n".join(block for text in texts for block in _VARIABLE.findall(text))
    used = {name: re.search(rf"^  {name} *= .*$", "\n".join(texts), re.MULTILINE) for name in re.findall(r"\blocal\.(\w+)", blocks)}
    lines = "\n".join(found[0] for found in used.values() if found)
    return f"{blocks}\nlocals {{\n{lines}\n}}\n"


def _run(program: str, module: Path, environment: dict[str, str], files: dict[str, str]) -> dict[str, str]:
    """Runs cases in a folder of the module's copy. Returns the messages of each."""
    folder = module / "refusals"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.tftest.hcl").write_text(text, encoding="utf-8")
    values = (module / "tests" / "defaults.auto.tfvars.json").read_text(encoding="utf-8")
    (folder / "defaults.auto.tfvars.json").write_text(values, encoding="utf-8")
    ran = subprocess.run(
        [program, f"-chdir={module}", "test", "-json", f"-test-directory={folder.name}"],
        env=environment, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return reported(ran.stdout)


def check(program: str, module: Path, environment: dict[str, str]) -> int:
    """Runs the cases in this copy of the module, and removes them from its tests."""
    found = list(cases(module / "tests"))
    names = [name for name, _, _ in found]
    with tempfile.TemporaryDirectory(prefix="osmt-variables-") as place:
        alone = Path(place)
        (alone / "variables.tf").write_text(variables(module), encoding="utf-8")
        (alone / "tests").mkdir()
        shutil.copy2(module / "tests" / "defaults.auto.tfvars.json", alone / "tests")
        without_provider = environment | {"TF_DATA_DIR": str(alone / "data")}
        subprocess.run([program, f"-chdir={alone}", "init", "-backend=false"], env=without_provider, check=True, capture_output=True)
        said = _run(program, alone, without_provider, {name: text for name, text, of_variable in found if of_variable})
    said |= _run(program, module, environment, {name: text for name, text, of_variable in found if not of_variable})
    faults = [f"{name}: no message was reported" for name in names if name not in said]
    everything = "\n".join(said.values())
    flat = re.sub(r"\s+", " ", everything)
    for words, file in messages(module):
        if not any(words.startswith(beginning) for beginning in only_at_apply()) and re.sub(r"\s+", " ", words) not in flat:
            faults.append(f"{file}: no case triggers this message: {words}")
    if len(names) < _MIN_CASES:
        faults.append(f"only {len(names)} cases were found: the tests were not parsed")
    for fault in faults:
        print(fault)
    print(f"refusals: {len(names)} cases, {len(messages(module))} messages, {len(faults)} faults")
    return 1 if faults else 0
