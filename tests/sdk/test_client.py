"""The client: what it sends, what it repeats, and in which words it fails."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
import requests
import responses
from responses import matchers

from hub.errors import CallFailed
from hub.sdk import Client, Connection, Connector, Failure, Payload
from hub.sdk.authorization import Authorization
from hub.sdk.declare import answers, auth, body, header, pages, query, secrets, setting
from hub.sdk.network import open_session
from hub.sdk.play import Play, one_by_one
from hub.sdk.sample import SAMPLE_NOW
from hub.sdk.settings import Secret
from hub.sdk.tokens import Token


def connection_of(*, base_url=None, values=None, **said) -> Connection:
    settings = secrets("api_key") + setting("shop", default="acme") + setting("account", default="a/../b")
    said = {"api": "https://{shop}.example.com/v1", "auth": auth.bearer("api_key"), **said}
    connector = Connector("shop", title="Shop", settings=settings, **said)
    return Connection("shop", connector, settings.read({"api_key": "k3y-secret", **(values or {})}), base_url)


def play_of(*replies, **said):
    play = Play(one_by_one(replies))
    options = {name: said.pop(name) for name in ("call_key", "repeat") if name in said}
    return play, play.client(connection_of(**said), **options)


class Thing(Payload):
    id: str
    price: Decimal = Decimal(0)


def test_a_platform_may_have_a_type_of_json_of_its_own():
    """What it wants to be said of JSON is said of JSON alone, not of a form."""
    play, client = play_of(answers(200, {}), answers(200, {}), headers={"Content-Type": "application/vnd.api+json"})
    client.post("/things", json={"id": 7})
    client.post("/things", form={"id": 7})
    types = [call.headers["content-type"] for call in play.calls]
    assert types == ["application/vnd.api+json", "application/x-www-form-urlencoded"]


def test_a_call_carries_address_auth_and_exact_json():
    """Base address with settings, bearer token, Decimal digit by digit; the reply is a model with exact numbers."""
    play, client = play_of(answers(201, b'{"id": 7, "price": 0.1, "more": 1}'), headers={"Api-Version": "2026-01"})
    thing = client.post("/things", json={"price": Decimal("12.50"), "none": None}, into=Thing)
    [called] = play.calls
    assert (called.method, called.url) == ("POST", "https://acme.example.com/v1/things")
    assert called.headers["authorization"] == "Bearer k3y-secret"
    assert called.headers["api-version"] == "2026-01"
    assert called.body == b'{"price":12.50}'
    assert (thing.id, thing.price) == ("7", Decimal("0.1"))


def test_values_in_a_path_are_quoted_and_cannot_leave_it():
    """An id with a slash stays one segment; dots and settings that lead elsewhere are refused before anything is sent."""
    play, client = play_of(answers(200, {}), answers(200, {}))
    client.get("/orders/{id}", at={"id": "a/../b?x#y"})
    assert play.calls[0].url == "https://acme.example.com/v1/orders/a%2F..%2Fb%3Fx%23y"
    for path, at in (
        ("/orders/{id}", {"id": ".."}),
        ("/orders/{id}", {"id": ""}),
        ("/x/{account}", {}),
        ("/a/../b", {}),
        ("x", {}),
    ):
        with pytest.raises(CallFailed):
            client.get(path, at=at)
    with pytest.raises(CallFailed, match="cannot be part of an address"):
        play_of(values={"shop": "evil.com/"})[1].get("/x")
    assert len(play.calls) == 1


@pytest.mark.parametrize(
    ("store", "url"),
    [
        ("https://shop.example/sub/", "https://shop.example/sub/api/x"),
        ("http://shop.example:8080", "http://shop.example:8080/api/x"),
    ],
)
def test_an_own_server_is_called_at_its_own_address(store, url):
    """A setting at the very beginning of an address may be the whole of it."""
    play, client = play_of(answers(200, {}), api="{shop}/api", values={"shop": store})
    client.get("/x")
    assert play.calls[0].url == url


@pytest.mark.parametrize(
    "store", ["ftp://x", "https://u:p@x", "https://x/../y", "https://x?a", "https://x y", "//x", "file:///etc"]
)
def test_an_own_address_is_an_address_and_nothing_else(store):
    """No credentials, no query, no way out of the path."""
    play, client = play_of(api="{shop}/api", values={"shop": store})
    with pytest.raises(CallFailed):
        client.get("/x")
    assert play.calls == []


def test_a_secret_does_not_go_to_another_host():
    """A whole URL is called only when its host is the connector's own."""
    play, client = play_of(answers(200, {}), api=("https://a.example", "https://b.example"))
    client.get("https://b.example/x")
    with pytest.raises(CallFailed, match="not an address of Shop"):
        client.get("https://evil.example/x")
    with pytest.raises(CallFailed, match="not an address of Shop"):
        client.get("http://b.example/x")
    assert [call.url for call in play.calls] == ["https://b.example/x"]


def test_a_further_address_counts_only_where_the_connection_says_it():
    """The others are called without it; an address that is a secret itself is not shown who we are."""
    api = ("https://a.example", "{flow}")
    form = secrets("api_key") + setting("flow", default=None)
    for flow, reached in ((None, False), ("https://flow.example/run?v=1", True)):
        connector = Connector("shop", title="Shop", settings=form, api=api, auth=auth.bearer("api_key"))
        play = Play(one_by_one([answers(200, {}), answers(200, {})]))
        client = play.client(Connection("shop", connector, form.read({"api_key": "k3y-secret", "flow": flow})))
        client.get("/x")
        if reached:
            client.post("{flow}", query={"sig": "s1g"}, json={}, bare=True)
            assert play.calls[1].url == "https://flow.example/run?v=1&sig=s1g"
            assert "authorization" in play.calls[0].headers and "authorization" not in play.calls[1].headers
        else:
            with pytest.raises(CallFailed, match="not an address of Shop"):
                client.get("https://flow.example/run")


def test_a_bare_call_that_is_refused_asks_for_no_other_token():
    """It showed none."""
    play, client = oauth_client(Tokens(Token(Secret("acc3ss"), None, SAMPLE_NOW + timedelta(hours=1))), answers(401, {}))
    client._token = Token(Secret("acc3ss"))
    with pytest.raises(CallFailed):
        client.get("/x", bare=True)
    assert len(play.calls) == 1


@pytest.mark.parametrize(
    "path",
    [
        "https://acme.example.com@evil.example/x", "https://acme.example.com.evil.example/x", "https://evil.example/x",
        "https://acme.example.com:8443/x", "http://acme.example.com/x", "https://acme.example.com\\@evil.example/x",
        "https://acme.example.com%2f@evil.example/x", "HTTPS://evil.example/x", "https:/evil.example/x", ".evil.example/x",
        "http.evil.example/x", "https.evil.example/x", "@evil.example/x", ":80@evil.example/x", "file:///etc/passwd",
        "\\\\evil.example", "gopher://evil.example/x", "/\t/evil.example", "/../x", "https://[::1]/x",
        "https://169.254.169.254/latest", "",
    ],
)  # fmt: skip
def test_no_path_leads_to_another_host(path):
    """Neither a page's address from a platform nor a value of a recipe takes the call, and its key, elsewhere."""
    for api in ("https://acme.example.com", "https://acme.example.com/v1"):
        play, client = play_of(api=api)
        with pytest.raises(CallFailed) as caught:
            client.get(path)
        assert caught.value.verdict == "lasting"
        assert not play.calls


def test_two_slashes_begin_a_path_and_no_host():
    """What a browser would take for another host stays on this one."""
    play, client = play_of(answers(200, {}))
    client.get("//evil.example/x")
    assert play.calls[0].url.startswith("https://acme.example.com/v1//evil")


@pytest.mark.parametrize(
    "url", ["file:///etc", "ftp://shop.example", "https://user:pw@shop.example", "shop.example", "https://"]
)
def test_an_own_address_is_of_http_and_names_nobody(url):
    """A base_url with another scheme or a user's name in it is refused, and not shown."""
    play, client = play_of(base_url=url)
    with pytest.raises(CallFailed, match="must be https://host") as caught:
        client.get("/x")
    assert "pw" not in str(caught.value)
    assert not play.calls


def test_a_stand_in_plays_every_host():
    """With base_url all calls go there, whole URLs too."""
    play, client = play_of(
        answers(200, {}), answers(200, {}), api=("https://a.example", "https://b.example"), base_url="http://localhost:1"
    )
    client.get("/x")
    client.get("https://b.example/y?z=1")
    assert [call.url for call in play.calls] == ["http://localhost:1/x", "http://localhost:1/y?z=1"]


def test_reading_is_repeated_after_trouble_with_growing_pauses():
    """A GET is asked again after 5xx and lost answers."""
    play, client = play_of(answers(502), requests.ReadTimeout(), answers(200, {"id": "1"}))
    assert client.get("/x") == {"id": "1"}
    assert play.slept == [0.5, 1.0]


def test_after_three_times_it_is_left_to_the_outbox():
    """Quick retries are few; the verdict says that later it may work."""
    play, client = play_of(*[answers(503, {"message": "closed"})] * 9)
    with pytest.raises(CallFailed, match="Shop answered 503 to GET /v1/x: closed") as caught:
        client.get("/x")
    assert (caught.value.verdict, len(play.calls)) == ("passing", 3)


@pytest.mark.parametrize("trouble", [answers(500), requests.ReadTimeout(), requests.ConnectionError("reset by peer")])
def test_what_must_not_be_repeated_ends_uncertain(trouble):
    """A POST that may have been done is not sent twice."""
    play, client = play_of(trouble)
    with pytest.raises(CallFailed) as caught:
        client.post("/x", json={})
    assert (caught.value.verdict, len(play.calls)) == ("uncertain", 1)


def test_a_connection_that_was_never_made_is_no_uncertainty():
    """Nothing was sent, so even what must not be repeated may be tried again."""
    play, client = play_of(requests.ConnectTimeout(), answers(200, {}))
    client.post("/x", json={})
    assert len(play.calls) == 2


def test_throttling_is_never_an_uncertainty():
    """A 429 was not worked, so it is repeated whatever the call."""
    play, client = play_of(answers(429, None, retry_after="3"), answers(200, {}))
    client.post("/x", json={})
    assert play.slept == [3.0]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "90"}, 90),
        ({"Retry-After": "Fri, 06 Feb 2026 21:31:30 GMT", "Date": "Fri, 06 Feb 2026 21:30:00 GMT"}, 90),
        ({"X-RateLimit-Reset": "1770413490", "Date": "Fri, 06 Feb 2026 21:30:00 GMT"}, 90),
        ({"RateLimit-Reset": "90"}, 90),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 30}, 24 * 3600),
    ],
)
def test_a_long_wait_is_told_to_the_outbox(headers, seconds):
    """More than twenty seconds are not slept away; the error says how long."""
    reply = answers(429)
    reply = type(reply)(429, b"", None, headers)
    play, client = play_of(*[reply] * 3)
    with pytest.raises(CallFailed) as caught:
        client.get("/x")
    assert caught.value.retry_after_seconds == seconds
    assert len(play.calls) == (3 if seconds is None else 1)


def test_the_key_stays_the_same_on_every_attempt_and_differs_from_call_to_call():
    """Two calls of one step have two keys; a repetition has the same one, and so has the next run of the step."""
    replies = [answers(503), answers(200, {}), answers(200, {})]
    seen = []
    for _ in range(2):
        play, client = play_of(*replies, idempotency=header("Idempotency-Key"), call_key="run/step", repeat="keyed")
        client.post("/a", json={})
        client.post("/b", json={})
        seen.append([call.headers["idempotency-key"] for call in play.calls])
    assert seen[0] == seen[1]
    first, again, second = seen[0]
    assert first == again != second


def test_a_key_belongs_to_what_is_called():
    """When another attempt needs a call less, the remaining ones keep their keys."""
    seen = []
    for paths in (("/find-or-make", "/give", "/give"), ("/give", "/give")):
        play, client = play_of(*[answers(200, {})] * 3, idempotency=header("Key"), call_key="run/step", repeat="keyed")
        for path in paths:
            client.post(path, json={})
        seen.append([call.headers["key"] for call in play.calls])
    assert seen[0][1:] == seen[1]
    assert len(set(seen[0])) == 3


def test_the_key_may_go_into_the_body():
    """Some platforms take it as a field; reads carry none."""
    play, client = play_of(
        answers(200, {}), answers(200, {}), idempotency=body("idempotency_key"), call_key="run/step", repeat="keyed"
    )
    client.post("/a", json={"x": 1})
    client.post("/search", json={"q": 1}, safe=True)
    assert b'"idempotency_key":"' in play.calls[0].body
    assert play.calls[1].body == b'{"q":1}'


def test_the_key_may_go_into_the_address():
    """Beside what is asked for; reads carry none."""
    replies = [answers(503), answers(200, {}), answers(200, {})]
    play, client = play_of(*replies, idempotency=query("requestid"), call_key="run/step", repeat="keyed")
    client.post("/a", json={"x": 1}, query={"version": 75})
    client.get("/a", query={"version": 75})
    first, again, read = (call.url.partition("?")[2] for call in play.calls)
    assert re.fullmatch("version=75&requestid=[0-9a-f-]{36}", first)
    assert (again, read) == (first, "version=75")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ({"errors": [{"detail": "no such order"}]}, "no such order"),
        ({"error": {"message": "m"}}, ": m"),
        ({"errors": {"message": "no such campaign", "payload": {}}}, "no such campaign"),
        ({"error": {"msg": "no such ticket"}}, "no such ticket"),
        ({"error_description": "expired"}, "expired"),
        ({"code": 21211, "message": "bad To"}, "bad To (21211)"),
        ([{"message": "in a list"}], "in a list"),
        (b"<html>", "400 to GET /v1/x."),
    ],
)
def test_the_platforms_own_words_are_in_the_error(reply, said):
    """Wherever it puts its sentence, people see it."""
    _, client = play_of(answers(400, reply))
    with pytest.raises(CallFailed) as caught:
        client.get("/x", query={"q": "private"})
    assert said in str(caught.value)
    assert "private" not in str(caught.value)
    assert caught.value.verdict == "lasting"


def test_a_secret_that_comes_back_is_struck_out():
    """A platform that repeats our key in its error does not bring it into our logs."""
    _, client = play_of(answers(403, {"message": "bad key k3y-secret"}))
    with pytest.raises(CallFailed) as caught:
        client.get("/x")
    assert "k3y-secret" not in str(caught.value)


def test_a_text_is_kept_without_what_the_platform_heard_from_us():
    """What a connector keeps as it came says nothing of the key that the platform repeats in it."""
    _, client = play_of(answers(200, {"echo": "Bearer k3y-secret"}))
    assert client.struck(client.call("GET", "/x").body.decode()) == '{"echo": "Bearer ***"}'


def test_a_connector_knows_better_than_the_status():
    """A 200 can be a failure, and a 403 a throttle: the connector says so."""

    def failures(reply):
        if reply.find("ok") is False:
            return Failure("lasting", "not really")
        return Failure("passing") if reply.status == 403 else None

    play, client = play_of(answers(403), answers(200, {"ok": False}), failures=failures)
    with pytest.raises(CallFailed, match="answered 200 to GET /v1/x: not really"):
        client.get("/x")
    assert len(play.calls) == 2


def test_a_person_is_told_what_to_do():
    """To connect again, unless the connector knows better."""

    def failures(reply):
        return Failure("reconnect", todo="Add money." if reply.status == 402 else "")

    _, client = play_of(answers(402, {"message": "too little"}), answers(403), failures=failures)
    with pytest.raises(CallFailed, match=r"answered 402 to GET /v1/x: too little\. Add money\.$"):
        client.get("/x")
    with pytest.raises(CallFailed, match=r"Check or renew the access of this connection\.$"):
        client.get("/x")


def test_nothing_new_is_an_answer():
    """A 304 to what is asked for if it was changed is an empty list, and no failure."""
    play, client = play_of(answers(304))
    found = client.pages("/x", items="rows", next=pages.page_number(size=1), headers={"If-Modified-Since": "yesterday"})
    assert (list(found), len(play.calls)) == ([], 1)


def test_a_connector_may_know_the_time():
    """The hub's, by which tokens expire too."""
    _, client = play_of()
    assert client.now() == SAMPLE_NOW


def test_a_connector_knows_how_long_to_wait():
    """Where the body tells it, and no header; what is too long to wait for is left to the outbox."""

    def failures(reply):
        wait = reply.find("wait")
        return None if wait is None else Failure("passing", retry_after_seconds=float(wait))

    play, client = play_of(answers(200, {"wait": 7}), answers(200, {}), failures=failures)
    client.get("/x")
    assert play.slept == [7.0]
    play, client = play_of(answers(200, {"wait": 90}), failures=failures)
    with pytest.raises(CallFailed) as caught:
        client.get("/x")
    assert (caught.value.retry_after_seconds, play.slept) == (90.0, [])


@pytest.mark.parametrize("reply", [b"not json", {"no": "id"}, b"\xff"])
def test_an_answer_of_another_form_is_uncertain_for_a_write(reply):
    """It answered 2xx, so it was done, though we cannot read it. What was only read and is no JSON may be whole next time."""
    for method, safe, verdict in (("get", None, "lasting"), ("post", True, "lasting"), ("post", None, "uncertain")):
        _, client = play_of(answers(200, reply))
        with pytest.raises(CallFailed) as caught:
            getattr(client, method)("/x", into=Thing, safe=safe)
        assert caught.value.verdict == ("passing" if verdict == "lasting" and isinstance(reply, bytes) else verdict)


def test_an_empty_answer_is_none():
    """204 and 202 without a body are no error."""
    _, client = play_of(answers(204))
    assert client.delete("/x") is None


@pytest.mark.parametrize("status", [404, 410])
def test_what_may_not_be_there_is_none(status):
    """Only where the platform says so; that it is in trouble, or that we may not see it, is no answer."""
    play, client = play_of(answers(status, {"message": "no such thing"}), answers(200, {"id": 7}), *[answers(403)] * 3)
    assert client.find("/things/{id}", at={"id": "7"}, into=Thing) is None
    assert client.find("/things/{id}", at={"id": "7"}, into=Thing).id == "7"
    with pytest.raises(CallFailed) as caught:
        client.find("/things/7")
    assert caught.value.status == 403 and len(play.calls) == 3


def test_a_redirect_is_followed_only_to_the_same_host():
    """A redirect elsewhere would take our credentials along."""
    _, client = play_of(answers(302, None, location="/v1/y"), answers(200, {"id": "y"}))
    assert client.get("/x") == {"id": "y"}
    _, client = play_of(answers(302, None, location="https://evil.example/"))
    with pytest.raises(CallFailed, match="other hosts are not followed"):
        client.get("/x")
    _, client = play_of(*[answers(302, None, location="/v1/x")] * 9)
    with pytest.raises(CallFailed, match="more than 3 times"):
        client.get("/x")
    _, client = play_of(answers(307, None, location="/v1/y"))
    with pytest.raises(CallFailed, match="answered 307"):
        client.post("/x", json={})


def test_an_endless_answer_is_cut(monkeypatch):
    """No platform can fill our memory."""
    monkeypatch.setattr("hub.sdk.client.REPLY_BYTES_MOST", 10)
    _, client = play_of(answers(200, b"x" * 11))
    with pytest.raises(CallFailed, match="too long"):
        client.get("/x")


@responses.activate
def test_the_guarded_session_is_played_by_the_responses_library():
    """Connectors' tests may use `responses`, in front of the guard."""
    connection = connection_of(auth=auth.query("key", "api_key"))
    responses.get(
        "https://acme.example.com/v1/x", json={"id": "1"}, match=[matchers.query_param_matcher({"key": "k3y-secret", "a": "b"})]
    )
    client = Client(connection, session=open_session(), monotonic=lambda: 0.0, sleep=lambda seconds: None)
    assert client.get("/x", query={"a": "b"}, into=Thing).id == "1"


# Pages


@pytest.mark.parametrize(
    ("after", "replies", "asked"),
    [
        (pages.cursor("cursor"), [{"rows": [1], "cursor": "c2"}, {"rows": [2]}], ["", "cursor=c2"]),
        (pages.cursor("after", "paging.next"), [{"rows": [1], "paging": {"next": 7}}, {"rows": [2]}], ["", "after=7"]),
        (
            pages.cursor("after", more="more"),
            [{"rows": [1], "after": "c2", "more": True}, {"rows": [2], "after": "c3", "more": False}],
            ["", "after=c2"],
        ),
        (pages.next_url("next"), [{"rows": [1], "next": "/v1/x?page=2"}, {"rows": [2], "next": None}], ["", "page=2"]),
        (
            pages.last_id("starting_after"),
            [{"rows": [{"id": "a"}], "has_more": True}, {"rows": [{"id": "b"}], "has_more": False}],
            ["", "starting_after=a"],
        ),
        (
            pages.last_id("before", last="token", size=1),
            [{"rows": [{"token": "b"}]}, {"rows": [{"token": "a"}]}, {"rows": []}],
            ["", "before=b", "before=a"],
        ),
        (pages.page_number(size=2), [{"rows": [1, 2]}, {"rows": [3]}], ["", "page=2"]),
        (pages.offset(size=2), [{"rows": [1, 2]}, {"rows": []}], ["", "offset=2"]),
    ],
)
def test_each_way_of_paging_reaches_the_end(after, replies, asked):
    """All rows of all pages, and no call more than there are pages."""
    play, client = play_of(*[answers(200, reply) for reply in replies])
    rows = list(client.pages("/x", items="rows", next=after))
    assert rows == [row for reply in replies for row in reply["rows"]]
    assert [call.url.partition("?")[2] for call in play.calls] == asked


def test_link_headers_lead_on():
    """The next page stands in the header Link, under our own base address."""
    link = '<https://acme.example.com/v1/x?page_info=n>; rel="next", <https://acme.example.com/v1/x>; rel="previous"'
    play, client = play_of(answers(200, {"rows": [1]}, link=link), answers(200, {"rows": [2]}))
    assert list(client.pages("/x", items="rows", next=pages.link_header(), query={"limit": 1})) == [1, 2]
    assert play.calls[1].url == "https://acme.example.com/v1/x?page_info=n"


def test_a_cursor_may_go_into_the_body_of_a_search():
    """A POST that only reads is paged, and repeated like a read."""
    play, client = play_of(answers(503), answers(200, {"rows": [1], "cursor": "c"}), answers(200, {}))
    found = client.pages("/search", items="rows", next=pages.cursor("cursor", into="json"), method="POST", json={"q": 1})
    assert list(found) == [1]
    assert play.calls[2].body == b'{"q":1,"cursor":"c"}'


def test_a_cursor_may_lie_deep_in_the_body():
    """By a dotted path; what else lies there stays."""
    play, client = play_of(answers(200, {"rows": [1], "next": {"after": "c"}}), answers(200, {}))
    after = pages.cursor("page.after", "next.after", into="json")
    assert list(client.pages("/search", items="rows", next=after, method="POST", json={"page": {"size": 9}})) == [1]
    assert play.calls[1].body == b'{"page":{"size":9,"after":"c"}}'


def test_a_page_that_comes_again_ends_the_walk():
    """A platform that repeats its cursor does not keep us for ever."""
    _, client = play_of(*[answers(200, {"rows": [1], "cursor": "same"})] * 9)
    with pytest.raises(CallFailed, match="again and again"):
        list(client.pages("/x", items="rows", next=pages.cursor("cursor")))


# OAuth


class Tokens:
    """A token store in memory, with a real lease."""

    def __init__(self, token):
        self.token, self.saved, self.lock = token, 0, threading.Lock()

    def now(self):
        return SAMPLE_NOW

    def load(self, connection):
        return self.token

    def save(self, connection, token):
        self.token, self.saved = token, self.saved + 1

    def asking(self, connection):
        assert self.lock.locked()

    @contextmanager
    def lease(self, connection):
        with self.lock:
            yield


OAUTH = {
    "auth": auth.oauth2("https://id.example.com/token", client_id="shop", client_secret="api_key", base="instance"),
    "api": "https://first.example.com",
}


def oauth_client(tokens, *replies):
    play = Play(one_by_one(replies))
    connection = connection_of(**OAUTH)
    client = Client(connection, session=play.session(), monotonic=lambda: 0.0, sleep=play.slept.append, tokens=tokens)
    return play, client


def test_a_fresh_token_is_used_as_it_is():
    """Nothing is renewed before its time."""
    play, client = oauth_client(Tokens(Token(Secret("acc3ss"), None, SAMPLE_NOW + timedelta(hours=1))), answers(200, {}))
    client.get("/x")
    assert [call.headers["authorization"] for call in play.calls] == ["Bearer acc3ss"]


def test_an_expired_token_is_renewed_once_by_many_callers():
    """One caller renews while the others wait; a refresh token that is not repeated stays."""
    tokens = Tokens(Token(Secret("old"), Secret("refresh"), SAMPLE_NOW + timedelta(seconds=30)))

    def respond(called, before):
        if called.url.endswith("/token"):
            assert b"grant_type=refresh_token&refresh_token=refresh" in called.body
            return answers(200, {"access_token": "new", "expires_in": 3600, "instance": "https://mine.example.com"})
        return answers(200, {"auth": called.headers["authorization"]})

    play, said = Play(respond), []
    connection = connection_of(**OAUTH)

    def call():
        client = Client(connection, session=play.session(), monotonic=lambda: 0.0, sleep=play.slept.append, tokens=tokens)
        said.append(client.get("/x"))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [{"auth": "Bearer new"}] * 8
    assert tokens.saved == 1
    assert tokens.token.refresh.reveal() == "refresh"
    assert {call.url for call in play.calls} == {"https://id.example.com/token", "https://mine.example.com/x"}


def test_a_token_that_is_refused_is_renewed_once():
    """Some platforms do not say when a token ends; a 401 then renews it, a second one asks for a person."""
    renewed = answers(200, {"access_token": "new"})
    play, client = oauth_client(Tokens(Token(Secret("old"), Secret("r"))), answers(401), renewed, answers(200, {"id": "1"}))
    assert client.get("/x") == {"id": "1"}
    play, client = oauth_client(Tokens(Token(Secret("old"), Secret("r"))), answers(401), renewed, answers(401))
    with pytest.raises(CallFailed) as caught:
        client.get("/x")
    assert (caught.value.verdict, len(play.calls)) == ("reconnect", 3)


@pytest.mark.parametrize(
    ("token", "replies"),
    [
        (None, []),
        (Token(Secret("old"), None, SAMPLE_NOW), []),
        (Token(Secret("old"), Secret("r"), SAMPLE_NOW), [answers(400, {"error": "invalid_grant"})]),
        (Token(Secret("old"), Secret("r"), SAMPLE_NOW), [answers(200, {"no": "token"})]),
    ],
)
def test_what_cannot_be_renewed_asks_for_a_person(token, replies):
    """Without a token, without a refresh token, or with one that was withdrawn, a person must connect again."""
    _, client = oauth_client(Tokens(token), *replies)
    with pytest.raises(CallFailed) as caught:
        client.get("/x")
    assert caught.value.verdict == "reconnect"


def test_a_refusal_with_200_says_why_there_is_no_token():
    """The platform's word is shown, so that a person knows what to mend."""
    _, client = oauth_client(Tokens(Token(Secret("old"), Secret("r"), SAMPLE_NOW)), answers(200, {"error": "invalid_code"}))
    with pytest.raises(CallFailed, match=r"no access token \(invalid_code\)"):
        client.get("/x")


def test_an_authorisation_begins_and_ends_with_the_platform():
    """The URL carries our state; the code that comes back is exchanged for a token."""
    scheme = auth.oauth2(
        "https://id.example.com/token",
        authorize="https://id.example.com/auth",
        scopes="read write",
        client="basic",
        client_id="shop",
        client_secret="api_key",
        more={"access_type": "offline"},
    )
    connection = connection_of(auth=scheme)
    asked = Authorization("https://hub.example.com/back", "st4te")
    url = scheme.authorize_url(connection, asked)
    assert url.endswith("&access_type=offline")
    assert url.startswith("https://id.example.com/auth?response_type=code&client_id=acme&")
    assert "state=st4te" in url
    posted = []

    def post(address, form, headers):
        posted.append((address, dict(form), headers["Authorization"]))
        return {"access_token": "a", "refresh_token": "r", "expires_in": "60"}

    token = scheme.exchange(connection, "c0de", asked, SAMPLE_NOW, post)
    assert (token.access.reveal(), token.expires_at) == ("a", SAMPLE_NOW + timedelta(seconds=60))
    assert posted[0][1]["code"] == "c0de"
    assert posted[0][2].startswith("Basic ")
