"""The `hub` command: what commands there are, and how a failure looks.

Exit codes: 0 done, 1 a problem was found, 2 the command was called wrongly, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import importlib
import logging
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

import click

from hub import __version__
from hub.cli.output import complain
from hub.errors import HubError
from hub.log import redact

SECTIONS: dict[str, dict[str, str]] = {
    "Start": {
        "demo": "hub.cli.demo:demo",
        "init": "hub.cli.init:init",
        "recipes": "hub.cli.recipes:recipes",
        "run": "hub.cli.serve:run",
    },
    "Write": {
        "check": "hub.cli.write:check",
        "test": "hub.cli.examples:test",
        "schema": "hub.cli.write:schema",
        "connector": "hub.cli.connector:connector",
        "connections": "hub.cli.connections:connections",
    },
    "Bring in": {
        "send": "hub.cli.send:send",
        "import": "hub.cli.bring:import_file",
        "pull": "hub.cli.bring:pull",
        "trigger": "hub.cli.act:trigger",
    },
    "Look": {
        "events": "hub.cli.look:events",
        "runs": "hub.cli.look:runs",
        "held": "hub.cli.held:held",
        "alerts": "hub.cli.alerts:alerts",
        "members": "hub.cli.members:members",
        "why": "hub.cli.why:why",
        "ledger": "hub.cli.ledger:ledger",
        "mirror": "hub.cli.mirror:mirror",
        "spend": "hub.cli.spend:spend",
    },
    "Look after": {
        "replay": "hub.cli.act:replay",
        "web": "hub.cli.serve:web",
        "worker": "hub.cli.serve:worker",
        "db": "hub.cli.db:db",
        "keys": "hub.cli.keys:keys",
    },
}
"""Every command by the section of the help in which it stands; its module is imported when it is asked for."""
_PLACES = {name: place for section in SECTIONS.values() for name, place in section.items()}


class Commands(click.Group):
    """The commands, grouped in the help, imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _PLACES:
            return None
        module, _, attribute = _PLACES[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section, commands in SECTIONS.items():
            found = [(name, self.get_command(ctx, name)) for name in commands]
            with formatter.section(section):
                formatter.write_dl([(name, command.get_short_help_str(88)) for name, command in found if command])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HubError as error:
            complain(str(error))
            sys.exit(1)
        except KeyboardInterrupt:
            sys.exit(130)
        except (click.ClickException, click.exceptions.Exit, click.Abort, OSError) as error:
            if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
                complain(f"{error.strerror or error}: {error.filename or 'no file named'}")
                sys.exit(1)
            raise
        except Exception as error:  # noqa: BLE001  the last one who can speak to the user
            complain(
                f"the hub met something that it does not understand: {type(error).__name__}. Details are in {_kept(error)}"
            )
            sys.exit(1)


def _kept(error: Exception) -> Path:
    """Where the traceback was written: on the user's machine, for nobody else's eyes."""
    with tempfile.NamedTemporaryFile("w", prefix="hub-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(redact("".join(traceback.format_exception(error))))
    return Path(file.name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hub")
def main() -> None:
    """Runs a loyalty programme by itself: hears what customers do, awards points, carries the answer back."""
    for name in ("hub", "connectors"):  # a command says itself what matters; `hub run` and its kin turn the log on
        logging.getLogger(name).addHandler(logging.NullHandler())
