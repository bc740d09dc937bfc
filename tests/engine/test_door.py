"""Door: what is genuine is kept byte for byte, however it comes; what is not leaves nothing behind."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.clock import VirtualClock
from hub.engine.door import Door, Knock, TurnedAway
from hub.engine.inbox import Inbox
from hub.errors import Refused
from hub.ids import Ids
from hub.sdk import Connection, Connector, Request, signature
from hub.sdk.settings import secrets
from hub.store.sqlite import SqliteStore

NOON = datetime(2026, 2, 6, 12, 0, tzinfo=UTC)
MOST = 100
SECRET = "t0ken +/=&é"


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    folder: Path = tmp_path_factory.mktemp("door")
    store = SqliteStore(folder / "inbox.db", "inbox")
    store.migrate()
    clock = VirtualClock(NOON)
    made = Inbox(store, clock, Ids(clock, random.Random(1)), lambda: None)
    yield made
    made.close()
    store.close()


@pytest.fixture(scope="module")
def door(inbox: Inbox) -> Door:
    proofs = {
        "asker": signature.token("secret", query="key"),
        "signer": signature.hmac("X-Sign", "secret", signed="{url}{body}"),
    }
    connections = {}
    for name, proof in proofs.items():
        connector = Connector(name, title=name, settings=secrets("secret"), signature=proof)
        connections[name] = Connection(name, connector, connector.settings.read({"secret": SECRET}))
    return Door(inbox, connections, VirtualClock(NOON), "https://points.example.com/", MOST)


def in_pieces(body: bytes, sizes: list[int]) -> Callable[[int], bytes]:
    """Reads as a network does: as much as has come, never more than was asked for."""
    source, left = io.BytesIO(body), iter(sizes)
    return lambda size: source.read(min(size, next(left, size)))


def knock(body: bytes, length: int | None, sizes: list[int], query: str = f"key={quote(SECRET)}") -> Knock:
    return Knock("POST", "asker", None, query, {}, length, in_pieces(body, sizes))


@given(body=st.binary(max_size=MOST), sizes=st.lists(st.integers(1, 20)), says=st.booleans())
@settings(max_examples=50)
def test_a_body_is_kept_whole_however_it_comes(door: Door, inbox: Inbox, body: bytes, sizes: list[int], says: bool) -> None:
    """Whatever the bytes, the pieces they come in, and whether their number was announced."""
    before = inbox.last_seq()
    assert door.receive(knock(body, len(body) if says else None, sizes)).outcome == "kept"
    assert [one.body for one in inbox.after(before, 10)] == [body]


@given(length=st.integers(0, 10 * MOST), body=st.binary(max_size=3 * MOST), sizes=st.lists(st.integers(1, 50)))
@settings(max_examples=50)
def test_what_is_said_of_the_length_is_held_against_what_comes(
    door: Door, inbox: Inbox, length: int, body: bytes, sizes: list[int]
) -> None:
    """Too much is 413, too little is 400; neither is kept. What comes beyond the announced end is not looked at."""
    before = inbox.last_seq()
    try:
        outcome = door.receive(knock(body, length, sizes)).outcome
    except TurnedAway as error:
        outcome = error.outcome
    assert outcome == ("too_large" if length > MOST else "cut_off" if len(body) < length else "kept")
    assert [one.body for one in inbox.after(before, 10)] == ([body[:length]] if outcome == "kept" else [])


@given(
    where=st.sampled_from(["X-Other", "name", "value"]),
    write=st.sampled_from([quote, quote_plus, lambda text: "".join(f"%{byte:02x}" for byte in text.encode())]),
    around=st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=5),
)
@settings(max_examples=40)
def test_the_secret_is_kept_nowhere(door: Door, inbox: Inbox, where: str, write: Callable[[str], str], around: str) -> None:
    """Wherever a genuine delivery repeats the secret, and however it writes it in the query, the row does not have it."""
    written = around + write(SECRET)
    query = {"name": f"{written}=1", "value": f"a={written}"}.get(where, "")
    headers = {"x-other": f"{around}{SECRET}", "content-type": "application/json"} if where == "X-Other" else {}
    before = inbox.last_seq()
    door.receive(Knock("POST", "asker", None, f"key={write(SECRET)}&{query}", headers, 2, io.BytesIO(b"{}").read))
    (kept,) = inbox.after(before, 10)
    assert written not in kept.query
    assert SECRET not in str(kept.headers)
    assert "t0ken" not in kept.query


def test_the_signed_address_is_the_public_one(door: Door) -> None:
    """The configured URL, the path as it stands in a URL, and the query as it was sent."""
    url = "https://points.example.com/hooks/signer/a%20b?x=%2F&y"
    genuine = Request("POST", "", "", {}, b"{}", NOON, url)
    connection = door.connections["signer"]
    headers = connection.connector.sign(genuine, connection, NOON).headers
    assert door.receive(Knock("POST", "signer", "a b", "x=%2F&y", headers, 2, io.BytesIO(b"{}").read)).outcome == "kept"
    with pytest.raises(Refused):
        door.receive(Knock("POST", "signer", "a b", "x=/&y", headers, 2, io.BytesIO(b"{}").read))


def test_strangers_are_turned_away_before_anything_is_read(door: Door) -> None:
    """An unknown name or an odd method costs us nothing."""

    def read(size: int) -> bytes:
        raise AssertionError("nothing is to be read")

    for method, name, outcome in (("POST", "nobody", "unknown"), ("PUT", "asker", "wrong_method")):
        with pytest.raises(TurnedAway) as turned:
            door.receive(Knock(method, name, None, "", {}, 5, read))
        assert turned.value.outcome == outcome
