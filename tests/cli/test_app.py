"""The command line as a whole: what there is, how failures look, which exit codes they have."""

from __future__ import annotations

import tempfile

import click
import pytest

from hub.cli import look
from hub.cli.app import SECTIONS, main

NAMED = {
    *("demo", "init", "run", "web", "worker", "check", "test", "schema", "send", "import", "pull", "events", "runs", "held"),
    *("replay", "trigger", "members", "connections", "connector", "ledger", "db"),
}


def every_command(group: click.Group, path: tuple[str, ...] = ()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))


def test_every_command_is_there(hub):
    """The commands that are promised are there, and the help shows each in a section with a sentence."""
    shown = hub("--help").stdout
    assert {name for section in SECTIONS.values() for name in section} >= NAMED
    for name in NAMED:
        assert f"\n  {name} " in shown


@pytest.mark.parametrize(("path", "command"), [pytest.param(*one, id=" ".join(one[0])) for one in every_command(main)])
def test_commands_are_alike(path, command):
    """Each command has a sentence; those that work on a workspace take it in the same way, results come as JSON too."""
    assert command.help
    options = {option for parameter in command.params for option in parameter.opts}
    if path[0] != "connector" and path not in {("demo",), ("ledger",), ("db",), ("keys",), ("recipes",)}:
        assert {"-w", "--workspace"} <= options
    if (
        path[0] not in {"run", "web", "worker", "init", "schema"}
        and not isinstance(command, click.Group)
        and path != ("connector", "new")
    ):
        assert "--json" in options


def test_no_workspace_is_a_sentence(hub, tmp_path):
    """Where there is no workspace, the answer is a sentence on standard error, and exit code 1."""
    result = hub("events", "-w", tmp_path, code=1)
    assert result.stdout == ""
    assert "hub init" in result.stderr


def test_nothing_recorded_is_a_sentence(hub, shop):
    """Looking creates no database."""
    assert "hub run" in hub("events", "-w", shop, code=1).stderr
    assert not (shop / "data").exists()


def test_a_wrong_call_ends_with_2(hub):
    """A call that is wrong as such says how it should be."""
    assert "No such command" in hub("evnts", code=2).stderr
    assert "No such option" in hub("events", "--no", code=2).stderr


def test_a_fault_of_the_hub_itself_shows_no_traceback(hub, shop, monkeypatch, tmp_path):
    """The unexpected is told shortly; the details are in a file."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def broken(folder: object) -> None:
        raise ZeroDivisionError("by accident")

    monkeypatch.setattr(look, "reading", broken)
    said = hub("events", "-w", shop, code=1).stderr
    assert "ZeroDivisionError" in said
    (log,) = tmp_path.glob("hub-*.log")
    assert str(log) in said.replace("\n", "")
    assert "by accident" in log.read_text("utf-8")
