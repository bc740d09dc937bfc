"""Envelopes: deliveries taken apart into items."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.errors import Unreadable
from hub.sdk.declare import body, envelope, header, query


def test_kind_id_account_data_and_time_are_found(request_of):
    """Each stands where the envelope says, in body, header or query."""
    wrapped = envelope(kind=header("X-Topic"), id=body("event_id"), account=query("acct"), data=body("data.0"), at=body("at"))
    request = request_of(
        b'{"event_id": 7, "data": [{"x": 1}], "at": "2026-02-06T21:27:34.123456789+01:00"}',
        url="https://h.example/hooks/s?acct=A1",
        headers={"X-Topic": "orders/paid"},
    )
    [item] = wrapped.items(request)
    assert (item.kind, item.id, item.account, item.data) == ("orders/paid", "7", "A1", {"x": 1})
    assert item.at == datetime(2026, 2, 6, 20, 27, 34, 123456, UTC)


@pytest.mark.parametrize("name", ["X-Shop-Topic", "shop-topic"])
def test_a_header_may_have_several_names(name, request_of):
    """Platforms that rename their headers send the old ones for a while; the first that is there counts."""
    wrapped = envelope(kind=header("X-Shop-Topic", "shop-topic"))
    assert [item.kind for item in wrapped.items(request_of(headers={name: "orders/paid"}))] == ["orders/paid"]
    both = request_of(headers={"shop-topic": "new", "X-Shop-Topic": "old"})
    assert [item.kind for item in wrapped.items(both)] == ["old"]
    with pytest.raises(Unreadable, match="X-Shop-Topic"):
        list(wrapped.items(request_of()))


@pytest.mark.parametrize(("written", "moment"), [(1770413254, "2026-02-06T21:27:34"), (1770413254000, "2026-02-06T21:27:34")])
def test_unix_times_are_read_in_seconds_and_milliseconds(written, moment, request_of):
    """A number is a Unix time, in whichever unit makes sense."""
    [item] = envelope(kind="k", at=body("t")).items(request_of(b'{"t": %d}' % written))
    assert item.at == datetime.fromisoformat(moment + "+00:00")


def test_a_batch_is_many_items_and_a_bad_one_fails_alone(request_of):
    """One item that cannot be taken apart says why; the others are there."""
    wrapped = envelope(kind=body("event"), each=body())
    items = list(wrapped.items(request_of(b'[{"event": "open"}, {"no": "kind"}, 7, {"event": "click"}]')))
    assert [item.kind for item in items] == ["open", "", "", "click"]
    assert "`event`" in items[1].problem
    assert items[2].problem


@pytest.mark.parametrize(
    ("wrapped", "sent", "why"),
    [
        (envelope(kind=body("type")), b"{}", "`type`"),
        (envelope(kind=body("type")), b'{"type": null}', "`type`"),
        (envelope(kind=body("type")), b'{"type": true}', "`type`"),
        (envelope(kind=body("type"), data=body("data.object")), b'{"type": "t", "data": {}}', "`data.object`"),
        (envelope(kind=body("type"), each=body("rows")), b'{"rows": {}}', "should be a list"),
        (envelope(kind=body("type"), each=body()), b"[" + b"1," * 5000 + b"1]", "5000 is the most"),
    ],
)
def test_a_delivery_of_another_form_is_explained(wrapped, sent, why, request_of):
    """What is not where it should be is named with its place."""
    with pytest.raises(Unreadable, match=why):
        list(wrapped.items(request_of(sent)))


def test_a_function_may_say_the_kind(request_of):
    """Where no single place tells the kind, a function of the data does; if it stumbles, the kind is missing."""
    wrapped = envelope(kind=lambda fields: "b" if "b" in fields else fields["a"].nothing)
    assert [item.kind for item in wrapped.items(request_of(b"b=1", form=True))] == ["b"]
    with pytest.raises(Unreadable):
        list(wrapped.items(request_of(b"a=1", form=True)))


def test_a_get_is_read_by_its_query(request_of):
    """Some platforms deliver by GET: then the fields are in the query."""
    [item] = envelope(kind=body("t")).items(request_of(b"", method="GET", url="https://h.example/hooks/s?t=sms&x=%2B1"))
    assert (item.kind, item.data) == ("sms", {"t": "sms", "x": "+1"})


def test_forms_with_brackets_are_read_as_objects(request_of):
    """Where the envelope says so; elsewhere a bracket is a letter."""
    form = request_of(b"type=update&contact[id]=3", form=True)
    (nested,) = envelope(kind=body("type"), id=body("contact.id"), nested=True).items(form)
    (flat,) = envelope(kind=body("type")).items(form)
    assert (nested.id, nested.data["contact"]) == ("3", {"id": "3"})
    assert flat.data["contact[id]"] == "3"
