"""REST: endpoints and facts as hub.yaml declares them. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors import rest
from hub import bootstrap, config
from hub.engine.catalogue import Catalogue
from hub.engine.connecting import open_connections
from hub.errors import CallFailed, ConfigError, Unreadable
from hub.programme.settings import Programme
from hub.recipes.check import load
from hub.sdk import CallKey, Client, Connection, Fact
from hub.sdk.auth import OAuth2
from hub.sdk.play import Called, Play, PlayedTokens, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers
from hub.sdk.tokens import Token

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
API = "https://api.garage.example/v2"
TOKEN = "t0ken-7Qd2"


def _connection(**settings: Any) -> Connection:
    read = rest.connector.settings.read({"url": API, "token": TOKEN, **settings})
    return Connection("garage", rest.connector.fitted(read), read)


def _act(endpoint: Mapping[str, Any], inputs: Mapping[str, Any] = {}, *replies: Any, **settings: Any) -> tuple[Any, Play]:
    """The result of an endpoint (or how it failed) against these replies, and what was sent."""
    connection = _connection(actions={"act": endpoint}, **settings)
    action = connection.connector.actions["act"]
    told = [reply if isinstance(reply, Answer | Exception) else answers(200, reply) for reply in replies or ({},)]
    play = Play(one_by_one(told))
    client = play.client(connection, call_key="call_1", repeat=action.repeat)
    try:
        return action.call({Client: client, CallKey: CallKey("call_1")}, action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _called(endpoint: Mapping[str, Any], inputs: Mapping[str, Any] = {}, **settings: Any) -> Called:
    _, play = _act(endpoint, inputs, **settings)
    (called,) = play.calls
    return called


def _body(endpoint: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
    return json.loads(_called(endpoint, inputs).body)


def _query(called: Called) -> dict[str, list[str]]:
    return parse_qs(urlsplit(called.url).query, keep_blank_values=True)


def _facts(body: Any, hears: Mapping[str, Any], **settings: Any) -> list[tuple[str, Any]]:
    """What every trigger makes of a delivery, with the trigger's name."""
    connection = _connection(hears=hears, **settings)
    request = Request(
        "POST", "/hooks/garage", "", {}, json.dumps(body).encode(), NOW, "https://points.example.com/hooks/garage"
    )
    told: list[tuple[str, Fact]] = []
    for item in connection.connector.items(request, connection):
        for trigger in connection.connector.triggers_for(item) or ():
            told += [(trigger.name, fact) for fact in trigger.read(item, connection)]
        if item.problem:
            raise Unreadable(item.problem)
    return told


def _one(body: Any, heard: Mapping[str, Any], **settings: Any) -> Any:
    ((_, fact),) = _facts(body, {"heard": heard}, **settings)
    return fact


def _pulled(heard: Mapping[str, Any], *replies: Any, **settings: Any) -> tuple[list[Any], list[Called]]:
    connection, play = _connection(hears={"heard": heard}, **settings), Play(one_by_one([answers(200, one) for one in replies]))
    pull = connection.connector.pulls["heard_since"]
    items = list(pull.items(connection, play.client(connection), NOW))
    return [fact for item in items for fact in connection.connector.triggers["heard"].read(item, connection)], play.calls


# What hub.yaml declares

HUB = """\
programme: {name: Points, timezone: UTC, currency: USD}
connections:
  garage:
    connector: rest
    url: https://api.garage.example/v2
    token: t0ken-7Qd2
    hears:
      job_done: {means: job, id: id, amount: total}
    actions:
      add_note:
        does: POST /customers/{customer}/notes
        inputs: {customer: text, stars: {type: integer, optional: true}, kind: {choices: [good, bad]},
                 worth: {type: money, default: 5}}
        gives: {id: note.id, total: {path: total, type: money}}
      say_thanks: {does: POST /sms, inputs: {to: text, text: text}, channel: sms}
"""
RECIPE = """\
recipe: thanks
when: garage.job_done
do:
  - as: note
    garage.add_note: {customer: "{{ event.job_id }}", kind: good, worth: event.amount}
  - if: note.total > 10
    garage.say_thanks: {to: "{{ member.phone }}", text: "Note {{ note.id }}"}
"""


def _catalogue(folder: Path, hub: str = HUB) -> Catalogue:
    (folder / "hub.yaml").write_text(hub, "utf-8")
    settings, known = config.load(folder, {}), bootstrap.discover()
    return Catalogue(known, open_connections(settings, known), Programme.from_node(settings.programme_node))


def test_recipes_know_endpoints_with_their_types(tmp_path: Path) -> None:
    """Inputs, what they give, and what the connection hears, like those of any connector."""
    catalogue = _catalogue(tmp_path)
    plan = load(RECIPE, "recipes/thanks.yaml", catalogue)
    assert [step.action for step in plan.steps] == ["garage.add_note", "garage.say_thanks"]
    doing = catalogue.doing("garage.say_thanks")
    assert doing.action.channel == "sms"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("garage.add_note", "garage.ad_note", (5, 5), "garage.add_note"),
        ("garage.add_note", "garge.add_note", (5, 5), "did you mean `garage`"),
        ("garage.add_note", "rest.add_notes", (5, 5), "did you mean `rest.add_note`"),
        ("garage.job_done", "garage.job_dun", (2, 7), "garage.job_done"),
        ("{customer:", "{custommer:", (5, 5), "needs `customer`"),
        ("kind: good", "kinds: good", (5, 5), "needs `kind`"),
        ("kind: good", "kind: awful", (5, 61), "`good`"),
        ("worth: event.amount", "worth: event.job_id", (5, 74), "an amount of money is needed"),
        ("worth: event.amount", "stars: 1.5", (5, 74), "a whole number is needed"),
        ("note.total >", "note.totl >", (6, 9), "`note.total`"),
        ('to: "{{ member.phone }}", ', "", (7, 5), "needs `to`"),
    ],
)
def test_a_recipe_that_asks_for_what_is_not_declared_is_shown_where(
    tmp_path: Path, old: str, new: str, place: tuple[int, int], said: str
) -> None:
    """A wrong endpoint, connection, trigger, input or result, with what was meant."""
    with pytest.raises(ConfigError) as caught:
        load(RECIPE.replace(old, new), "recipes/thanks.yaml", _catalogue(tmp_path))
    problem = caught.value.problems[0]
    assert said in f"{problem.message}; {problem.hint}"
    assert str(problem).startswith(f"recipes/thanks.yaml:{place[0]}:{place[1]}: ")


def test_a_step_names_the_connection_where_two_have_the_endpoint(tmp_path: Path) -> None:
    """Each has its own endpoints; what one alone declares is no other's."""
    two = HUB + "  forge:\n    connector: rest\n    url: https://forge.example\n    actions: {add_note: {does: POST /notes}}\n"
    catalogue = _catalogue(tmp_path, two)
    with pytest.raises(ConfigError, match=r"`forge\.add_note`, `garage\.add_note`"):
        load(RECIPE.replace("garage.add_note", "rest.add_note"), "recipes/thanks.yaml", catalogue)
    with pytest.raises(ConfigError, match=r"forge\.say_thanks"):
        load(RECIPE.replace("garage.say_thanks", "forge.say_thanks"), "recipes/thanks.yaml", catalogue)


def _wrong(folder: Path, old: str, new: str) -> Any:
    assert old in HUB
    with pytest.raises(ConfigError) as caught:
        _catalogue(folder, HUB.replace(old, new))
    assert TOKEN not in str(caught.value)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("    url: https://api.garage.example/v2\n", "", (10, 9), "has no `url`"),
        ("url: https://api.garage.example/v2", "url: api.garage.example", (5, 10), "the whole address"),
        ("    token: t0ken-7Qd2\n", "    username: ada\n", (6, 15), "`username` goes with `password`"),
        (
            "    hears:",
            "    username: ada\n    password: s3cret-7Qd2\n    hears:",
            (7, 15),
            "`username` and `token` are two ways",
        ),
        ("    hears:", "    limit: often\n    hears:", (7, 12), "limit"),
        ("    hears:", "    token_in: cookie\n    hears:", (7, 15), "`header X-Api-Key`"),
        (
            "does: POST /customers/{customer}",
            "does: POST /customers/{costumer}",
            (11, 15),
            "`{costumer}` is none of its inputs",
        ),
        ("does: POST /sms", "does: SEND /sms", (15, 26), "write it as `POST /customers/{customer}/notes`"),
        ("does: POST /sms", "does: POST /sms?now=1", (15, 26), "what belongs into the query"),
        ("to: text, text: text", "text: text", (15, 19), "needs an input `to`"),
        ("to: text, text: text", "to: text, text: txt", (15, 62), "input should be 'text', 'number'"),
        ("channel: sms", "channel: pigeon", (15, 78), "input should be 'sms'"),
        ("channel: sms", 'channel: sms, json: {to: "{to}"}', (15, 19), "its input `text` goes nowhere"),
        ("channel: sms", 'json: {to: "{too}", x: "{text}"}', (15, 75), "`{too}` is none of its inputs; to, text"),
        ("channel: sms", "repeat: keyed", (15, 19), "`key: Idempotency-Key`"),
        ("channel: sms", 'json: ["{to}"], form: {text: "{text}"}', (15, 19), "`json` or a `form`, not both"),
        ("customer: text, stars", "customer: {optional: true}, stars", (11, 15), "cannot be optional"),
        (
            "worth: {type: money, default: 5}",
            "worth: {type: money, default: much}",
            (13, 48),
            "it is not as its type asks for it, money",
        ),
        ("means: job", "means: jobs", (8, 25), "input should be 'sale'"),
        ("means: job, id: id, amount: total", "means: sale, id: id", (8, 17), "its `amount` stands"),
        ("id: id,", "", (8, 17), "lacks `job_done.id`"),
        ("amount: total", "amount: total, items: jobs", (8, 17), "go with `asks`"),
        ("amount: total", 'amount: total, asks: GET /jobs, query: {of: "{when}"}', (8, 77), "only {since} does"),
        ("amount: total", "amount: total, asks: GET /jobs, page: {cursor: after}", (8, 76), "`cursor` with `at`"),
        ("amount: total", "amount: total, asks: GET /jobs?all=1", (8, 59), "what belongs into the query"),
        ("amount: total", "amount: the total", (8, 46), "this is not where something stands"),
        ("add_note:", "model_note:", (10, 7), "do not begin with `model_`"),
        ("add_note:", "Add Note:", (10, 7), "names are of small letters"),
    ],
)
def test_a_wrong_declaration_is_shown_where_it_stands(
    tmp_path: Path, old: str, new: str, place: tuple[int, int], said: str
) -> None:
    """In the words of whoever wrote it, and never with a secret."""
    problem = _wrong(tmp_path, old, new)
    assert said in f"{problem.message}; {problem.hint}"
    assert (problem.line, problem.column) == place


def test_a_connection_that_calls_nothing_needs_no_address() -> None:
    """One that only hears; what one declares is no other's, and nothing is left behind in what all share."""
    read = rest.connector.settings.read({"signing_key": "k3y", "hears": {"job": {"means": "job", "id": "id"}}})
    assert set(rest.connector.fitted(read).triggers) == {"job"} and not rest.connector.triggers
    assert _connection(actions={"close": {"does": "POST /close"}}).connector.triggers == {}


# What goes out: what is sent

NOTE = {"customer": "c7", "note": "Oil", "stars": 5, "worth": "12.50", "at": NOW, "on": date(2026, 2, 6), "tags": ["a", "b"]}
INPUTS = {
    "customer": "text",
    "note": "text",
    "stars": {"type": "integer", "optional": True},
    "worth": {"type": "money", "optional": True},
    "at": {"type": "moment", "optional": True},
    "on": {"type": "date", "optional": True},
    "tags": {"type": "texts", "optional": True},
}


def _note(**more: Any) -> dict[str, Any]:
    return {"does": "POST /customers/{customer}/notes", "inputs": INPUTS, **more}


def test_inputs_go_out_under_their_own_names() -> None:
    """In the body, numbers as numbers; what stands in the address already does not go out again, nor what was left out."""
    assert _body(_note(), NOTE) == {
        "note": "Oil", "stars": 5, "worth": 12.5, "at": "2026-02-06T21:30:00Z", "on": "2026-02-06", "tags": ["a", "b"],
    }  # fmt: skip
    assert _body(_note(), {"customer": "c7", "note": "Oil"}) == {"note": "Oil"}


@pytest.mark.parametrize("verb", ["GET", "DELETE"])
def test_what_has_no_body_says_it_in_the_query(verb: str) -> None:
    """Lists as the same name again."""
    called = _called(_note(does=f"{verb} /customers/{{customer}}/notes"), NOTE | {"note": "a & b"})
    assert (called.method, called.body, urlsplit(called.url).path) == (verb, b"", "/v2/customers/c7/notes")
    assert _query(called) == {
        "note": ["a & b"], "stars": ["5"], "worth": ["12.50"], "at": ["2026-02-06T21:30:00Z"], "on": ["2026-02-06"],
        "tags": ["a", "b"],
    }  # fmt: skip


def test_without_inputs_there_is_no_body() -> None:
    """An endpoint that wants none may refuse an empty object."""
    assert _called({"does": "POST /close"}).body == b""


def test_a_template_says_where_inputs_go() -> None:
    """Alone in a text, an input keeps its type; within one it is written out; what was left out is left away."""
    template = {
        "text": "{note}", "line": "{stars} of 5: {note} ({worth})", "deep": [{"value": "{worth}", "fix": 1}, "{stars}"],
        "all": "{tags}", "at": "{at}", "on": "on {on}", "fixed": True,
    }  # fmt: skip
    assert _body(_note(json=template), NOTE) == {
        "text": "Oil", "line": "5 of 5: Oil (12.50)", "deep": [{"value": 12.5, "fix": 1}, 5], "all": ["a", "b"],
        "at": "2026-02-06T21:30:00Z", "on": "on 2026-02-06", "fixed": True,
    }  # fmt: skip
    short = _body(_note(json=template), {"customer": "c7", "note": "Oil"})
    assert (short["line"], short["deep"][0]) == (" of 5: Oil ()", {"fix": 1})
    assert not {"all", "at"} & set(short)


def test_what_a_member_writes_cannot_name_an_input() -> None:
    """Values are put in once; braces in them are braces, in the address too."""
    inputs = {"customer": "{note}/../x?y=1", "note": "{customer} {token}"}
    called = _called(
        {"does": "PUT /notes/{customer}", "inputs": {"customer": "text", "note": "text"}, "json": {"t": "x {note}"}}, inputs
    )
    assert json.loads(called.body) == {"t": "x {customer} {token}"}
    assert called.url == f"{API}/notes/%7Bnote%7D%2F..%2Fx%3Fy%3D1"


@pytest.mark.parametrize("wrong", ["", ".", ".."])
def test_what_would_change_the_address_is_not_sent(wrong: str) -> None:
    """An empty id would name the list of all."""
    failure, play = _act({"does": "DELETE /notes/{id}", "inputs": {"id": "text"}}, {"id": wrong})
    assert failure.verdict == "lasting" and play.calls == []


def test_forms_queries_and_headers_have_templates_too() -> None:
    """Beside each other, where an API wants it so."""
    endpoint = _note(form={"body": "{note}", "stars": "{stars}", "tags": "{tags}"}, query={"v": 2, "w": "{worth}"},
                     headers={"X-On": "{on}", "X-At": "at {at}"})  # fmt: skip
    called = _called(endpoint, NOTE, headers={"Accept-Language": "de"})
    assert parse_qs(called.body.decode()) == {"body": ["Oil"], "stars": ["5"], "tags": ["a", "b"]}
    assert _query(called) == {"v": ["2"], "w": ["12.50"]}
    sent = {name: called.headers.get(name) for name in ("x-on", "x-at", "accept-language", "content-type")}
    assert sent == {"x-on": "2026-02-06", "x-at": "at 2026-02-06T21:30:00Z", "accept-language": "de",
                    "content-type": "application/x-www-form-urlencoded"}  # fmt: skip


def test_a_header_whose_input_was_left_out_is_not_sent() -> None:
    """Nor one that would be empty text of a number."""
    called = _called(
        _note(json={"t": "{note}{stars}{worth}{at}{tags}"}, headers={"X-On": "{on}"}), {"customer": "c7", "note": "Oil"}
    )
    assert "x-on" not in called.headers


def test_json_of_another_name_is_sent_as_the_connection_says() -> None:
    """JSON:API has a content type of its own."""
    called = _called({"does": "POST /notes", "json": {"data": {}}}, headers={"Content-Type": "application/vnd.api+json"})
    assert called.headers["content-type"] == "application/vnd.api+json"


def test_an_api_may_call_an_input_whatever_it_likes() -> None:
    """Also what the model of inputs has as a word of its own."""
    inputs = {"copy": "text", "json": "text", "schema": "text", "client": "text", "key": "text", "self": "text", "said": "text"}
    assert _body({"does": "POST /x", "inputs": inputs}, dict.fromkeys(inputs, "v")) == dict.fromkeys(inputs, "v")


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ({}, {}),
        ({"default": "low"}, {"kind": "low"}),
        ({"choices": ["low", "high"], "default": "high"}, {"kind": "high"}),
        ({"type": "integer", "default": 3}, {"kind": 3}),
    ],
)
def test_a_default_is_sent_and_an_optional_input_is_not(said: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
    """Where a recipe says nothing of it."""
    endpoint = {"does": "GET /x", "inputs": {"kind": {"optional": True, **said}}}
    assert _query(_called(endpoint)) == {name: [str(value)] for name, value in sent.items()}


# What goes out: who we are


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({}, "authorization", f"Bearer {TOKEN}"),
        ({"token_in": "header X-Api-Key"}, "x-api-key", TOKEN),
        ({"token_in": "header Authorization Token"}, "authorization", f"Token {TOKEN}"),
        ({"token_in": "username"}, "authorization", "Basic " + base64.b64encode(f"{TOKEN}:".encode()).decode()),
        ({"token": None}, "authorization", None),
        (
            {"token": None, "username": "ada", "password": "s3cret"},
            "authorization",
            "Basic " + base64.b64encode(b"ada:s3cret").decode(),
        ),
    ],
)
def test_the_hub_shows_who_it_is_as_the_api_wants_it(settings: Mapping[str, Any], header: str, value: str | None) -> None:
    """By a header of any name, with or without a word before it, or not at all."""
    assert _called({"does": "GET /x"}, **settings).headers.get(header) == value


def test_a_key_may_stand_in_the_query_and_never_in_an_error() -> None:
    """Whatever the platform says back."""
    failure, play = _act({"does": "GET /x"}, {}, answers(400, {"error": f"no key {TOKEN}"}), token_in="query api_key")
    assert _query(play.calls[0]) == {"api_key": [TOKEN]} and "no key" in str(failure) and TOKEN not in str(failure)


class NoToken(PlayedTokens):
    """A token store of a connection that is new."""

    def load(self, connection: str) -> Token | None:
        return None


def test_oauth_asks_for_a_token_by_client_credentials() -> None:
    """At its own address; the token that comes is shown."""
    oauth = {"token_url": "https://id.garage.example/token", "client_id": "hub", "client_secret": "s3", "scopes": "a b"}
    connection, asked = _connection(token=None, **oauth), []
    auth = connection.auth
    assert isinstance(auth, OAuth2)

    def post(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Mapping[str, Any]:
        asked.append((url, dict(form)))
        return {"access_token": "acc3ss", "expires_in": 3600}

    assert auth.bearer(auth.current(connection, NoToken(), post)) == {"Authorization": "Bearer acc3ss"}
    sent = {"grant_type": "client_credentials", "scope": "a b", "client_id": "hub", "client_secret": "s3"}
    assert asked == [("https://id.garage.example/token", sent)] and not auth.asks_a_person(connection)


# What goes out: what becomes of it


@pytest.mark.parametrize(
    ("endpoint", "repeat"),
    [
        ({"does": "GET /x"}, "safe"),
        ({"does": "PUT /x"}, "safe"),
        ({"does": "DELETE /x"}, "safe"),
        ({"does": "POST /x"}, "never"),
        ({"does": "PATCH /x"}, "never"),
        ({"does": "POST /x", "key": "X-Key"}, "keyed"),
        ({"does": "POST /x", "repeat": "safe"}, "safe"),
        ({"does": "PUT /x", "repeat": "never"}, "never"),
    ],
)
def test_what_happens_when_an_answer_is_lost_goes_by_the_verb_or_is_said(endpoint: Mapping[str, Any], repeat: str) -> None:
    """What cannot be done twice is held for a person after one call."""
    failure, play = _act(endpoint, {}, *[requests.ReadTimeout()] * 5)
    assert _connection(actions={"act": endpoint}).connector.actions["act"].repeat == repeat
    assert (failure.verdict, len(play.calls) > 1) == (("uncertain", False) if repeat == "never" else ("passing", True))


def test_a_keyed_endpoint_sends_the_same_key_again() -> None:
    """The key of the step, in the header that the API names."""
    _, play = _act({"does": "POST /x", "key": "X-Key"}, {}, requests.ReadTimeout(), {})
    assert [called.headers["x-key"] for called in play.calls] == ["call_1", "call_1"]


def test_what_it_gives_has_the_declared_types() -> None:
    """Numbers without a float between; text of a number; what is not there is empty."""
    typed = {"total": "money", "tags": "texts", "ok": "boolean", "due": "date"}
    gives = {
        "id": "note.id",
        "gone": "x.y",
        "first": "rows.0.name",
        **{name: {"path": name, "type": one} for name, one in typed.items()},
    }
    reply = {"note": {"id": 7}, "total": 12.1, "tags": ["a"], "rows": [{"name": "One"}], "ok": True, "due": "2026-02-06"}
    gave, _ = _act({"does": "GET /x", "gives": gives}, {}, reply)
    assert gave.model_dump() == {
        "id": "7", "total": Decimal("12.1"), "tags": ["a"], "gone": None, "first": "One", "ok": True, "due": date(2026, 2, 6),
    }  # fmt: skip
    assert _act({"does": "GET /x", "gives": {"copy": "a", "json": "b"}}, {}, {"a": "1"})[0].model_dump() == {
        "copy": "1",
        "json": None,
    }


def test_what_it_gives_holds_no_secret() -> None:
    """Results are kept, and an API may say again what it heard."""
    gave, _ = _act({"does": "GET /x", "gives": {"said": "said"}}, {}, {"said": f"hello {TOKEN}"})
    assert "hello" in gave.said and TOKEN not in gave.said


@pytest.mark.parametrize(("does", "verdict"), [("POST /x", "uncertain"), ("GET /x", "lasting")])
def test_what_it_gives_in_another_form_is_not_guessed(does: str, verdict: str) -> None:
    """It was done, so nobody does it again without a person."""
    gives = {"total": {"path": "total", "type": "money"}}
    failure, _ = _act({"does": does, "gives": gives}, {}, {"total": "a lot"})
    assert failure.verdict == verdict and "`total`" in str(failure) and "did" in str(failure)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ({"status": "refused", "ok": True}, "`status` is 'refused', not 'done'"),
        ({"status": "done", "ok": False}, "`ok` is 'false', not 'true'"),
        ({}, "`status` is 'nothing', not 'done'"),
        (answers(200, "<html>"), "`status` is 'nothing'"),
    ],
)
def test_an_answer_of_200_may_mean_no(reply: Any, said: str) -> None:
    """As the connection says; the reason is shown."""
    failure, _ = _act({"does": "POST /x", "ok_if": {"status": "done", "ok": True}}, {}, reply)
    assert failure.verdict == "lasting" and said in str(failure)


def test_a_refusal_is_shown_in_the_apis_words_under_its_name() -> None:
    """`title` says what people call it."""
    failure, _ = _act({"does": "POST /x"}, {}, answers(422, {"message": "no such customer"}), title="Garage")
    assert (failure.verdict, "Garage" in str(failure), "no such customer" in str(failure)) == ("lasting", True, True)


def test_calls_keep_to_the_limit_of_the_connection() -> None:
    """Where it names one."""
    rate = _connection(limit="5 per second").connector.rate
    assert rate is not None and (rate.calls, rate.seconds) == (5, 1)
    assert _connection().connector.rate is None


# What comes in

SALE = {"means": "sale", "id": "id", "email": "buyer.email", "amount": "total", "currency": "currency"}
SOLD: dict[str, Any] = {"id": 7, "buyer": {"email": "ada@example.com"}, "total": 12.1, "currency": "usd"}


def test_a_kind_says_which_trigger_a_delivery_is_for() -> None:
    """Its own name where it says none; a kind that nobody declared means nothing."""
    hears = {
        "sold": SALE | {"kind": "order.paid"},
        "refunded": {"means": "refund", "id": "id", "of": "order", "amount": "total"},
    }

    def told(kind: str) -> list[tuple[str, Any]]:
        body = {"event": {"type": kind, "data": SOLD | {"order": 6, "currency": None}}}
        return _facts(body, hears, currency="EUR", kind_at="event.type", data_at="event.data")

    assert [name for name, _ in told("order.paid")] == ["sold"]
    ((name, refund),) = told("refunded")
    assert (name, refund.refund_id, refund.amount, refund.currency) == ("refunded", "7", Decimal("12.1"), "EUR")
    assert told("sold") == told("order.shipped") == []


def test_amounts_are_exact_and_in_their_own_currency() -> None:
    """The connection's is for those that name none."""
    sale = _one(SOLD, SALE, currency="EUR")
    assert (sale.amount, sale.currency, sale.customer.email) == (Decimal("12.1"), "USD", "ada@example.com")
    assert _one(SOLD | {"currency": None}, SALE, currency="EUR").currency == "EUR"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"total": None}, "`total` is empty"),
        ({"currency": ""}, "names no currency"),
        ({"id": ""}, "`id` is empty"),
        ({"id": None}, "`id` is empty"),
        ({"total": "a lot"}, "amount"),
    ],
)
def test_what_does_not_stand_where_it_should_is_not_guessed(more: Mapping[str, Any], said: str) -> None:
    """The delivery is kept and shown; nothing is worth nothing by mistake."""
    with pytest.raises(Unreadable, match=said):
        _one({**SOLD, **more}, SALE)


def test_only_what_is_as_asked_for_counts() -> None:
    """Without kinds each meaning looks at each delivery; what is not asked for need not have an id."""
    hears = {
        "sold": SALE | {"where": {"state": ["paid", "shipped"]}},
        "seen": {"means": "customer", "id": "who", "where": {"what": "login"}},
    }
    assert [name for name, _ in _facts(SOLD | {"state": "Paid"}, hears)] == ["sold"]
    assert _facts(SOLD | {"state": "open"}, hears) == []
    assert [name for name, _ in _facts({"what": "login", "who": "c7"}, hears)] == ["seen"]


def test_a_delivery_may_tell_of_many() -> None:
    """In a list at a path, or as a list; each by its own id."""
    assert [fact.record_id for _, fact in _facts([SOLD, SOLD | {"id": 8}], {"sold": SALE})] == ["7", "8"]
    body = {"batch": {"rows": [{"data": SOLD}, {"data": SOLD | {"id": 8}}]}}
    told = _facts(body, {"sold": SALE}, events_in="batch.rows", data_at="data")
    assert [fact.record_id for _, fact in told] == ["7", "8"]


@pytest.mark.parametrize(
    ("body", "settings", "said"),
    [
        ("text", {}, "The body should have named fields"),
        ({"data": [1]}, {"data_at": "data"}, "`data` should have named fields"),
        ({"rows": {}}, {"events_in": "rows"}, "`rows` should be a list"),
        ({}, {"events_in": "rows"}, "`rows` should be a list"),
        ([{}] * 10_001, {}, "The body should be a list of at most"),
    ],
)
def test_a_delivery_of_another_form_is_shown(body: Any, settings: Mapping[str, Any], said: str) -> None:
    """With the place where something else was to stand."""
    with pytest.raises(Unreadable, match=said):
        _facts(body, {"sold": SALE}, **settings)


def test_paths_lead_into_lists_and_names_with_hyphens() -> None:
    """JSON has more names than tables have columns."""
    heard = SALE | {"email": "people.0.e-mail", "amount": "order-total"}
    sale = _one({"id": 7, "people": [{"e-mail": "ada@example.com"}], "order-total": "3", "currency": "USD"}, heard)
    assert (sale.customer.email, sale.amount) == ("ada@example.com", 3)


def test_a_person_is_news_when_what_is_read_of_them_changes() -> None:
    """Told again with the same, it is the same fact."""
    heard = {"means": "customer", "id": "id", "email": "email", "attributes": {"car": "car"}}
    key = _connection(hears={"heard": heard}).connector.triggers["heard"].key_of
    first, again, changed = (
        _one({"id": 7, "email": "ada@example.com", "car": car, "seen": car}, heard) for car in ("a", "a", "b")
    )
    assert key(first) == key(again) != key(changed) and changed.attributes == {"car": "b"}


def test_records_are_asked_for_page_by_page() -> None:
    """Each as a delivery would tell it, so that both meet in one event; the time goes where the API wants it."""
    heard = SALE | {
        "asks": "GET /orders",
        "query": {"since": "{since}", "per": 2},
        "items": "rows",
        "page": {"page": "p", "size": 2},
    }
    facts, calls = _pulled(heard, {"rows": [SOLD, SOLD | {"id": 8}]}, {"rows": [SOLD | {"id": 9}]})
    assert [fact.record_id for fact in facts] == ["7", "8", "9"]
    assert facts[0] == _one(SOLD, heard)
    first, second = map(_query, calls)
    assert first == {"since": ["2026-02-06T21:30:00Z"], "per": ["2"]} and second == first | {"p": ["2"]}


@pytest.mark.parametrize(
    ("page", "first", "asked"),
    [
        ({"cursor": "after", "at": "meta.next"}, {"meta": {"next": "c2"}}, "/v2/orders?after=c2"),
        ({"url": "next"}, {"next": f"{API}/orders?x=2"}, "/v2/orders?x=2"),
        ({}, {"next": f"{API}/orders?x=2"}, None),
    ],
)
def test_long_lists_go_on_as_the_api_says(page: Mapping[str, Any], first: Mapping[str, Any], asked: str | None) -> None:
    """By a cursor or the next address; where nothing is said, there is one page."""
    facts, calls = _pulled(
        SALE | {"asks": "GET /orders", "items": "rows", "page": page}, {"rows": [SOLD], **first}, {"rows": []}
    )
    assert len(facts) == 1
    assert [called.url.removeprefix("https://api.garage.example") for called in calls[1:]] == ([asked] if asked else [])


def test_the_next_page_may_stand_in_the_header() -> None:
    """And a list may be the whole answer."""
    link = {"link": f'<{API}/orders?x=2>; rel="next"'}
    connection = _connection(hears={"heard": SALE | {"asks": "GET /orders", "page": {"link": True}}})
    play = Play(one_by_one([Answer(200, json.dumps([SOLD]).encode(), headers=link), answers(200, [])]))
    items = list(connection.connector.pulls["heard_since"].items(connection, play.client(connection), NOW))
    assert [item.data["id"] for item in items] == [7] and play.calls[1].url == f"{API}/orders?x=2"


def test_a_page_of_another_host_is_not_asked_for() -> None:
    """The token would go there."""
    heard = SALE | {"asks": "GET /orders", "items": "rows", "page": {"url": "next"}}
    with pytest.raises(CallFailed, match="not an address"):
        _pulled(heard, {"rows": [], "next": "https://evil.example/orders"})
