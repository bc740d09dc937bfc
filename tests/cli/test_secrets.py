"""Secrets from the command line: set from standard input, listed without their values, rotated."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli.app import main

TOKEN = "sq0-shown-nowhere"
Call = Callable[..., Result]


@pytest.fixture
def keep(shop: Path) -> Callable[..., Result]:
    """`hub connections set`, with the value on standard input."""

    def call(connection: str, setting: str, value: str, code: int = 0) -> Result:
        words = ["connections", "set", connection, setting, "-w", str(shop)]
        result = CliRunner().invoke(main, words, input=value)
        assert result.exit_code == code, result.output
        assert not value.strip() or value.strip() not in result.output
        return result

    return call


@pytest.fixture
def square(shop: Path) -> Path:
    """The workspace with a connection that says nothing of itself."""
    with (shop / "hub.yaml").open("a") as file:
        file.write("connections: {square: {}}\n")
    return shop


def test_what_is_missing_is_named_until_it_is_set(ask: Any, keep: Call, square: Path) -> None:
    """`hub check` names the secret that nothing says; when it is set, it is content."""
    [warning, *_] = ask("check", "-w", square)["warnings"]
    assert "connection square waits for access_token (" in warning
    keep("square", "access_token", TOKEN + "\n")
    assert not [one for one in ask("check", "-w", square)["warnings"] if "waits" in one]
    [told] = ask("connections", "-w", square)
    assert told["missing"] == []


def test_the_list_says_where_each_comes_from_and_never_what_it_is(ask: Any, hub: Any, keep: Call, square: Path) -> None:
    """Which is set, with which key, by whom and when."""
    keep("square", "access_token", TOKEN)
    told = {one["setting"]: one for one in ask("connections", "list", "-w", square)}
    assert (told["access_token"]["from"], told["webhook_signature_key"]["from"]) == ("database", "")
    assert told["access_token"]["key_id"] == ask("keys", "list", "-w", square)[0]["key_id"]
    assert told["access_token"]["set_at"]
    for shown in (hub("connections", "list", "-w", square).stdout, json.dumps(told), hub("keys", "list", "-w", square).stdout):
        assert TOKEN not in shown
        assert (square / "data" / "secret.key").read_text().strip() not in shown


def test_hub_yaml_wins_and_that_is_said(keep: Call, shop: Path) -> None:
    """Nobody wonders why what was set is not used."""
    with (shop / "hub.yaml").open("a") as file:
        file.write("connections: {square: {access_token: in-the-file, webhook_signature_key: there-too}}\n")
    assert "hub.yaml says it too, and wins" in keep("square", "access_token", TOKEN).output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["square", "acces_token", TOKEN], "did you mean `access_token`?"),
        (["sqare", "access_token", TOKEN], "There is no connection 'sqare'"),
        (["square", "connector", "stripe"], "There is a connection square already"),
        (["till", "connector", "none-such"], "There is no connector of that name"),
        (["Till!", "connector", "square"], "cannot be a connection's name"),
        (["square", "access_token", "\n"], "Nothing was given"),
    ],
)
def test_what_cannot_be_set_is_refused(keep: Call, ask: Any, square: Path, words: list[str], says: str) -> None:
    """With the way out; nothing is kept."""
    assert says in keep(*words, code=1).output
    assert {one["from"] for one in ask("connections", "list", "-w", square)} <= {"not set", ""}


def test_a_connection_is_made_and_taken_away_without_hub_yaml(ask: Any, hub: Any, keep: Call, shop: Path) -> None:
    """Its connector is set first."""
    keep("till", "connector", "square")
    keep("till", "access_token", TOKEN)
    [told] = ask("connections", "-w", shop)
    assert (told["name"], told["connector"], told["missing"]) == ("till", "square", [])
    hub("connections", "unset", "till", "access_token", "-w", shop)
    hub("connections", "unset", "till", "connector", "-w", shop)
    assert ask("connections", "-w", shop) == []
    assert "keeps no `connector`" in hub("connections", "unset", "till", "connector", "-w", shop, code=1).stderr


def test_a_rotation_leaves_one_new_key(ask: Any, keep: Call, square: Path) -> None:
    """The old one is dropped, and everything is under the new one."""
    keep("square", "access_token", TOKEN)
    [before] = ask("keys", "list", "-w", square)
    told = ask("keys", "rotate", "-w", square)
    assert told["dropped"] == [before["key_id"]]
    [after] = ask("keys", "list", "-w", square)
    assert (after["key_id"], after["in_use"], after["secrets"]) == (told["key_id"], True, 1)


def test_keys_of_the_environment_are_rotated_by_the_admin(
    ask: Any, hub: Any, keep: Call, square: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`new,old` in HUB_SECRET_KEY; a workspace that had a key file has none afterwards."""
    keep("square", "access_token", TOKEN)
    old, new = (chr(letter) * 43 + "=" for letter in b"AE")
    monkeypatch.setenv("HUB_SECRET_KEY", old)
    assert len(ask("keys", "rotate", "-w", square)["dropped"]) == 1
    assert not (square / "data" / "secret.key").exists()
    assert "holds no new key" in hub("keys", "rotate", "-w", square, code=1).stderr
    monkeypatch.setenv("HUB_SECRET_KEY", f"{new},{old}")
    assert "take it out of HUB_SECRET_KEY" in hub("keys", "rotate", "-w", square).stdout
    monkeypatch.setenv("HUB_SECRET_KEY", new)
    assert {one["from"] for one in ask("connections", "list", "-w", square) if one["key_id"]} == {"database"}


def test_a_lost_key_is_told(ask: Any, hub: Any, keep: Call, square: Path) -> None:
    """By every command that looks, with the secrets that cannot be read; none of them stops."""
    keep("square", "access_token", TOKEN)
    (square / "data" / "secret.key").unlink()
    assert "secret:square/access_token is encrypted with the key" in ask("check", "-w", square)["warnings"][0]
    assert "`access_token` of square cannot be read" in hub("keys", "list", "-w", square).stdout
    assert {one["from"] for one in ask("connections", "list", "-w", square)} >= {"lost key"}
    keep("square", "access_token", TOKEN)
    assert "lost key" not in {one["from"] for one in ask("connections", "list", "-w", square)}


KILLED = """
import os, signal, sys
from pathlib import Path
from hub.cli.app import main
from hub.vault import rotation
from hub import bootstrap

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

where = sys.argv.pop()
if where == "in the file":
    Path.replace = die
elif where == "before everything is sealed anew":
    bootstrap.Hub.do = die
elif where == "before the old key goes":
    rotation.end = die
main(["keys", "rotate", "-w", sys.argv[1]])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 there")
@pytest.mark.parametrize("where", ["in the file", "before everything is sealed anew", "before the old key goes"])
def test_a_rotation_that_is_killed_can_be_given_again(ask: Any, keep: Call, square: Path, where: str) -> None:
    """`kill -9` between any two steps: the secret can be read, and one more rotation leaves one key."""
    keep("square", "access_token", TOKEN)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(square), where], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert {one["from"] for one in ask("connections", "list", "-w", square)} == {"database", ""}
    ask("keys", "rotate", "-w", square)
    [key] = ask("keys", "list", "-w", square)
    assert (key["in_use"], key["secrets"]) == (True, 1)


def test_who_needs_reconnecting_is_told_with_the_recipes_that_stop(ask: Any, hub: Any, keep: Call, square: Path) -> None:
    """Nobody has to find out which."""
    keep("square", "access_token", TOKEN)
    text = "recipe: mirror\nwhen: square.payment_completed\ndo:\n  - award: {points: 1, reason: x}\n"
    (square / "recipes" / "mirror.yaml").write_text(text, "utf-8")
    database = sqlite3.connect(square / "data" / "hub.db")
    with database:
        row = "INSERT INTO connection_health VALUES ('square', 'needs_reconnecting', 1, NULL, NULL, NULL, 'it was revoked.')"
        database.execute(row)
    database.close()
    [told] = ask("connections", "-w", square)
    assert (told["state"], told["stops"]) == ("needs_reconnecting", ["mirror"])
    assert "it was revoked. Recipes that stop: mirror." in " ".join(hub("connections", "-w", square).stdout.split())
