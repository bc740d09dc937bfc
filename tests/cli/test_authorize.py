"""`hub connections authorize`: a person agrees in a browser, and the tokens are kept, encrypted."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import pytest
from click.testing import CliRunner, Result

from hub import bootstrap
from hub.cli.app import main
from hub.sdk.declare import answers
from hub.sdk.play import Called, Play
from hub.sdk.request import Answer
from tests.vault.test_tokens import BOOKS

BACK = "https://points.example.com/oauth/callback"
Agree = Callable[[dict[str, str]], str]


@pytest.fixture
def books(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a connection that a person has to authorise."""
    with (shop / "hub.yaml").open("a") as file:
        file.write("public_url: https://points.example.com\nconnections: {books: {client_id: hub, client_secret: cs-7Qd2}}\n")
    known = {**bootstrap.discover(), "books": BOOKS}
    for name in ("discover", "shelf"):
        monkeypatch.setattr(bootstrap, name, lambda *_: known)
    return shop


@pytest.fixture
def authorize(books: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Calls the command as a person who opens the address and pastes where they were led."""

    def call(agree: Agree, *words: str, reply: Answer | None = None) -> Result:
        asked: dict[str, str] = {}

        def prompt(text: str, **_: Any) -> str:
            return agree(asked)

        def shown(console: Any, text: str = "", **_: Any) -> None:
            if "id.example.com/authorize?" in text:
                asked.update({name: values[0] for name, values in parse_qs(urlsplit(text.strip()).query).items()})

        def respond(called: Called, before: int) -> Answer:
            form = {name: values[0] for name, values in parse_qs(called.body.decode()).items()}
            challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
            assert (form["code"], form["redirect_uri"], challenge) == ("c0de-7Qd2", BACK, asked["code_challenge"])
            given = {"access_token": "acc-7Qd2", "refresh_token": "ref-7Qd2", "expires_in": 3600}
            return reply or answers(200, given)

        monkeypatch.setattr(click, "prompt", prompt)
        monkeypatch.setattr("rich.console.Console.print", shown)
        monkeypatch.setattr(bootstrap, "open_session", lambda **_: Play(respond).session())
        return CliRunner().invoke(main, ["connections", "authorize", "books", "-w", str(books), *words])

    return call


def test_an_agreement_becomes_an_encrypted_token(authorize: Any, ask: Any, books: Path) -> None:
    """With PKCE, and with when it ends; neither code nor token stands anywhere."""
    result = authorize(lambda asked: f"{BACK}?code=c0de-7Qd2&state={asked['state']}", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["connection"] == "books"
    [seen] = ask("connections", "-w", books)
    assert seen["access_expires_at"] == told["expires_at"]
    kept = b"".join(path.read_bytes() for path in (books / "data").iterdir() if path.is_file())
    for secret in ("acc-7Qd2", "ref-7Qd2", "c0de-7Qd2"):
        assert secret not in result.output
        assert secret.encode() not in kept
    rotated = ask("keys", "rotate", "-w", books)
    assert (rotated["secrets"], rotated["unread"]) == (1, [])


@pytest.mark.parametrize(
    ("agree", "says"),
    [
        (lambda asked: f"{BACK}?code=c0de-7Qd2&state=another", "its `state` is another"),
        (lambda asked: "c0de-7Qd2", "its `state` is another"),
        (lambda asked: f"{BACK}?error=access_denied&state={asked['state']}", "did not agree: access_denied"),
        (lambda asked: f"{BACK}?state={asked['state']}", "it names no code"),
    ],
)
def test_what_is_no_answer_to_this_request_is_refused(authorize: Any, ask: Any, books: Path, agree: Agree, says: str) -> None:
    """A forged or foreign address connects nothing."""
    result = authorize(agree)
    assert result.exit_code == 1
    [seen] = ask("connections", "-w", books)
    assert seen["access_expires_at"] is None


def test_a_connection_that_needs_nobody_is_told(hub: Any, shop: Path) -> None:
    """Most platforms have an API key."""
    with (shop / "hub.yaml").open("a") as file:
        file.write("connections: {square: {access_token: sq0}}\n")
    assert "needs nobody's agreement" in hub("connections", "authorize", "square", "-w", shop, code=1).stderr
    assert "no connection 'other'" in hub("connections", "authorize", "other", "-w", shop, code=1).stderr
