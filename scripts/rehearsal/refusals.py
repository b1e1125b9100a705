"""Does every mistake that the Terraform module can report have a case in which it is reported, and reported in its own words?

`terraform test` knows only which object failed: a case that was written for one validation of `var.config` passes as well
when another one of the same variable fails. So each case with `expect_failures` is run here without that line, in a file of
its own (a failed run ends its file), and what Terraform then reports is compared with every `error_message` of the module.

A case that expects a variable to fail is run with the module's variables alone: for these no provider is needed, whose schema
costs nearly two seconds of processor time a case.
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


def cases(tests: Path) -> Iterator[tuple[str, str, bool]]:
    """Each case with its mistake, as a file of its own, and whether it is a variable's mistake.

    The run that expects the failure is taken out of the given files.
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
    """What each case reported, from `terraform test -json`."""
    said: dict[str, str] = {}
    for line in output.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("type") == "diagnostic" and "@testrun" in message:
            diagnostic = message["diagnostic"]
            said[message["@testrun"]] = said.get(message["@testrun"], "") + f"{diagnostic['summary']} {diagnostic['detail']}\n"
    return said


def variables(module: Path) -> str:
    """The module's variables with their validations, and the locals that these use."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(module.glob("*.tf"))]
    blocks = "\n".join(block for text in texts for block in _VARIABLE.findall(text))
    used = {name: re.search(rf"^  {name} *= .*$", "\n".join(texts), re.MULTILINE) for name in re.findall(r"\blocal\.(\w+)", blocks)}
    lines = "\n".join(found[0] for found in used.values() if found)
    return f"{blocks}\nlocals {{\n{lines}\n}}\n"


def _run(program: str, module: Path, environment: dict[str, str], files: dict[str, str]) -> dict[str, str]:
    """Runs these cases in a folder of the module's copy; what each reported."""
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
    """Runs the cases in this copy of the module; what is left in its tests are the runs that must succeed."""
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
