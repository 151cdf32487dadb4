"""The commands of the recipes are commands, with options that there are."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from regtui.cli.lazy import root
from regtui.cli.settings import SETTINGS

PAGES = ("recipes.md", "hooks.md", "report.md", "web.md")
DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"```(?:sh|yaml|console)\n(.*?)```", re.DOTALL)
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")


def commands() -> list[str]:
    """Return the command lines of the pages, without what is around them."""
    found = []
    for page in PAGES:
        for block in _BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
            for line in _EXPRESSION.sub("x", block).splitlines():
                told = re.search(r"(?:^|[$\s(-])(regtui [a-z].*)", line)
                if told is not None and not line.startswith("#"):
                    found.append(_alone(told[1]))
    return found


def _alone(line: str) -> str:
    """Return a command without redirections, what follows it, and the quotes around it."""
    line = re.split(r"\s(?:\|\|?|&&?|>{1,2})(?:\s|$)|\s#\s", line)[0].strip().removesuffix("&")
    if line.count('"') % 2:
        line = line.rpartition('"')[0]
    depth = line.count(")") - line.count("(")
    return line[:-depth].strip() if depth > 0 else line


def parse(line: str) -> None:
    """Parse a command line as it would be run; what is wrong with it is raised."""
    words = shlex.split(line)[1:]
    command: Any = root()
    context = None
    while True:
        context = command.make_context(command.name or "regtui", list(words), parent=context)
        if not hasattr(command, "resolve_command"):
            return
        words = [*context._protected_args, *context.args]
        _, command, words = command.resolve_command(context, words)


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_documentation_can_be_parsed(line: str) -> None:
    try:
        parse(line)
    finally:
        SETTINGS.reset()


def test_there_are_commands_to_look_at() -> None:
    assert len(commands()) > 40
