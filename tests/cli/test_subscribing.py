"""`hub connections subscribe` and `unsubscribe`: the hub registers its own address."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap
from hub.sdk.declare import answers
from hub.sdk.play import Play, one_by_one
from hub.sdk.request import Answer
from tests.engine.platforms import KEY, letters


@pytest.fixture
def workspace(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace connected with Letters."""
    with (shop / "hub.yaml").open("a") as file:
        file.write(f"public_url: https://points.example.com\nconnections: {{letters: {{key: {KEY}}}}}\n")
    known = {**bootstrap.discover(), "letters": letters}
    for name in ("discover", "shelf"):
        monkeypatch.setattr(bootstrap, name, lambda *_: known)
    return shop


@pytest.fixture
def plays(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the platform answer so; gives what it was asked."""

    def play(*replies: Answer) -> Play:
        played = Play(one_by_one(replies))
        monkeypatch.setattr(bootstrap, "open_session", lambda **_: played.session())
        return played

    return play


def test_subscribing_tells_our_address_and_keeps_what_is_told(ask: Any, workspace: Path, plays: Any) -> None:
    """The key is kept encrypted, and used from the next start on; it is shown nowhere."""
    played = plays(answers(200, {"told_key": "fresh-key-7Qd2"}))
    told = ask("connections", "subscribe", "letters", "-w", workspace)
    assert json.loads(played.calls[0].body) == {"url": "https://points.example.com/hooks/letters"}
    assert (told["webhook_url"], told["kept"]) == ("https://points.example.com/hooks/letters", ["told_key"])
    assert "fresh-key" not in str(told)
    [seen] = ask("connections", "-w", workspace)
    assert seen["subscribed_at"] is not None
    [kept] = [one for one in ask("connections", "list", "-w", workspace) if one.get("setting") == "told_key"]
    assert "database" in str(kept)


def test_unsubscribing_takes_it_back(ask: Any, workspace: Path, plays: Any) -> None:
    """And it counts as subscribed no more."""
    plays(answers(200, {}), answers(204))
    ask("connections", "subscribe", "letters", "-w", workspace)
    ask("connections", "unsubscribe", "letters", "-w", workspace)
    [seen] = ask("connections", "-w", workspace)
    assert seen["subscribed_at"] is None


def test_a_platform_that_says_no_is_a_plain_error(hub: Any, ask: Any, workspace: Path, plays: Any) -> None:
    """With its reason, and nothing counts as done."""
    plays(answers(403, {"message": "not your webhook"}))
    assert "403" in hub("connections", "subscribe", "letters", "-w", workspace, code=1).stderr
    [seen] = ask("connections", "-w", workspace)
    assert seen["subscribed_at"] is None


def test_what_cannot_be_subscribed_is_told(hub: Any, shop: Path) -> None:
    """No public address, no such connection, nothing that a program can register."""
    with (shop / "hub.yaml").open("a") as file:
        file.write("connections:\n  till: {connector: webhook, webhook_secret: whsec_aGk=}\n")
    assert "no public_url" in hub("connections", "subscribe", "till", "-w", shop, code=1).stderr
    assert "no connection 'other'" in hub("connections", "subscribe", "other", "-w", shop, code=1).stderr
    with (shop / "hub.yaml").open("a") as file:
        file.write("public_url: https://points.example.com\n")
    assert "cannot be told by a program" in hub("connections", "subscribe", "till", "-w", shop, code=1).stderr
