"""What the documents point to is there: files, commands and their options."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from pipeline.__main__ import app
from pipeline.home import PROJECT_ROOT

DOCUMENTS = [
    PROJECT_ROOT / "README.md",
    PROJECT_ROOT / "CONTRIBUTING.md",
    *sorted((PROJECT_ROOT / "docs").glob("*.md")),
]
FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CALL = re.compile(r"(?:\$P|python -m pipeline)((?: [^\n]*)?)")
ROOT = typer.main.get_command(app)

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def calls(text: str) -> list[list[str]]:
    """The words after the program's name, of each call in a shell block."""
    found = []
    for language, block in FENCE.findall(text):
        if language == "sh":
            lines = [line for line in block.splitlines() if not re.match(r"\w+=\"", line)]
            found += [
                shlex.split(words.removesuffix("&"), comments=True)
                for words in CALL.findall("\n".join(lines))
            ]
    return found


def fault(words: list[str]) -> str | None:
    """What the command line does not know in a call; `None` if nothing."""
    command: Any = ROOT
    rest = list(words)
    while rest and hasattr(command, "commands") and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    known = {"--help"}.union(
        *(set(item.opts) | set(item.secondary_opts) for item in command.params)
    )
    options = [word.partition("=")[0] for word in rest if word.startswith("--")]
    unknown = [option for option in options if option not in known]
    if unknown:
        return f"no option {unknown[0]}"
    if hasattr(command, "commands") and not (options or command.invoke_without_command):
        return f"no command {' '.join(words)}"
    if hasattr(command, "commands") and rest and not rest[0].startswith("--"):
        return f"no command {' '.join(words)}"
    return None


@each_document
def test_links_point_to_files(document: Path) -> None:
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    targets = [
        target.partition("#")[0]
        for target in LINK.findall(text)
        if not re.match(r"[a-z]+:|#", target)
    ]
    missing = [target for target in targets if not (document.parent / target).is_file()]
    assert not missing


@each_document
def test_commands_and_options_exist(document: Path) -> None:
    found = calls(document.read_text(encoding="utf-8"))
    assert found or document.name != "README.md"
    faults = {shlex.join(words): fault(words) for words in found}
    assert not {call: reason for call, reason in faults.items() if reason}


@pytest.mark.parametrize("call", ["trane", "runs forget RUN", "train --epoch 3", "runs list --x=1"])
def test_a_wrong_call_would_be_found(call: str) -> None:
    assert fault(call.split())
