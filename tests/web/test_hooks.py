"""Hooks: genuine deliveries are kept and thanked for; all else is turned away with a clear problem and leaves no row."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hub import log
from hub.errors import Unavailable, Unreadable

if TYPE_CHECKING:
    from tests.web.conftest import Site

Refuses = Callable[..., None]
BODY = b'{"type": "payment", "amount": 1850}'
URL = "/hooks/shop"


def test_a_genuine_delivery_is_kept_and_thanked_for(site: Site) -> None:
    """The raw bytes are in the inbox before the platform hears its own form of thanks."""
    heard = site.deliver(BODY)
    assert (heard.status, heard.json) == (200, {"thanks": "/hooks/shop"})
    assert heard.headers["Content-Type"] == "application/json"
    (kept,) = site.world.kept()
    assert (kept.kind, kept.connection, kept.method, kept.path, kept.body) == ("http", "shop", "POST", URL, BODY)
    assert kept.received_at == site.world.clock.now()
    assert kept.headers["x-shop-time"]


def test_the_signature_covers_the_configured_address_with_its_query(site: Site) -> None:
    """Not the host that the request names, but the public URL that the platform was told is what is signed; the query too."""
    assert site.deliver(BODY, f"{URL}?topic=a%20b&x=%C3%A4", base_url="http://10.0.0.7:8000/").status == 200
    assert site.world.kept()[0].query == "topic=a%20b&x=%C3%A4"


def test_a_delivery_to_another_query_is_refused(site: Site, refuses: Refuses) -> None:
    """A query that was changed on the way is not what was signed."""
    refuses(site.call("POST", f"{URL}?a=2", BODY, site.signed(BODY, f"{URL}?a=1")), 401)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"X-Shop-Signature": ""}, "X-Shop-Signature"),
        ({"X-Shop-Signature": "0" * 64}, ""),
        ({"X-Shop-Signature": "not hex"}, ""),
        ({"X-Shop-Signature": "é" * 64}, "X-Shop-Signature"),
        ({"X-Shop-Signature": "a" * 100_000}, ""),
        ({"X-Shop-Time": ""}, "X-Shop-Time"),
        ({"X-Shop-Time": "yesterday"}, "time"),
        ({"X-Shop-Time": "9" * 400}, "time"),
        ({"X-Shop-Time": "é"}, "X-Shop-Time"),
        ({"X-Shop-Time": "1770379201"}, ""),
    ],
    ids=["empty", "wrong", "malformed", "foreign", "endless", "no-time", "no-number", "far-time", "foreign-time", "other-time"],
)
def test_a_forged_signature_is_refused(site: Site, refuses: Refuses, change: dict[str, str], word: str) -> None:
    """Whatever is wrong with the proof: 401, what is wrong and what to do."""
    heard = site.call("POST", URL, BODY, site.signed(BODY) | {name.lower(): value for name, value in change.items()})
    refuses(heard, 401, word)
    assert "hub connections" in heard.json["hint"]


def test_a_delivery_without_any_proof_is_refused(site: Site, refuses: Refuses) -> None:
    """No headers at all: the problem names the one that is missing."""
    refuses(site.call("POST", URL, BODY), 401, "X-Shop-Signature")


def test_a_signature_with_another_secret_is_refused(site: Site, refuses: Refuses) -> None:
    """Right in form, made by somebody else."""
    refuses(site.call("POST", URL, BODY, site.signed(BODY, secret="guessed")), 401)


def test_an_altered_body_is_refused(site: Site, refuses: Refuses) -> None:
    """One digit of the amount, and the signature no longer matches."""
    refuses(site.call("POST", URL, BODY.replace(b"1850", b"9850"), site.signed(BODY)), 401)


@pytest.mark.parametrize("minutes", [-10, 10], ids=["stale", "from the future"])
def test_a_delivery_from_another_time_is_refused(site: Site, refuses: Refuses, minutes: int) -> None:
    """A genuine delivery that was recorded and is sent again much later does not count."""
    at = site.world.clock.now() + timedelta(minutes=minutes)
    refuses(site.call("POST", URL, BODY, site.signed(BODY, at=at)), 401)


STRANGE_BODIES = {
    "empty": b"",
    "not JSON": b"<html>",
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "deeply nested": b"[" * 9_000 + b"]" * 9_000,
    "NUL bytes": b"\x00" * 100,
    "NaN": b'{"amount": NaN}',
}


@pytest.mark.parametrize("body", STRANGE_BODIES.values(), ids=STRANGE_BODIES)
def test_a_strange_body_without_proof_is_refused(site: Site, refuses: Refuses, body: bytes) -> None:
    """What cannot be read is not read: it is refused for the lack of proof, like anything else."""
    refuses(site.call("POST", URL, body), 401)


@pytest.mark.parametrize("body", STRANGE_BODIES.values(), ids=STRANGE_BODIES)
def test_a_strange_body_with_proof_is_kept(site: Site, body: bytes) -> None:
    """A genuine delivery is acknowledged and kept whatever is in it; reading it is the worker's affair."""
    assert site.deliver(body).status == 200
    assert [one.body for one in site.world.kept()] == [body]


def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(site: Site) -> None:
    """The limit is exact."""
    most = site.world.door.body_bytes_most
    assert site.deliver(b"x" * most).status == 200
    assert site.deliver(b"x" * (most + 1)).status == 413
    assert len(site.world.kept()) == 1


class Endless(io.RawIOBase):
    """A body that never ends, and knows how much of it was read."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0
        self.given += size
        return b"x" * size


def test_a_huge_body_is_not_read(site: Site, refuses: Refuses) -> None:
    """When the sender says that it is too large, not one byte is read."""
    body = Endless()
    heard = site.call("POST", URL, environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(10**12)})
    refuses(heard, 413, "1000000000000", "20000")
    assert body.given == 0


@pytest.mark.parametrize("length", [{"CONTENT_LENGTH": ""}, {}], ids=["empty length", "no length"])
def test_a_body_without_end_is_read_up_to_the_limit(site: Site, refuses: Refuses, length: dict[str, str]) -> None:
    """A chunked body that goes on is cut off by us, one byte past the limit."""
    body = Endless()
    heard = site.call("POST", URL, environ_overrides={"wsgi.input": body, "wsgi.input_terminated": True, **length})
    refuses(heard, 413)
    assert body.given <= 20_001


def test_a_body_shorter_than_announced_is_refused(site: Site, refuses: Refuses) -> None:
    """A connection that broke half-way is not taken for a whole delivery."""
    body = {"wsgi.input": io.BytesIO(BODY[:10]), "CONTENT_LENGTH": str(len(BODY))}
    refuses(site.call("POST", URL, headers=site.signed(BODY), environ_overrides=body), 400, "10 came")


def test_no_more_is_read_than_announced(site: Site) -> None:
    """Bytes after the announced end belong to somebody else."""
    body = {"wsgi.input": io.BytesIO(BODY + b"POST /more"), "CONTENT_LENGTH": str(len(BODY))}
    assert site.call("POST", URL, headers=site.signed(BODY), environ_overrides=body).status == 200
    assert site.world.kept()[0].body == BODY


@pytest.mark.parametrize("length", ["-1", "+5", "1_0", "ten", "٣", "1" * 30, "0x10"])
def test_a_length_that_is_no_number_is_refused(site: Site, refuses: Refuses, length: str) -> None:
    """Content-Length is digits and nothing else."""
    heard = site.call("POST", URL, environ_overrides={"CONTENT_LENGTH": length, "wsgi.input": Endless()})
    refuses(heard, 400, "Content-Length")


class Broken(io.RawIOBase):
    """A body whose sender is gone."""

    def read(self, size: int = -1) -> bytes:
        raise ConnectionResetError("gone")


def test_a_sender_that_goes_away_leaves_nothing(site: Site, refuses: Refuses) -> None:
    """A connection that breaks while the body comes is no error of ours."""
    refuses(site.call("POST", URL, environ_overrides={"CONTENT_LENGTH": "5", "wsgi.input": Broken()}), 400, "broke")


@pytest.mark.parametrize(
    "name", ["nobody", "nobody/token", "Shop", "%00", "%FF%FE", "shop%20", "shop;a", "a" * 5_000], ids=lambda name: name[:9]
)
def test_an_unknown_connection_is_not_found_and_no_name_leaks(site: Site, refuses: Refuses, name: str) -> None:
    """404 says where to look, and does not tell strangers what is connected here."""
    heard = site.call("POST", f"/hooks/{name}", BODY)
    refuses(heard, 404)
    assert "hub connections" in heard.json["hint"]
    assert not any(name in heard.body.decode() for name in ("shop", "till", "basic"))


@pytest.mark.parametrize("path", ["/hooks/", "/hooks//", "/hooks/shop/a/b", "/hooks//shop"])
def test_an_address_of_another_form_is_not_found(site: Site, refuses: Refuses, path: str) -> None:
    """An address with too few or too many parts is no webhook address, and never a redirect."""
    refuses(site.call("POST", path, BODY), 404)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "GET"])
def test_another_method_is_not_allowed(site: Site, refuses: Refuses, method: str) -> None:
    """Deliveries come by POST; the problem says so, and so does the header."""
    heard = site.call(method, URL)
    refuses(heard, 405, "POST", method)
    assert heard.headers["Allow"] == "POST"


def test_a_head_without_a_handshake_is_not_allowed(site: Site) -> None:
    """HEAD is answered like GET, without a body."""
    heard = site.call("HEAD", URL)
    assert (heard.status, heard.body) == (405, b"")


def test_a_handshake_is_answered_and_not_kept(site: Site) -> None:
    """A platform that asks whether we are there hears its challenge; HEAD hears the status alone."""
    heard = site.call("GET", f"{URL}?challenge=abc%20d")
    assert (heard.status, heard.body, heard.headers["Content-Type"]) == (200, b"abc d", "text/plain; charset=utf-8")
    assert site.call("HEAD", f"{URL}?challenge=abc").status == 200
    assert site.call("POST", f"{URL}?challenge=abc").body == b"abc"
    assert site.world.kept() == []


def test_a_token_in_the_path_is_proof_and_is_not_kept(site: Site, refuses: Refuses) -> None:
    """The row does not have it."""
    refuses(site.call("POST", "/hooks/till", BODY), 401)
    refuses(site.call("POST", "/hooks/till/wrong-token", BODY), 401)
    refuses(site.call("POST", "/hooks/till/", BODY), 401)
    assert site.call("POST", "/hooks/till/till-4f9a-token", BODY).status == 200
    assert site.world.kept()[0].path == "/hooks/till"


def test_no_secret_is_kept(site: Site) -> None:
    """What proves identity is struck out of headers and query before the row is written, however it is written there."""
    login = {"Authorization": "Basic YWRhOnMzY3JldC9vZit0aGU9c2hvcA==", "X-Echo": "is s3cret/of+the=shop"}
    assert site.call("POST", "/hooks/asker?key=s3cret%2fof%2Bthe%3Dshop&n=1", BODY).status == 200
    echoed = "/hooks/basic?a=%733cret%2fof%2Bthe%3Dshop&s3cret%2Fof%2bthe%3Dshop=1&b"
    assert site.call("POST", echoed, BODY, login).status == 200
    cookie = {"HTTP_COOKIE": "a=b", "CONTENT_TYPE": "text/json"}
    assert site.call("POST", "/hooks/basic", BODY, login, environ_overrides=cookie).status == 200
    asked, echo, basic = site.world.kept()
    assert asked.query == "n=1"
    assert echo.query == "a=***&***&b"
    assert basic.headers["x-echo"] == "is ***"
    assert not {"authorization", "cookie"} & set(basic.headers)
    assert basic.headers["content-type"] == "text/json"


def test_the_machines_proxy_setting_is_no_header(site: Site) -> None:
    """Servers lay the environment under the request's; HTTP_PROXY, with its password, is not kept as one of its headers."""
    assert site.deliver(BODY, environ_overrides={"HTTP_PROXY": "http://me:pass@proxy"}).status == 200
    assert "proxy" not in site.world.kept()[0].headers


@pytest.mark.parametrize("why", [Unavailable("the disk is full", retry_after_seconds=7), OSError("disk gone")])
def test_when_it_cannot_be_kept_the_platform_is_told_to_come_again(
    site: Site, refuses: Refuses, monkeypatch: pytest.MonkeyPatch, why: Exception
) -> None:
    """No acknowledgement without a row: 503 and Retry-After, so that the platform sends it again."""

    def fail(*_: Any) -> None:
        raise why

    monkeypatch.setattr(site.world.inbox, "keep_ready", fail)
    heard = site.deliver(BODY)
    if isinstance(why, Unavailable):
        refuses(heard, 503, "disk is full")
        assert heard.headers["Retry-After"] == "7"
    else:
        refuses(heard, 500)
        assert b"disk gone" not in heard.body


def test_a_stopping_hub_sends_platforms_away(site: Site, refuses: Refuses) -> None:
    """While the hub stops it says 503 to those who come."""
    site.world.inbox.close()
    refuses(site.deliver(BODY), 503, "stopping")


def test_a_connection_that_lacks_something_loses_no_delivery(site: Site, refuses: Refuses) -> None:
    """Not 404, which makes some platforms give up for ever: 503 until its secret is there."""
    del site.world.connections["shop"]
    refuses(site.deliver(BODY), 503, "not complete")


@pytest.mark.parametrize("where", ["verify", "shake"])
def test_a_connector_that_breaks_costs_no_delivery(site: Site, refuses: Refuses, where: str) -> None:
    """A mistake in a connector is our trouble: the platform keeps the delivery and sends it again."""
    site.world.break_at(where, RuntimeError("a mistake"))
    heard = site.deliver(BODY)
    refuses(heard, 503)
    assert int(heard.headers["Retry-After"]) > 0


def test_a_proof_that_cannot_be_read_is_none(site: Site, refuses: Refuses) -> None:
    """A platform whose token is in the body, and a body that is no JSON: refused, not kept."""
    site.world.break_at("verify", Unreadable("the body is not JSON"))
    refuses(site.deliver(BODY), 401, "not JSON")


def test_what_is_no_handshake_is_a_delivery(site: Site) -> None:
    """A handshake function that cannot read the body does not turn the delivery away."""
    site.world.break_at("shake", Unreadable("the body is not JSON"))
    assert site.deliver(BODY).status == 200


def test_a_thank_you_that_breaks_is_sent_empty(site: Site) -> None:
    """The delivery is kept by then: nothing may make the platform send it again."""
    site.world.break_at("answer", RuntimeError("a mistake"))
    heard = site.deliver(BODY)
    assert (heard.status, heard.body) == (200, b"")
    assert len(site.world.kept()) == 1


def test_a_connection_added_later_is_found(site: Site) -> None:
    """The door looks at the connections as they are now."""
    site.world.connections["shop2"] = replace(site.world.connections["shop"], name="shop2")
    assert site.deliver(BODY, "/hooks/shop2").json == {"thanks": "/hooks/shop2"}


def test_a_refusal_is_one_line_in_the_log_without_the_secret(site: Site) -> None:
    """Whoever looks at the log sees which connection was refused and why, once."""
    stream = io.StringIO()
    log.setup(stream)
    site.call("POST", "/hooks/till/wrong\n", BODY)
    site.world.break_at("verify", RuntimeError("a mistake, with s3cret/of+the=shop in its text"))
    log.redact.add("s3cret/of+the=shop")
    site.deliver(BODY)
    refused, broken = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (refused["level"], refused["message"], refused["connection"]) == ("warning", "delivery refused", "till")
    assert refused["reason"]
    assert broken["level"] == "error"
    assert "s3cret" not in stream.getvalue()


def test_every_answer_forbids_guessing_and_storing(site: Site) -> None:
    """An echo of a stranger's words is never taken for a page."""
    for heard in (site.call("GET", f"{URL}?challenge=<script>"), site.deliver(BODY), site.call("POST", URL)):
        assert heard.headers["X-Content-Type-Options"] == "nosniff"
        assert heard.headers["Cache-Control"] == "no-store"
