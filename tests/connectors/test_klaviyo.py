"""Klaviyo: the traps of the platform, one by one. What every connector promises is tried from its samples elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors import klaviyo
from hub.errors import CallFailed, Refused, Unreadable
from hub.sdk import Client, Connection, Customer, Fact, Item, MessageReceived, Settings
from hub.sdk.play import Play, one_by_one
from hub.sdk.request import Answer, Request
from hub.sdk.sample import answers

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)
URL = "https://points.example.com/hooks/klaviyo"
KEY = "sixteen-letters-or-more"
REFUSED = answers(400, {"errors": [{"id": "e", "code": "invalid", "title": "Invalid", "detail": "Invalid phone number."}]})


def _connection(**settings: Any) -> Connection:
    values = {"api_key": "pk_7Qd2", "webhook_secret": KEY, "flow_token": "long-random-token", **settings}
    return Connection("klaviyo", klaviyo.connector, klaviyo.connector.settings.read(values), webhook_url=URL)


def _request(told: Any, **headers: str) -> Request:
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    return Request("POST", "/hooks/klaviyo", "", headers, raw, NOW, URL)


def _signed(body: bytes, stamp: str) -> Request:
    made = hmac.new(KEY.encode(), body + stamp.encode(), hashlib.sha256).hexdigest()
    return _request(body, **{"klaviyo-signature": made, "klaviyo-timestamp": stamp})


def _facts(told: Mapping[str, Any], *replies: Any, **settings: Any) -> list[Fact]:
    """What comes of a delivery, with Klaviyo's replies to what is asked for."""
    connection = _connection(**settings)
    client = Play(one_by_one([reply if isinstance(reply, Answer) else answers(200, reply) for reply in replies])).client(
        connection
    )
    facts: list[Fact] = []
    for item in klaviyo.connector.items(_request(told), connection):
        for trigger in klaviyo.connector.triggers_for(item):
            thin = trigger.thin_for(connection)
            facts += trigger.fetch(item, connection, client) if thin else trigger.read(item, connection)
    return facts


def _act(name: str, many: list[Mapping[str, Any]], *replies: Answer, key: str = "run_1/0") -> tuple[list[Any], Play]:
    """The results of one call of an action against these replies, and what was sent."""
    action, connection, play = klaviyo.connector.actions[name], _connection(), Play(one_by_one(replies))
    client = play.client(connection, call_key=key, repeat=action.repeat)
    handed = {Client: client, Connection: connection, Settings: connection.settings}
    try:
        return action.call_many(handed, [action.inputs.model_validate(inputs) for inputs in many]), play
    except CallFailed as failure:
        return [failure], play


def _sent(play: Play) -> list[Any]:
    return [json.loads(call.body)["data"] for call in play.calls]


def _task(name: str, *replies: Any, **settings: Any) -> Play:
    connection, play = _connection(**settings), Play(one_by_one([answers(200, reply) for reply in replies]))
    handed = {Client: play.client(connection), Connection: connection, Settings: connection.settings}
    getattr(klaviyo.connector, name).call(handed)
    return play


def _people(data: Mapping[str, Any]) -> list[str]:
    """Whom a job is about."""
    rows = [row["attributes"] for row in data["attributes"]["profiles"]["data"]]
    return [row.get("email") or row["phone_number"] for row in rows]


# Proof


@pytest.mark.parametrize("stamp", ["Fri, 06 Feb 2026 16:29:59 GMT", "2026-02-06T21:29:59+00:00", "nonsense"])
def test_the_signature_covers_the_body_and_then_the_text_of_the_time(stamp: str) -> None:
    """Whatever the header says: it has been seen five hours off, so the text is signed and not believed."""
    body = '{"data": [], "meta": {"x": "Zoë 🎁"}}'.encode()
    klaviyo.connector.verify(_signed(body, stamp), _connection(), NOW)


def test_another_body_time_or_order_is_refused() -> None:
    """The time before the body is another platform's way."""
    body, stamp = b'{"data": [], "meta": {}}', "Fri, 06 Feb 2026 21:29:59 GMT"
    good = _signed(body, stamp)
    swapped = hmac.new(KEY.encode(), stamp.encode() + body, hashlib.sha256).hexdigest()
    for forged in (
        _request(body + b" ", **good.headers),
        _request(body, **{**good.headers, "klaviyo-timestamp": "Fri, 06 Feb 2026 21:30:59 GMT"}),
        _request(body, **{**good.headers, "klaviyo-signature": swapped}),
        _request(body, **{"klaviyo-signature": good.headers["klaviyo-signature"]}),
    ):
        with pytest.raises(Refused):
            klaviyo.connector.verify(forged, _connection(), NOW)


def test_a_flow_proves_itself_by_its_token() -> None:
    """Flows cannot sign; without the right token in the header they are refused."""
    klaviyo.connector.verify(_request(klaviyo.STEP, **{"x-hub-token": "long-random-token"}), _connection(), NOW)
    for headers in ({"x-hub-token": "long-random-toke"}, {}):
        with pytest.raises(Refused):
            klaviyo.connector.verify(_request(klaviyo.STEP, **headers), _connection(), NOW)


def test_a_delivery_of_another_webhook_is_not_read() -> None:
    """The header names one, and the signed body the same."""
    ours = _request(klaviyo.LEFT, **{"klaviyo-webhook-id": "01HXYZWEBHOOK"})
    assert len(klaviyo.connector.items(ours, _connection())) == 1
    with pytest.raises(Unreadable, match="01HOTHER"):
        klaviyo.connector.items(_request(klaviyo.LEFT, **{"klaviyo-webhook-id": "01HOTHER"}), _connection())


# What comes in


def test_a_batch_is_taken_apart_and_one_bad_event_spoils_no_other() -> None:
    """Each is told by its topic and its own id; the bad one with what is wrong."""
    told = klaviyo._told("opened_email", "clicked_email", **klaviyo.ANA)
    del told["data"][0]["topic"]
    bad, good = klaviyo.connector.items(_request(told), _connection())
    assert "`topic` is missing" in bad.problem
    assert (good.id, good.account, good.problem) == ("event:klaviyo.clicked_email/73WCCK1", "AbC123", "")


def test_events_of_another_account_are_not_ours() -> None:
    """Where the settings name the account."""
    (item,) = klaviyo.connector.items(_request(klaviyo.LEFT), _connection())
    assert klaviyo.connector.is_ours(item, _connection(account_id="AbC123"))
    assert not klaviyo.connector.is_ours(item, _connection(account_id="Other1"))


@pytest.mark.parametrize(
    ("topic", "channel", "reason"),
    [
        ("unsubscribed_from_email_marketing", "email", "PAGE"),
        ("unsubscribed_from_sms_marketing", "sms", "PAGE"),
        ("marked_email_as_spam", "email", "spam report"),
        ("manually_suppressed_from_email_marketing", "email", "suppressed by hand"),
    ],
)
def test_every_no_is_one_on_its_channel(topic: str, channel: str, reason: str) -> None:
    """A spam report is a no, whatever else it is."""
    (fact,) = _facts(klaviyo._told(topic, method="PAGE", **klaviyo.ANA, **klaviyo.PHONE))
    assert isinstance(fact, klaviyo.Left)
    address = "ana@example.com" if channel == "email" else "+14155550123"
    assert (fact.channel, fact.address, fact.reason) == (channel, address, reason)


@pytest.mark.parametrize(
    "topic", ["manually_unsuppressed_from_email_marketing", "updated_email_preferences", "submitted_rating", "ready_to_review"]
)
def test_what_says_nothing_of_its_own_is_left_out(topic: str) -> None:
    """Above all no yes is made of it: the person did not speak."""
    assert _facts(klaviyo._told(topic, rating=5, **klaviyo.ANA)) == []


def test_an_address_that_the_event_does_not_say_is_asked_for() -> None:
    """And where nobody knows one, that is said; a no without an address would be lost."""
    told = klaviyo._told("unsubscribed_from_email_marketing")
    (fact,) = _facts(told, {"data": klaviyo.PROFILE})
    assert isinstance(fact, klaviyo.Left)
    assert (fact.address, fact.customer and fact.customer.id) == ("ana@example.com", "01HXYZPROFILE")
    nobody = {**klaviyo.PROFILE, "attributes": {"email": None}}
    with pytest.raises(Unreadable, match="Neither the event 73WCCK0 nor its profile says an address for email"):
        _facts(told, {"data": nobody})


def test_the_hubs_own_word_is_no_news() -> None:
    """Consent that it reported comes back with its source."""
    told = klaviyo._told("subscribed_to_email_marketing", method="API", method_detail=klaviyo.SOURCE, **klaviyo.ANA)
    assert _facts(told) == []


def test_a_message_whose_words_are_not_told_is_kept_to_be_looked_at() -> None:
    """It might be a STOP; one without words, a picture, is a message."""
    with pytest.raises(Unreadable, match="does not say what was written"):
        _facts(klaviyo._told("sent_sms", text="STOP", **klaviyo.PHONE))
    (fact,) = _facts(klaviyo._told("sent_sms", message_body="", **klaviyo.PHONE))
    assert isinstance(fact, MessageReceived)
    assert (fact.text, fact.address) == ("", "+14155550123")


def test_only_a_hard_bounce_is_lasting() -> None:
    """A full mailbox may be empty tomorrow."""
    hard, soft = [
        _facts(klaviyo._told("bounced_email", **klaviyo.ANA, **{"Bounce Type": kind}))[0] for kind in ("Hard", "Soft")
    ]
    assert isinstance(hard, klaviyo.Lost)
    assert isinstance(soft, klaviyo.Lost)
    assert (hard.lasting, soft.lasting) == (True, False)


def test_a_rating_that_is_none_of_five_is_left_out() -> None:
    """The review counts all the same, under the event's id where it has none of its own."""
    (fact,) = _facts(klaviyo._told("submitted_review", rating="great", content="Yes", **klaviyo.ANA))
    assert (fact.rating, fact.text, fact.review_id) == (None, "Yes", "73WCCK0")  # type: ignore[attr-defined]


def test_a_flow_tells_one_time_from_another() -> None:
    """By what its author sends; without that the same body is the same time."""
    reader = klaviyo.connector.triggers["flow_reached"]
    bare = {name: value for name, value in klaviyo.STEP.items() if name != "delivery"}
    keys = [reader.key_of(_facts(told)[0]) for told in (klaviyo.STEP, bare, dict(bare), {**bare, "email": "bob@example.com"})]
    assert keys[0] == "vip/3kXyz"
    assert keys[1] == keys[2]
    assert len(set(keys)) == 3


def test_a_flows_properties_keep_their_digits() -> None:
    """Numbers and yes or no become text, and what is neither is left out."""
    step = (
        b'{"event": "vip", "email": "", "properties": {"spent": 120.50, "vip": true, "none": null, "list": [1], "empty": ""}}'
    )
    (item,) = klaviyo.connector.items(_request(step), _connection())
    (fact,) = klaviyo.connector.triggers["flow_reached"].read(item, _connection())
    assert isinstance(fact, klaviyo.FlowReached)
    assert fact.attributes == {"spent": "120.50", "vip": "true"}
    assert fact.customer == Customer()


def _profile(**attributes: Any) -> klaviyo.ProfileChanged:
    reader, connection = klaviyo.connector.triggers["profile_changed"], _connection(profile_properties=["plan"])
    row = {**klaviyo.PROFILE, "attributes": {**klaviyo.PROFILE["attributes"], **attributes}}  # type: ignore[dict-item]
    (item,), _ = _pull(row)
    (fact,) = reader.read(item, connection)
    assert isinstance(fact, klaviyo.ProfileChanged)
    return fact


def test_properties_that_mirror_points_make_no_profile_another_one() -> None:
    """The hub's own writing touches a profile's time, and is no news."""
    connection = replace(_connection(profile_properties=["colour", "points"]), mirror={"balance": "points"})
    trigger, keys = klaviyo.connector.triggers["profile_changed"], set()
    for points in (7, 9):
        attributes = klaviyo.PROFILE["attributes"] | {"properties": {"colour": "red", "points": points}}  # type: ignore[operator]
        (changed,) = trigger.read(Item("profile", klaviyo.PROFILE | {"attributes": attributes}), connection)
        assert changed.attributes == {"colour": "red"}  # type: ignore[attr-defined]
        keys.add(trigger.key_of(changed))
    assert len(keys) == 1


def _pull(*rows: Any) -> tuple[list[Any], Play]:
    connection, play = _connection(), Play(one_by_one([answers(200, {"data": rows, "links": {}})]))
    return list(klaviyo.connector.pulls["changed_profiles"].items(connection, play.client(connection), NOW)), play


def test_the_hubs_own_points_are_no_change_of_a_profile() -> None:
    """What is not read (points, the time of the change) makes no news; what is read does."""
    first = _profile()
    assert _profile(properties={"points_balance": 999}, updated="2026-02-06T22:00:00+00:00").version == first.version
    assert _profile(properties={"plan": "fleet"}).attributes == {"plan": "fleet"}
    assert len({_profile(**more).version for more in ({}, {"properties": {"plan": "fleet"}}, {"first_name": "Anna"})}) == 3


def test_consent_in_a_profile_is_noted_by_channel() -> None:
    """A no above all, for accounts without webhooks; never asked is neither."""
    stand = {"email": {"marketing": {"consent": "UNSUBSCRIBED"}}, "sms": {"marketing": {"consent": "SUBSCRIBED"}}}
    fact = _profile(subscriptions=stand)
    assert fact.customer is not None
    assert fact.customer.consents == {"email": False, "sms": True}
    assert fact.version != _profile().version
    never = _profile(subscriptions={"email": {"marketing": {"consent": "NEVER_SUBSCRIBED"}}, "sms": None})
    assert never.customer is not None
    assert never.customer.consents == {}


def test_profiles_are_asked_for_oldest_first_with_their_consent() -> None:
    """A filter in Klaviyo's own language, quoted."""
    _, play = _pull()
    assert parse_qs(urlsplit(play.calls[0].url).query) == {
        "filter": ["greater-than(updated,2026-02-06T21:30:00Z)"],
        "additional-fields[profile]": ["subscriptions"],
        "page[size]": ["100"],
        "sort": ["updated"],
    }


# Webhooks


def test_subscribing_registers_once_and_then_brings_up_to_date() -> None:
    """With every topic that is read; another's webhook is left alone."""
    other = {"id": "w1", "attributes": {"endpoint_url": "https://crm.example.com/"}}
    ours = {"id": "w2", "attributes": {"endpoint_url": URL}}
    first, again = _task("subscription", {"data": [other]}, {}), _task("subscription", {"data": [other, ours]}, {})
    assert [str(play.calls[1]) for play in (first, again)] == ["POST /api/webhooks", "PATCH /api/webhooks/w2"]
    made, changed = [json.loads(play.calls[1].body)["data"] for play in (first, again)]
    assert made["attributes"] == {"name": klaviyo.SOURCE, "endpoint_url": URL, "secret_key": KEY}
    assert changed["attributes"] == {**made["attributes"], "enabled": True}
    topics = {topic["id"] for topic in made["relationships"]["webhook-topics"]["data"]}
    assert topics == {kind for trigger in klaviyo.connector.triggers.values() for kind in trigger.kinds} - {"flow", "profile"}


@pytest.mark.parametrize("secret", [None, "fifteen-letters"])
def test_nothing_is_subscribed_with_a_secret_that_is_too_short(secret: str | None) -> None:
    """Klaviyo wants sixteen letters; the person is told, and the secret is not."""
    with pytest.raises(CallFailed, match="16 letters or more") as failed:
        _task("subscription", webhook_secret=secret)
    assert failed.value.verdict == "reconnect"
    assert "fifteen-letters" not in str(failed.value)


def test_unsubscribing_takes_away_our_webhook_and_no_other() -> None:
    """It can be done twice."""
    rows = [
        {"id": "w1", "attributes": {"endpoint_url": "https://x.example.com"}},
        {"id": "w2", "attributes": {"endpoint_url": URL}},
    ]
    assert [str(call) for call in _task("unsubscription", {"data": rows}, {}).calls[1:]] == ["DELETE /api/webhooks/w2"]
    assert len(_task("unsubscription", {"data": rows[:1]}).calls) == 1


# What goes out


def test_two_events_of_one_second_stay_two_and_an_attempt_is_the_same() -> None:
    """By default Klaviyo cuts the time to the second and keeps one; each step has an id of its own."""
    ids = [
        _sent(_act(name, [inputs], answers(202), key=key)[1])[0]["attributes"]["unique_id"]
        for name, inputs in (
            ("track_event", klaviyo.EARNED),
            ("send_email", {"to": "ana@example.com", "metric": "Points earned"}),
            ("send_sms", {"to": "+14155550123", "metric": "Points earned"}),
        )
        for key in ("run_1/0", "run_2/0", "run_2/0")
    ]
    for first, second, again in (ids[:3], ids[3:6], ids[6:]):
        assert first != second == again


def test_an_event_whose_answer_was_lost_is_sent_again_with_its_id() -> None:
    """Klaviyo keeps it once."""
    results, play = _act("track_event", [klaviyo.EARNED], answers(503), answers(202))
    assert results == [None]
    first, second = _sent(play)
    assert first == second


def test_money_is_value_and_points_are_numbers() -> None:
    """Digit by digit; what is not said is not there."""
    inputs = {**klaviyo.EARNED, "value": "18.10", "currency": "USD", "properties": {"tier": "Gold"}}
    _, play = _act("track_event", [inputs], answers(202))
    assert b'"value":18.10' in play.calls[0].body
    sent = _sent(play)[0]["attributes"]
    assert (sent["properties"], sent["value_currency"]) == ({"tier": "Gold", "points": 18}, "USD")
    assert "time" not in sent


def test_messages_stand_before_the_gate_of_their_channel() -> None:
    """Through a flow, but to a member."""
    channels = {name: action.channel for name, action in klaviyo.connector.actions.items() if action.channel}
    assert channels == {"send_email": "email", "send_sms": "sms"}


def test_a_bad_phone_number_is_left_out_and_spoils_nothing() -> None:
    """Alone it finds nobody, and nothing is sent."""
    _, play = _act("upsert_profile", [{"email": "a@example.com", "phone": "call me"}], answers(200, {"data": klaviyo.PROFILE}))
    assert _sent(play) == [{"type": "profile", "attributes": {"email": "a@example.com"}}]
    for name, inputs in (("upsert_profile", {"phone": "call me"}), ("send_sms", {"to": "call me", "metric": "m"})):
        (failure,), play = _act(name, [inputs])
        assert (failure.verdict, play.calls) == ("lasting", [])


@pytest.mark.parametrize(("status", "verdict", "said"), [(403, "reconnect", "renew"), (410, "lasting", "set `revision`")])
def test_a_refused_call_says_what_to_do(status: int, verdict: str, said: str) -> None:
    """A key without the scope; a version that is retired."""
    (failure,), _ = _act("add_tag", [{"profile": "p1", "tag": "vip"}], answers(status, {"errors": []}))
    assert failure.verdict == verdict
    assert said in str(failure)


def _consent(channel: str, address: str, status: str, **more: Any) -> dict[str, Any]:
    return {"channel": channel, "address": address, "status": status, **more}


def test_consent_goes_by_channel_list_and_word() -> None:
    """Each kind as one job; a no is to all lists, for off one list Klaviyo may take a person off all without a word."""
    results, play = _act(
        "record_consent",
        [
            _consent("email", "a@example.com", "opt-in", list_id="L1"),
            _consent("sms", "+14155550123", "opt-in", list_id="L1"),
            _consent("email", "b@example.com", "opt-out", list_id="L1"),
            _consent("email", "c@example.com", "opt-in", said_at="2026-01-01T10:00:00Z"),
        ],
        *[answers(202)] * 3,
    )
    assert [result.address for result in results] == ["a@example.com", "+14155550123", "b@example.com", "c@example.com"]
    both, no, later = _sent(play)
    assert (_people(both), both["relationships"]["list"]["data"]["id"]) == (["a@example.com", "+14155550123"], "L1")
    assert (no["type"], _people(no)) == ("profile-subscription-bulk-delete-job", ["b@example.com"])
    assert "relationships" not in no
    assert (later["attributes"]["historical_import"], "historical_import" in both["attributes"]) == (True, False)
    marketing = later["attributes"]["profiles"]["data"][0]["attributes"]["subscriptions"]["email"]["marketing"]
    assert marketing == {"consent": "SUBSCRIBED", "consented_at": "2026-01-01T10:00:00Z"}


def test_the_later_word_of_a_person_stands() -> None:
    """A yes and a no in one batch are no two jobs that overtake each other."""
    results, play = _act(
        "record_consent",
        [_consent("email", "Ana@Example.com", "opt-in"), _consent("email", "ana@example.com", "opt-out")],
        answers(202),
    )
    assert [result.address for result in results] == ["ana@example.com"] * 2
    assert [data["type"] for data in _sent(play)] == ["profile-subscription-bulk-delete-job"]


def test_a_row_that_is_refused_spoils_no_other() -> None:
    """One bad number makes the whole job a 400: it is found in halves; what is no address is never sent."""
    people = ["+14155550123", "+14155550199", "call me"]
    results, play = _act("record_consent", [_consent("sms", one, "opt-in") for one in people], REFUSED, answers(202), REFUSED)
    assert [_people(data) for data in _sent(play)] == [people[:2], people[:1], people[1:2]]
    assert results[0].address == "+14155550123"
    assert [
        (result.verdict, said in str(result)) for result, said in zip(results[1:], ("Invalid phone", "no address"), strict=True)
    ] == [
        ("lasting", True),
        ("lasting", True),
    ]


def test_a_profile_that_is_gone_keeps_nobody_off_a_list() -> None:
    """Lists are told one by one, with a result for each place."""
    places = [{"profile": name, "list_id": where} for name, where in (("p1", "L1"), ("gone", "L1"), ("p1", "L2"))]
    results, play = _act("remove_from_list", places, REFUSED, answers(204), REFUSED, answers(204))
    assert [isinstance(result, CallFailed) for result in results] == [False, True, False]
    assert [str(call) for call in play.calls] == ["DELETE /api/lists/L1/relationships/profiles"] * 3 + [
        "DELETE /api/lists/L2/relationships/profiles"
    ]


def test_a_tag_is_a_property_that_is_true_or_not_there() -> None:
    """So twice is once, either way."""
    kept = answers(200, {"data": klaviyo.PROFILE})
    (added,) = _sent(_act("add_tag", [{"profile": "p1", "tag": "vip"}], kept)[1])
    (removed,) = _sent(_act("remove_tag", [{"profile": "p1", "tag": "vip"}], kept)[1])
    assert added == {"type": "profile", "id": "p1", "attributes": {"properties": {"vip": True}}}
    assert removed == {"type": "profile", "id": "p1", "attributes": {}, "meta": {"patch_properties": {"unset": ["vip"]}}}


def test_numbers_stay_numbers() -> None:
    """A property keeps the type that it had first."""
    _, play = _act(
        "upsert_profile",
        [{"profile": "p1", "numbers": {"points_balance": 120, "spent": Decimal("10.50")}}],
        answers(200, {"data": klaviyo.PROFILE}),
    )
    assert b'"properties":{"points_balance":120,"spent":10.50}' in play.calls[0].body
