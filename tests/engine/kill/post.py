"""Post: a messenger of nobody's that keeps idempotency keys and can be asked what it did, found as an installed package is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hub.sdk import CallKey, Client, Connector, Mirrored, Shown
from hub.sdk.declare import header, secrets

connector = Connector(
    "post", title="Post", settings=secrets("key"), api="https://post.example.com", idempotency=header("Idempotency-Key")
)


class Sent(BaseModel):
    letter_id: str


def _send(client: Client, to: str, text: str, reference: str) -> Sent:
    answer = client.post("/letters", json={"to": to, "text": text, "reference": reference})
    return Sent(letter_id=answer["id"])


@connector.action(repeat="keyed", channel="sms")
def send_keyed(client: Client, *, to: str, text: str) -> Sent:
    """Send where the platform keeps the key."""
    return _send(client, to, text, "")


@connector.action(repeat="never", channel="sms")
def send_checked(client: Client, key: CallKey, *, to: str, text: str) -> Sent:
    """Send where one can look whether it was done."""
    return _send(client, to, text, key)


@connector.lookup(send_checked)
def find_letter(client: Client, key: CallKey) -> Sent | None:
    """Whether it was sent."""
    found = client.get("/letters", query={"reference": key})["letters"]
    return Sent(letter_id=found[0]) if found else None


@connector.action(repeat="never", channel="sms")
def send_once(client: Client, *, to: str, text: str) -> Sent:
    """Send where nobody can say whether it was done."""
    return _send(client, to, text, "")


@connector.action(repeat="safe")
def set_mark(client: Client, *, name: str) -> Sent:
    """Set a mark, which twice is once."""
    return Sent(letter_id=client.put("/marks/{name}", at={"name": name}, json={"on": True})["id"])


@connector.action(repeat="safe")
def set_card(client: Client, *, number: str, fields: dict[str, str]) -> None:
    """Set what a card shows."""
    client.put("/cards/{number}", at={"number": number}, json=fields)


@connector.mirror(set_card)
def as_card(one: Mirrored) -> Mapping[str, Any] | None:
    """A member's card."""
    return {"number": one.customer.id, "fields": one.texts} if one.customer.id else None


@connector.mirrored
def shown_card(client: Client, one: Mirrored) -> Shown | None:
    """What a card shows."""
    found = client.get("/cards", query={"phone": one.customer.phone})["cards"] if one.customer.phone else []
    return Shown(found[0], one.customer.phone) if found else None


def install(folder: Path) -> Path:
    """Make a folder for PYTHONPATH in which the connectors of the tests are found as those of installed packages."""
    package = folder / "tests_of_the_hub-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: tests-of-the-hub\nVersion: 1.0\n", "utf-8")
    entries = "[hub]\ntill = tests.engine.platforms:till\npost = tests.engine.kill.post:connector\n"
    (package / "entry_points.txt").write_text(entries, "utf-8")
    return folder
