"""Web: every route says who may call it, and every error is a problem that explains itself."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest
from werkzeug.exceptions import RequestEntityTooLarge

from hub import log
from hub.engine.vitals import Check, Snapshot
from hub.web.policy import policy, policy_of

if TYPE_CHECKING:
    from tests.web.conftest import Heard, Site, World

Ask = Callable[..., "Heard"]
STATED = {"hooks": "signed", "healthz": "public", "readyz": "public", "metrics_text": "operator", "oauth_callback": "public"}


def test_every_route_states_its_policy(world: World) -> None:
    """Walks the map of the application: a route that says nothing about who may call it fails here."""
    app = world.app()
    found = {rule.endpoint: policy_of(app, rule.endpoint) for rule in app.url_map.iter_rules()}
    assert found == STATED


def test_a_route_without_a_policy_is_closed(world: World, ask: Ask) -> None:
    """Somebody forgot: nobody gets in."""
    app = world.app()
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    heard = ask(app, "/forgotten")
    assert heard.status == 403
    assert b"secret" not in heard.body


def test_alive_is_said_without_looking_at_anything(world: World, ask: Ask) -> None:
    """/healthz says that the process answers, whatever the state of the store."""
    world.store.close()
    heard = ask(world.app(), "/healthz")
    assert (heard.status, heard.json) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ([Check("store", ok=True), Check("migrations", ok=True)], 200),
        ([Check("store", ok=True), Check("worker", ok=False, detail="last heard of 95 s ago", vital=False)], 200),
        ([Check("store", ok=True), Check("migrations", ok=False, detail="0004_x.sql has not been applied")], 503),
    ],
)
def test_readiness_names_what_was_found(world: World, ask: Ask, checks: Sequence[Check], status: int) -> None:
    """Only what deliveries need decides; a worker that is behind is said and no reason to refuse them."""
    world.checks = list(checks)
    heard = ask(world.app(), "/readyz")
    assert heard.status == status
    assert heard.json["checks"] == {check.name: check.detail or "ok" for check in checks}


def test_a_check_that_breaks_means_not_ready(world: World, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that raises instead of answering is a plain no, not an error page."""
    monkeypatch.setattr(type(world), "checks", property(lambda self: 1 / 0), raising=False)
    assert ask(world.app(), "/readyz").status == 503


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/", "GET", 404), ("/hooks", "POST", 404), ("/healthz", "POST", 405), ("/metrics/", "DELETE", 405), ("/%FF", "GET", 404)],
)
def test_errors_of_routing_are_problems(site: Site, path: str, method: str, status: int) -> None:
    """No such address, no such method: problem+json like everything else."""
    heard = site.call(method, path)
    assert heard.status == status
    assert heard.headers["Content-Type"] == "application/problem+json"
    assert heard.json["status"] == status
    if status == 405:
        assert "GET" in heard.headers["Allow"]


def test_an_unforeseen_method_is_not_allowed(site: Site) -> None:
    """A method that nobody has heard of gets 405 from the webhook address, on both ways in."""
    heard = site.call("BREW", "/hooks/shop")
    assert (heard.status, heard.headers["Content-Type"]) == (405, "application/problem+json")


def test_an_unforeseen_error_tells_the_log_and_not_the_caller(world: World, ask: Ask) -> None:
    """500 as a problem without the reason; the log has the reason with its traceback."""

    @policy("public")
    def broken() -> str:
        raise ValueError("with details")

    @policy("public")
    def large() -> str:
        raise RequestEntityTooLarge

    app = world.app()
    app.add_url_rule("/broken", "broken", broken)
    app.add_url_rule("/large", "large", large)
    stream = io.StringIO()
    log.setup(stream)
    heard = ask(app, "/broken?token=abcdef")
    assert (heard.status, heard.headers["Content-Type"]) == (500, "application/problem+json")
    assert b"details" not in heard.body
    said = json.loads(stream.getvalue())
    assert said["path"] == "/broken"
    assert "ValueError: with details" in said["traceback"]
    assert "abcdef" not in stream.getvalue()
    assert ask(app, "/large").json["status"] == 413


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_metrics_are_open_to_this_machine(world: World, ask: Ask, address: str) -> None:
    """Without a token, a call that comes straight from this machine may read the metrics."""
    heard = ask(world.app(), "/metrics", REMOTE_ADDR=address)
    assert heard.status == 200
    assert heard.headers["Content-Type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": "10.0.0.9"},
        {"REMOTE_ADDR": "::ffff:10.0.0.9"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "localhost"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=10.0.0.9"},
        {"REMOTE_ADDR": "10.0.0.9", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
    ],
)
def test_metrics_are_closed_to_others(world: World, ask: Ask, environ: dict[str, str]) -> None:
    """Another machine, one that we do not know, or whoever speaks through a proxy on this machine."""
    heard = ask(world.app(), "/metrics", **environ)
    assert (heard.status, heard.headers["Content-Type"]) == (403, "application/problem+json")
    assert "HUB_METRICS_TOKEN" in heard.json["hint"]


@pytest.mark.parametrize("shown", ["", "Bearer ", "Bearer wrong", "Bearer correct horse é", "Basic correct horse"])
def test_with_a_token_metrics_want_it_from_everybody(world: World, ask: Ask, shown: str) -> None:
    """A wrong or missing token is refused even from this machine; the right one opens from anywhere."""
    world.operator_token = "correct horse"
    app = world.app()
    heard = ask(app, "/metrics", headers={"Authorization": shown}, REMOTE_ADDR="127.0.0.1")
    assert (heard.status, heard.headers["WWW-Authenticate"]) == (401, "Bearer")
    right = ask(app, "/metrics", headers={"Authorization": "Bearer correct horse"}, REMOTE_ADDR="10.0.0.9")
    assert right.status == 200


def test_metrics_show_what_the_databases_hold(world: World, ask: Ask) -> None:
    """The numbers of the snapshot stand under their names and labels."""
    world.snapshot = Snapshot(
        events={"done": 7, "parked": 1},
        lag_seconds=2.5,
        lane_lag_seconds=0.5,
        runs={"held": 1},
        steps={"done": 12},
        outbox={("twilio", "due"): 3},
        breakers={"twilio": "open"},
        postings={"award": 239_444},
        timers={"expiry": 2},
        database_bytes={"hub.db": 4096},
    )
    lines = ask(world.app(), "/metrics").body.decode().splitlines()
    for line in (
        'hub_events{state="done"} 7.0',
        'hub_events{state="parked"} 1.0',
        "hub_lag_seconds 2.5",
        "hub_lane_lag_seconds 0.5",
        'hub_runs{state="held"} 1.0',
        'hub_steps{outcome="done"} 12.0',
        'hub_outbox{connection="twilio",state="due"} 3.0',
        'hub_connection_state{connection="twilio",state="open"} 1.0',
        'hub_ledger_postings_total{kind="award"} 239444.0',
        'hub_timer_failures{timer="expiry"} 2.0',
        'hub_database_bytes{file="hub.db"} 4096.0',
    ):
        assert line in lines


def test_metrics_count_deliveries_and_no_stranger_makes_names(site: Site) -> None:
    """Deliveries are counted by connection and outcome; a name that is not connected here does not become a label."""
    site.deliver(b"{}")
    site.deliver(b"{}")
    site.call("POST", "/hooks/shop")
    site.call("GET", "/hooks/shop?challenge=1")
    site.call("GET", "/hooks/shop")
    site.call("POST", "/hooks/stranger-1")
    site.call("POST", "/hooks/a/b/c")
    site.call("POST", "/hooks/stranger-1", environ_overrides={"CONTENT_LENGTH": "x"})
    text = site.call("GET", "/metrics", environ_overrides={"REMOTE_ADDR": "127.0.0.1"}).body.decode()
    counts = {line for line in text.splitlines() if line.startswith("hub_deliveries_total")}
    assert counts == {
        'hub_deliveries_total{connection="shop",outcome="kept"} 2.0',
        'hub_deliveries_total{connection="shop",outcome="refused"} 1.0',
        'hub_deliveries_total{connection="shop",outcome="handshake"} 1.0',
        'hub_deliveries_total{connection="shop",outcome="wrong_method"} 1.0',
        'hub_deliveries_total{connection="",outcome="unknown"} 2.0',
        'hub_deliveries_total{connection="",outcome="cut_off"} 1.0',
    }
    assert "hub_delivery_seconds_count 8.0" in text.splitlines()


def test_metrics_that_cannot_be_read_are_a_problem(world: World, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that does not answer gives a clear error, not half a page."""
    monkeypatch.setattr(type(world), "snapshot", property(lambda self: 1 / 0), raising=False)
    heard = ask(world.app(), "/metrics")
    assert (heard.status, heard.headers["Content-Type"]) == (500, "application/problem+json")


def test_where_a_platform_leads_back_to_nothing_of_the_address_is_repeated(world: World, ask: Ask) -> None:
    """The page says what to do with its address, and lets nobody else have it."""
    heard = ask(world.app(), "/oauth/callback?code=c0de-7Qd2&state=<script>")
    assert heard.status == 200
    assert b"hub connections authorize" in heard.body
    assert b"c0de" not in heard.body
    assert b"<script" not in heard.body
    assert (heard.headers["Cache-Control"], heard.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
