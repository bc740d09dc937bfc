"""What README.md and docs/ show exists: commands, options, files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hub.cli.app import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(?:\$ )?(hub [^`]+)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def commands() -> Iterator[tuple[str, str]]:
    """Every command line that a page shows, with the page's name."""
    for page in PAGES:
        text = page.read_text("utf-8")
        lines = [line for block in _BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines()]
        lines += [found.replace("\n", " ") for found in _INLINE.findall(_BLOCK.sub("", text))]
        for line in lines:
            for part in line.removeprefix("$ ").split("&&"):
                words = part.split("#")[0].strip()
                if re.match(r"(\.venv/bin/)?hub ", words):
                    yield page.name, words.removeprefix(".venv/bin/")


@pytest.mark.parametrize(("page", "line"), [pytest.param(page, line, id=f"{page}: {line}") for page, line in commands()])
def test_every_command_that_is_shown_exists(page, line):
    """A command line of a page names a command that there is, with options and arguments that it takes."""
    command: click.Command = main
    words = shlex.split(line)[1:]
    context = click.Context(command, info_name="hub")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None, f"{page} shows `{line}`: there is no such command"
        command, context = found, click.Context(found, info_name=found.name, parent=context)
    options = {name: option for option in command.params for name in (*option.opts, *option.secondary_opts)}
    for word in words:
        name = word.partition("=")[0]
        if name.startswith("-") and name not in ("-h", "--help"):
            assert name in options, f"{page} shows `{line}`: there is no option {name}"


def test_pages_show_commands():
    """The test above has something to look at."""
    assert len(list(commands())) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    """A link to a file of the project names one that there is."""
    for target in _LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_two_commands_are_single_lines():
    """One line makes the environment and runs the demo, one makes it and runs the tests; CI takes the second from there."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("python3 -m venv") and line.endswith("hub demo")]
    assert len([line for line in lines if line.startswith("python3 -m venv") and line.endswith("pytest")]) == 1
