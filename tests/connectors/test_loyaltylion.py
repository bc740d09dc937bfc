"""LoyaltyLion: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors import loyaltylion
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Answer, CallKey, Client, Connection, Customer, Fact, Item, Mirrored, Request, Settings, Shown
from hub.sdk.address import take_address_back, tell_address
from hub.sdk.play import Called, Play, one_by_one
from hub.sdk.sample import SAMPLE_NOW, answers

NOW = SAMPLE_NOW
URL = "https://points.example.com/hooks/loyaltylion"
SECRET = "site-secret-7Qd2"
ANA, GUEST, EARNED, CLAIMED, MOVED = (
    loyaltylion.ANA, loyaltylion.GUEST, loyaltylion.EARNED, loyaltylion.CLAIMED, loyaltylion.MOVED,
)  # fmt: skip
KEY = CallKey("run_1/step_1")
FULFIL = {
    "test": False,
    "reward_id": 77,
    "reward_identifier": "free-coffee",
    "customer_id": 1001,
    "customer_merchant_id": "5000001",
    "customer_email": "ana@example.com",
}


def _connection(**settings: Any) -> Connection:
    values = {"access_token": "pat_7Qd2", "signing_secret": SECRET, "rewards": {"77": "free-coffee"}}
    return Connection(
        "loyaltylion", loyaltylion.connector, loyaltylion.connector.settings.read(values | settings), webhook_url=URL
    )


def _request(body: Any, signature: str | None = None, topic: str = "") -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    made = base64.b64encode(hmac.digest(SECRET.encode(), raw, hashlib.sha256)).decode()
    headers = {"content-type": "application/json", "x-loyaltylion-hmac-sha256": made if signature is None else signature}
    more = {"x-loyaltylion-topic": topic} if topic else {}
    return Request("POST", "/hooks/loyaltylion", "", headers | more, raw, NOW, URL)


def _play(replies: tuple[Any, ...]) -> Play:
    return Play(one_by_one([one if isinstance(one, Answer | Exception) else answers(200, one) for one in replies]))


def _facts(body: Mapping[str, Any], *replies: Any, **settings: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(**settings), _play(replies)
    facts: list[Fact] = []
    for item in loyaltylion.connector.items(_request(body), connection):
        for trigger in loyaltylion.connector.triggers_for(item):
            if not trigger.poke:
                thin = trigger.thin_for(connection)
                facts += trigger.fetch(item, connection, play.client(connection)) if thin else trigger.read(item, connection)
    return facts, play


def _one(body: Mapping[str, Any], *replies: Any, **settings: Any) -> Any:
    (fact,), _ = _facts(body, *replies, **settings)
    return fact


def _key(name: str, fact: Fact) -> str:
    return loyaltylion.connector.triggers[name].key_of(fact)


def _pulled(name: str, *rows: Mapping[str, Any], **settings: Any) -> list[Any]:
    """The facts that asking brings, of one page of the log."""
    pull, connection = loyaltylion.connector.pulls[name], _connection(**settings)
    play = _play(({"transactions": list(rows), "customers": list(rows), "cursor": loyaltylion.END},))
    trigger, client = loyaltylion.connector.triggers[pull.trigger], play.client(connection)
    items: list[Item] = list(pull.items(connection, client, NOW - timedelta(days=1)))
    thin = trigger.thin_for(connection)
    found = [trigger.fetch(item, connection, client) if thin else trigger.read(item, connection) for item in items]
    assert len(play.calls) == 1
    return [fact for facts in found for fact in facts]


def _handed(play: Play, connection: Connection, repeat: str) -> dict[Any, Any]:
    client = play.client(connection, call_key=KEY, repeat=repeat)
    return {Client: client, Connection: connection, Settings: connection.settings, CallKey: KEY}


def _act(name: str, inputs: Mapping[str, Any], *replies: Any, **settings: Any) -> tuple[Any, Play]:
    action, connection, play = loyaltylion.connector.actions[name], _connection(**settings), _play(replies)
    try:
        return action.call(_handed(play, connection, action.repeat), action.inputs.model_validate(inputs)), play
    except CallFailed as failure:
        return failure, play


def _look_up(name: str, inputs: Mapping[str, Any], *rows: Mapping[str, Any], key: str = KEY) -> Any:
    """What the log says of a call whose answer was lost."""
    action, connection = loyaltylion.connector.actions[name], _connection()
    play = _play(({"transactions": list(rows), "activities": list(rows), "cursor": loyaltylion.END},))
    handed = {**_handed(play, connection, action.repeat), datetime: NOW}
    try:
        return action.find_done(handed, action.inputs.model_validate(inputs), key)
    except CallFailed as failure:
        return failure.verdict


def _sent(called: Called) -> Any:
    return json.loads(called.body)


def _calls(play: Play) -> list[str]:
    return [str(call) for call in play.calls]


# Proof


@pytest.mark.parametrize("coding", ["hex", "another key", "nothing"])
def test_the_signature_is_base64_with_the_site_secret(coding: str) -> None:
    """Not hex, though most do it so."""
    body = loyaltylion._told("customers/update", customer=ANA)
    raw = json.dumps(body).encode()
    wrong = {
        "hex": hmac.digest(SECRET.encode(), raw, hashlib.sha256).hex(),
        "another key": base64.b64encode(hmac.digest(b"token", raw, hashlib.sha256)).decode(),
        "nothing": "",
    }
    loyaltylion.connector.verify(_request(body), _connection(), NOW)
    with pytest.raises(Refused):
        loyaltylion.connector.verify(_request(body, wrong[coding]), _connection(), NOW)


# What comes in


def test_the_customer_is_found_wherever_the_topic_puts_them() -> None:
    """At the top, in the payload, or among its properties."""
    topic = "program_events/customer.enrolled"
    for more in ({"customer": ANA}, {"payload": {"customer": ANA}}, {"payload": {"properties": {"customer": ANA}}}):
        fact = _one(loyaltylion._told(topic, **more))
        assert fact.customer == Customer(
            id="5000001", email="ana@example.com", first_name="Ana", last_name="Blue", birthday=ANA["birthday"]
        )


@pytest.mark.parametrize("body", [[], {"id": "1"}, {"topic": "program_events/customer.points_earned", "payload": {}}])
def test_what_is_none_of_theirs_is_explained(body: Any) -> None:
    """It is kept, and a person sees why it could not be read."""
    with pytest.raises(Unreadable):
        loyaltylion.connector.items(_request(body), _connection())


def test_points_that_are_told_and_listed_are_one_event() -> None:
    """The notice has the very transaction that the log has; pending points are told when they are approved."""
    told = _one(loyaltylion._event("points_earned", transaction=EARNED))
    (listed,) = _pulled("points_since", EARNED, loyaltylion.PENDING)
    assert _key("points_changed", told) == _key("points_changed", listed)
    assert (listed.points, listed.kind, listed.occurred_at) == (120, "earned", datetime(2026, 2, 6, 21, 27, 34, tzinfo=UTC))


@pytest.mark.parametrize(
    ("row", "kind", "points"),
    [
        (EARNED, "earned", 120),
        (EARNED | {"points_approved": -120}, "adjusted", -120),
        (CLAIMED, "redeemed", -100),
        (CLAIMED | {"points_approved": 100}, "adjusted", 100),
        (MOVED, "adjusted", 50),
        (MOVED | {"resource": "expiry", "points_approved": -20, "adjustment": None}, "expired", -20),
        (MOVED | {"resource": "merge", "adjustment": None}, "other", 50),
    ],
)
def test_points_keep_their_sign_and_say_why(row: Mapping[str, Any], kind: str, points: int) -> None:
    """A rule that is voided and a claim that is given back are corrections."""
    (fact,) = _pulled("points_since", row)
    assert (fact.kind, fact.points, fact.balance) == (kind, points, 500)


@pytest.mark.parametrize(
    ("row", "ours"),
    [
        (EARNED, False),
        (EARNED | {"activity": loyaltylion.POSTED}, True),
        (EARNED | {"activity": loyaltylion.POSTED | {"merchant_id": "hubcap-7"}}, False),
        (MOVED, True),
        (MOVED | {"adjustment": {"note": {"text": "Diesel (hub 1a2b3c4d)"}}}, True),
        (MOVED | {"adjustment": {"reason": "Sorry"}}, False),
        (MOVED | {"adjustment": None}, False),
    ],
)
def test_what_the_hub_sent_is_known_again(row: Mapping[str, Any], ours: bool) -> None:
    """Else two programmes that tell each other of points would never end."""
    (fact,) = _pulled("points_since", row)
    assert fact.ours == ours


def test_what_the_hub_moves_comes_back_as_its_own() -> None:
    """By the very text that is sent."""
    _, play = _act("adjust_points", loyaltylion.POINTS, answers(201), our_name="garage")
    (fact,) = _pulled("points_since", MOVED | {"adjustment": {"reason": _sent(play.calls[0])["reason"]}}, our_name="garage")
    assert fact.ours


def test_a_late_notice_tells_what_is_so_now() -> None:
    """Order is not promised; so the customer is asked for, by the number, and a late notice is the newest state again."""
    late = loyaltylion._told("customers/update", customer=ANA | {"email": "old@example.com"})
    newest = loyaltylion._told("customers/update", customer=ANA)
    facts, play = _facts(late, {"customers": [ANA]})
    assert _key("customer_changed", facts[0]) == _key("customer_changed", _one(newest, {"customers": [ANA]}))
    assert parse_qs(urlsplit(play.calls[0].url).query) == {"since_id": ["1000"], "limit": ["1"]}
    other = _one(newest, {"customers": [loyaltylion.BEN]})
    assert other.customer.email == "ana@example.com", "whoever has the next number is somebody else"


def test_points_make_no_new_customer() -> None:
    """They are told by themselves, and the hub's own would come back here; a new tier is a change."""
    update = loyaltylion._told("customers/update", customer=ANA)
    same, richer = ({"customers": [ANA | more]} for more in ({}, {"points_approved": 9, "updated_at": "2026-02-07T00:00:00Z"}))
    first = _key("customer_changed", _one(update, same))
    assert first == _key("customer_changed", _one(update, richer))
    silver = ANA | {"loyalty_tier_membership": {"started_at": "2026-02-06T00:00:00Z", "loyalty_tier": {"name": "Silver"}}}
    assert first != _key("customer_changed", _one(update, {"customers": [silver]}))


def test_a_customer_who_is_told_and_listed_is_one_event() -> None:
    """What is listed is not asked for again."""
    told = _one(loyaltylion._told("customers/update", customer=ANA), {"customers": [ANA]})
    (listed,) = _pulled("customers_since", ANA, GUEST)
    assert _key("customer_changed", told) == _key("customer_changed", listed)


def test_guests_are_nobody() -> None:
    """They have no points and no account in the shop; one who enrolled is a member, whatever the other mark says."""
    update = loyaltylion._told("customers/update", customer=GUEST)
    assert _facts(update, {"customers": [GUEST]})[0] == []
    assert len(_facts(update, {"customers": [GUEST | {"enrolled": True}]})[0]) == 1


def test_a_change_of_a_customer_lets_the_log_be_read() -> None:
    """There is no notice of points that go."""
    (item,) = loyaltylion.connector.items(_request(loyaltylion._told("customers/update", customer=ANA)), _connection())
    pokes = [trigger.pull.name for trigger in loyaltylion.connector.triggers_for(item) if trigger.pull]
    assert pokes == ["points_since"]


def test_a_fulfilment_is_a_nudge_and_each_claim_is_told_once() -> None:
    """It has no number: a second claim and a notice that is sent again are the same bytes, but not the same claims."""
    connection = _connection()
    (item,) = loyaltylion.connector.items(_request(FULFIL, topic="rewards/store_fulfilment"), connection)
    triggers = loyaltylion.connector.triggers_for(item)
    assert [trigger.pull.name for trigger in triggers if trigger.pull] == ["claims_since"] and all(one.poke for one in triggers)
    second = CLAIMED | {"id": 9010, "claimed_reward": loyaltylion.CLAIM | {"id": 6002}}
    facts = _pulled("claims_since", CLAIMED, CLAIMED, second, EARNED, CLAIMED | {"points_approved": 100})
    assert [fact.request_id for fact in facts] == ["6001", "6001", "6002"]
    assert {(fact.reward, fact.points, fact.reward_id) for fact in facts} == {("free-coffee", 100, "77")}


def test_trying_the_address_does_nothing() -> None:
    """The dashboard sends a test whenever a reward is saved."""
    assert loyaltylion.connector.items(_request(FULFIL | {"test": True}, topic="rewards/store_fulfilment"), _connection()) == []


def test_a_reward_without_a_name_in_the_hub_goes_by_its_title() -> None:
    """Or its number; a reward that costs nothing is claimed too."""
    (fact,) = _pulled("claims_since", CLAIMED, rewards={})
    assert fact.reward == "Free coffee"
    free = loyaltylion.CLAIM | {"reward": {"id": 77}, "point_cost": 0}
    (fact,) = _pulled("claims_since", CLAIMED | {"points_approved": 0, "claimed_reward": free}, rewards={})
    assert (fact.reward, fact.points) == ("77", 0)


def test_the_same_tier_at_another_time_is_another_change() -> None:
    """Somebody may go down and come up again."""
    first = _one(loyaltylion._event("tier_upgraded", customer=ANA))
    later = ANA["loyalty_tier_membership"] | {"started_at": "2026-02-06T00:00:00Z"}
    again = _one(loyaltylion._event("tier_upgraded", customer=ANA | {"loyalty_tier_membership": later}))
    assert _key("tier_changed", first) != _key("tier_changed", again)


# Subscribing


def _told_address(*replies: Any, **settings: Any) -> Play:
    connection, play = _connection(**settings), _play(replies)
    tell_address(connection, play.client(connection, repeat="safe"))
    return play


def test_each_topic_has_one_webhook_of_ours() -> None:
    """Those that are there are left, other people's too; fulfilment is the dashboard's."""
    hooks = [
        {"id": 1, "topic": "customers/update", "address": URL},
        {"id": 2, "topic": "program_events/customer.enrolled", "address": "https://other.example"},
    ]
    topics = ["customers/update", "program_events/customer.enrolled"]
    play = _told_address({"webhooks": hooks}, answers(201, {"webhook": hooks[0]}), topics=topics)
    assert [_sent(call)["webhook"]["topic"] for call in play.calls[1:]] == ["program_events/customer.enrolled"]
    everything = _told_address({"webhooks": []}, *[answers(201, {"webhook": hooks[0]})] * 9)
    made = {_sent(call)["webhook"]["topic"] for call in everything.calls[1:]}
    assert made == set(loyaltylion.TOPICS) and loyaltylion.FULFILMENT not in made


def test_taking_the_address_back_leaves_the_dashboards_webhooks() -> None:
    """And those of others."""
    ours = {"id": 1, "topic": "customers/update", "address": URL}
    others = [
        {"id": 2, "topic": "rewards/store_fulfilment", "address": URL},
        ours | {"id": 3, "address": "https://other.example"},
    ]
    connection, play = _connection(), _play(({"webhooks": [ours, *others]}, answers(204)))
    take_address_back(connection, play.client(connection, repeat="safe"))
    assert _calls(play) == ["GET /v2/webhooks", "DELETE /v2/webhooks/1"]


# What goes out

SERVICE = loyaltylion.SERVICE
LOST = [answers(503), requests.ReadTimeout("lost")]


def test_a_member_is_posted_as_a_member() -> None:
    """LoyaltyLion takes everybody for a guest, who earns nothing, unless it is told otherwise."""
    _, play = _act("track_activity", SERVICE, answers(201))
    assert _sent(play.calls[0])["guest"] is False
    assert "guest" not in loyaltylion.connector.actions["track_activity"].inputs.model_fields


def test_an_activity_has_an_id_of_ours() -> None:
    """That of what it is about, else that of the call; the same on every attempt, another for another call."""
    bare = {name: value for name, value in SERVICE.items() if name != "thing"}
    (first, _), (again, _) = (_act("track_activity", bare, answers(201)) for _ in range(2))
    assert first == again and first.activity.startswith("hub-")
    assert _act("track_activity", SERVICE, answers(201))[0].activity == "hub-job_7"


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("track_activity", SERVICE),
        ("adjust_points", loyaltylion.POINTS),
        ("claim_reward", loyaltylion.CLAIM_77),
        ("refund_claim", loyaltylion.REFUND),
    ],
)
def test_nothing_that_moves_points_is_done_twice(name: str, inputs: Mapping[str, Any], lost: Any) -> None:
    """There are no keys; so the log is read before anything is done again."""
    failure, play = _act(name, inputs, lost, answers(201))
    assert isinstance(failure, CallFailed) and failure.verdict == "uncertain" and len(play.calls) == 1
    assert loyaltylion.connector.actions[name].lookup is not None


def test_the_log_tells_whether_points_were_moved() -> None:
    """By the reason, which says of which call it was; where the log has no reason, nobody knows, and a person decides."""
    other = MOVED | {"adjustment": {"reason": "Diesel service (hub 00000000)"}}
    assert _look_up("adjust_points", loyaltylion.POINTS, EARNED, other, MOVED).points == 50
    assert _look_up("adjust_points", loyaltylion.POINTS, EARNED, other) is None
    assert _look_up("adjust_points", loyaltylion.POINTS, MOVED | {"points_approved": 70}) is None
    assert _look_up("adjust_points", loyaltylion.POINTS, MOVED | {"adjustment": None}) == "uncertain"
    assert _look_up("adjust_points", loyaltylion.POINTS, MOVED, key="run_2/step_1") is None


def test_the_log_tells_whether_a_claim_was_made_or_taken_back() -> None:
    """Another reward is another claim; one that is void was taken back."""
    assert _look_up("claim_reward", loyaltylion.CLAIM_77, CLAIMED).code == "LL-7Q2"
    assert _look_up("claim_reward", loyaltylion.CLAIM_77 | {"reward_id": "78"}, CLAIMED) is None
    void = CLAIMED | {"claimed_reward": loyaltylion.CLAIM | {"state": "void"}}
    assert _look_up("claim_reward", loyaltylion.CLAIM_77, void) is None
    assert _look_up("refund_claim", loyaltylion.REFUND, void).refunded
    assert _look_up("refund_claim", loyaltylion.REFUND, CLAIMED) is None


def test_no_points_at_all_are_no_call() -> None:
    """LoyaltyLion takes at least one."""
    done, play = _act("adjust_points", loyaltylion.POINTS | {"points": 0})
    assert (done.points, play.calls) == (0, [])


@pytest.mark.parametrize(("wanted", "path", "points"), [(620, "points", 120), (380, "remove_points", 120)])
def test_points_are_set_by_what_differs(wanted: int, path: str, points: int) -> None:
    """What stands beside any transaction is the customer's number now, however old it is."""
    done, play = _act("set_points", {"customer": "5000001", "points": wanted}, {"transactions": [EARNED]}, answers(201))
    assert _calls(play)[1] == f"POST /v2/customers/5000001/{path}"
    assert (_sent(play.calls[1])["points"], done.balance) == (points, wanted)


def test_setting_points_is_begun_anew_when_an_answer_is_lost() -> None:
    """But the same points are never added a second time without looking."""
    action = loyaltylion.connector.actions["set_points"]
    failure, play = _act("set_points", {"customer": "5000001", "points": 620}, {"transactions": [EARNED]}, *LOST)
    assert action.repeat == "safe" and isinstance(failure, CallFailed) and len(play.calls) == 2
    after = EARNED | {"customer": loyaltylion.BRIEF | {"points_approved": 620}}
    done, play = _act("set_points", {"customer": "5000001", "points": 620}, {"transactions": [after]})
    assert (done.points, len(play.calls)) == (0, 1)


def test_who_has_no_transactions_has_no_points() -> None:
    """And of whom LoyaltyLion has not heard, there is nothing to set."""
    done, play = _act("set_points", {"customer": "5000001", "points": 50}, {"transactions": []}, answers(201))
    assert (done.points, _sent(play.calls[1])["points"]) == (50, 50)
    failure, _ = _act("set_points", {"customer": "9", "points": 50}, answers(404, {"error": {"message": "Not found"}}))
    assert isinstance(failure, CallFailed) and failure.verdict == "lasting" and "no customer 9" in str(failure)


def test_a_missing_scope_says_what_to_do() -> None:
    """The key is right, and may not do this."""
    failure, _ = _act("adjust_points", loyaltylion.POINTS, answers(403, {"error": {"message": "Forbidden"}}))
    assert isinstance(failure, CallFailed) and failure.verdict == "reconnect" and "scopes" in str(failure)


# The mirror


def _seen(one: Mirrored, *replies: Any) -> tuple[Any, Play]:
    mirror, connection, play = loyaltylion.connector.mirroring, _connection(), _play(replies)
    assert mirror is not None
    (shown,) = mirror.look({Client: play.client(connection, repeat="safe"), Settings: connection.settings}, [one])
    return shown, play


def test_the_shops_number_is_found_by_id_or_else_by_address() -> None:
    """The search finds every address that holds the text, so the whole one is compared."""
    ana = Customer(id="5000001", email="ana@example.com")
    assert _seen(Mirrored(ana, {"points": 620}), {"transactions": [EARNED]})[0] == Shown({"points": 500}, "5000001")
    joana = ANA | {"id": 7, "email": "joana@example.com", "merchant_id": "7"}
    pages = [{"customers": [joana], "cursor": {"next": "2"}}, {"customers": [ANA], "cursor": loyaltylion.END}]
    shown, play = _seen(Mirrored(ana, {"points": 620}), answers(404), *pages)
    assert shown == Shown({"points": 500}, "5000001") and len(play.calls) == 3
    assert _seen(Mirrored(Customer(phone="1"), {"points": 620}))[0] is None


def test_only_the_balance_can_be_mirrored() -> None:
    """A tier is LoyaltyLion's own; and what a member owes the hub is nothing at the shop."""
    mirror = loyaltylion.connector.mirroring
    assert mirror is not None
    for fields in ({"points": 1, "tier": "Gold"}, {"tier": "Gold"}):
        with pytest.raises(CallFailed, match="balance alone"):
            mirror.inputs({}, Mirrored(Customer(id="5000001"), fields))
    inputs = mirror.inputs({}, Mirrored(Customer(id="5000001"), {"points": -30}))
    assert inputs is not None and inputs.model_dump()["points"] == 0
