"""Tokens that nobody has to agree to, and what is done by one caller at a time."""

from __future__ import annotations

import threading
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from hub.errors import CallFailed
from hub.sdk import Client, Connection, Connector
from hub.sdk.auth import OAuth2
from hub.sdk.authorization import Authorization
from hub.sdk.declare import answers, auth, secret, secrets, setting
from hub.sdk.play import Play, one_by_one
from hub.sdk.sample import SAMPLE_NOW
from hub.sdk.tokens import HeldTokens

SHEETS = Connector(
    "sheets",
    title="Sheets",
    settings=secrets("key"),
    api="https://sheets.example.com",
    auth=auth.oauth2("https://tokens.example.com/token", assertion=lambda connection, now: f"{connection.name}@{now:%H:%M}"),
)
TOKEN = {"access_token": "t0ken-1", "expires_in": 3600, "token_type": "Bearer"}


def _client(tokens: HeldTokens, *replies, repeat="never") -> tuple[Play, Client]:
    play = Play(one_by_one(replies))
    connection = Connection("sheets", SHEETS, SHEETS.settings.read({"key": "k"}))
    client = Client(
        connection, session=play.session(), monotonic=lambda: 0, sleep=play.slept.append, tokens=tokens, repeat=repeat
    )
    return play, client


def test_a_signed_assertion_is_changed_for_a_token_until_it_expires():
    """No other credentials are sent with it; the token is kept, and asked for anew before its time is over."""
    now = [SAMPLE_NOW]
    tokens = HeldTokens(lambda: now[0])
    play, client = _client(tokens, answers(200, TOKEN), answers(200, {}), answers(200, {}))
    client.get("/a")
    client.get("/b")
    first = play.calls[0]
    assert first.url == "https://tokens.example.com/token"
    assert parse_qs(first.body.decode()) == {
        "grant_type": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "assertion": ["sheets@21:30"],
    }
    assert [called.headers["authorization"] for called in play.calls[1:]] == ["Bearer t0ken-1"] * 2
    now[0] += timedelta(minutes=59)
    play, client = _client(tokens, answers(200, TOKEN | {"access_token": "t0ken-2"}), answers(200, {}))
    client.get("/a")
    assert play.calls[1].headers["authorization"] == "Bearer t0ken-2"


def test_an_assertion_that_is_refused_asks_for_a_person():
    """The key was withdrawn, or the clock is wrong."""
    _, client = _client(HeldTokens(lambda: SAMPLE_NOW), answers(400, {"error": "invalid_grant"}))
    with pytest.raises(CallFailed, match="invalid_grant") as failed:
        client.get("/a")
    assert failed.value.verdict == "reconnect"


def test_a_call_that_must_not_be_repeated_as_it_is_ends_uncertain():
    """Though the action may be done again as a whole; what is throttled was not done and may go out again."""
    tokens = HeldTokens(lambda: SAMPLE_NOW)
    play, client = _client(tokens, answers(200, TOKEN), answers(503), answers(200, {}), repeat="safe")
    with pytest.raises(CallFailed) as failed:
        client.post("/rows", json={}, safe=False)
    assert (failed.value.verdict, len(play.calls)) == ("uncertain", 2)
    play, client = _client(tokens, answers(429), answers(200, {}), repeat="safe")
    client.post("/rows", json={}, safe=False)
    assert len(play.calls) == 2


def test_what_is_read_first_and_written_then_is_done_by_one_at_a_time():
    """Two callers of one thing wait for one another; another thing is free."""
    _, client = _client(HeldTokens(lambda: SAMPLE_NOW))
    order: list[str] = []

    def second() -> None:
        with client.alone("members"):
            order.append("second")

    with client.alone("members"), client.alone("orders"):
        waiting = threading.Thread(target=second)
        waiting.start()
        order.append("first")
    waiting.join(5)
    assert order == ["first", "second"]


DESK = Connector(
    "desk",
    title="Desk",
    settings=secret("api_token", required=False)
    + setting("email", default=None)
    + secret("client_id", required=False)
    + secret("client_secret", required=False),
    api="https://desk.example.com",
    auth=auth.basic("email", "api_token", suffix="/token")
    | auth.oauth2("https://desk.example.com/oauth", authorize="https://a"),
)


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"email": "ada@example.com", "api_token": "t"}, "Basic YWRhQGV4YW1wbGUuY29tL3Rva2VuOnQ="),
        ({"client_id": "c", "client_secret": "s"}, "Bearer played-access-7Qd2"),
        ({"email": "ada@example.com", "client_id": "c", "client_secret": "s"}, "Bearer played-access-7Qd2"),
    ],
)
def test_of_two_ways_a_connection_uses_the_one_it_has_the_settings_for(settings, shown):
    """A token of one's own, or an authorisation; half of one is none."""
    play = Play(one_by_one([answers(200, {})]))
    connection = Connection("desk", DESK, DESK.settings.read(settings))
    play.client(connection).get("/me")
    assert play.calls[0].headers["authorization"] == shown
    assert isinstance(connection.auth, OAuth2) is ("client_id" in settings)


def test_without_the_settings_for_either_way_the_first_is_asked_for():
    """The message names what is missing."""
    play = Play(one_by_one([]))
    with pytest.raises(CallFailed, match="`email` of desk is not set") as failed:
        play.client(Connection("desk", DESK, DESK.settings.read({}))).get("/me")
    assert failed.value.verdict == "reconnect"


STORE = Connector(
    "store",
    title="Store",
    settings=secrets("client_id", "client_secret") + setting("grant", default="client_credentials"),
    api="https://store.example.com",
    auth=auth.oauth2(
        "https://store.example.com/token",
        authorize="https://store.example.com/agree",
        grant="{grant}",
        header="X-Access-Token",
        prefix="",
        with_code={"expiring": "1"},
    ),
)


def _store(grant: str) -> Connection:
    return Connection("store", STORE, STORE.settings.read({"client_id": "c", "client_secret": "s", "grant": grant}))


def test_a_setting_may_say_how_tokens_are_got_and_the_token_may_stand_in_a_header_of_its_own():
    """By our own credentials nobody is asked; else a person has to agree first."""
    play = Play(one_by_one([answers(200, TOKEN), answers(200, {})]))
    tokens = HeldTokens(lambda: SAMPLE_NOW)
    said = {"session": play.session(), "monotonic": lambda: 0, "sleep": play.slept.append, "tokens": tokens}
    Client(_store("client_credentials"), **said).get("/me")
    assert parse_qs(play.calls[0].body.decode())["grant_type"] == ["client_credentials"]
    assert play.calls[1].headers["x-access-token"] == "t0ken-1" and "authorization" not in play.calls[1].headers
    assert [_store(grant).auth.asks_a_person(_store(grant)) for grant in ("client_credentials", "authorization_code")] == [
        False,
        True,
    ]
    with pytest.raises(CallFailed, match="not authorised") as failed:
        Client(_store("authorization_code"), **said | {"tokens": HeldTokens(lambda: SAMPLE_NOW)}).get("/me")
    assert failed.value.verdict == "reconnect"


def test_settings_may_stand_in_what_is_asked_for():
    """Of some platforms the address of the account is part of it."""
    form = secrets("client_id", "client_secret") + setting("host")
    ways = auth.oauth2("https://id.example.com/token", scopes="https://{host}/.default", grant="client_credentials")
    store = Connector("store", title="Store", settings=form, api="https://{host}", auth=ways)
    play = Play(one_by_one([answers(200, TOKEN), answers(200, {})]))
    read = form.read({"client_id": "id", "client_secret": "s3cret", "host": "acme.example.com"})
    said = {"session": play.session(), "monotonic": lambda: 0, "sleep": play.slept.append}
    Client(Connection("store", store, read), tokens=HeldTokens(lambda: SAMPLE_NOW), **said).get("/me")
    assert parse_qs(play.calls[0].body.decode())["scope"] == ["https://acme.example.com/.default"]


def test_a_platform_may_want_more_than_the_code():
    """For instance that the token shall end one day."""
    play = Play(one_by_one([answers(200, TOKEN)]))
    client = play.client(_store("authorization_code"))
    client.exchange("c0de", Authorization("https://hub.example.com/oauth/callback"), SAMPLE_NOW)
    form = parse_qs(play.calls[0].body.decode())
    assert (form["code"], form["expiring"]) == (["c0de"], ["1"])


def test_a_password_that_everybody_has_is_no_setting():
    """The key is the user's name; the platform wants anything at all after the colon."""
    keyed = Connector("desk", title="Desk", settings=secret("key"), api="https://d.example", auth=auth.basic("key", fixed="X"))
    play = Play(one_by_one([answers(200, {})]))
    play.client(Connection("desk", keyed, keyed.settings.read({"key": "k3y"}))).get("/me")
    assert play.calls[0].headers["authorization"] == "Basic azN5Olg="
    assert keyed.auth is not None and keyed.auth.needs == ("key",)
