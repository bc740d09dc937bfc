"""Encoding: what we send, digit by digit."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import encode
from hub.sdk.encode import Exactly


def test_a_decimal_goes_out_as_it_is():
    """No float is made on the way, and no exponent."""
    assert encode.json_text({"a": Decimal("12.50"), "b": Decimal("1E+3")}) == '{"a":12.50,"b":1000}'


def test_none_is_left_out_unless_exactly_is_said():
    """What is not given is not sent; a platform that clears a field by null gets it by Exactly."""
    assert encode.json_text({"a": None, "b": [None]}) == '{"b":[null]}'
    assert encode.json_text(Exactly(a=None)) == '{"a":null}'


def test_times_and_truth_have_one_form():
    """UTC with Z; true and false in forms as in JSON."""
    moment = datetime(2026, 2, 7, 9, tzinfo=UTC)
    assert (
        encode.form_body({"at": moment, "on": True, "day": date(2026, 2, 7)})
        == b"at=2026-02-07T09%3A00%3A00Z&on=true&day=2026-02-07"
    )
    assert encode.json_text([moment, True]) == '["2026-02-07T09:00:00Z",true]'


def test_a_list_repeats_its_name_in_a_form():
    """Forms know no lists but repetition."""
    assert encode.form_body({"m": ["a", "b"], "none": None, "empty": ""}) == b"m=a&m=b&empty="


def test_a_float_is_not_sent():
    """A float is a mistake of the connector, said so."""
    for send in (encode.json_text, encode.form_body):
        with pytest.raises(TypeError, match="float cannot be sent"):
            send({"a": 1.5})


def test_a_key_is_laid_into_a_body_and_never_over_another():
    """The idempotency key goes where the platform reads it; one that is there stays."""
    assert encode.laid_in({"a": 1}, "meta.key", "k") == {"a": 1, "meta": {"key": "k"}}
    assert encode.laid_in({"key": "mine"}, "key", "k") == {"key": "mine"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner.filter(lambda value: value is not None)),
    max_leaves=10,
)


@given(JSON)
def test_what_is_sent_reads_back_the_same(value):
    """Our JSON is JSON."""
    assert json.loads(encode.json_text(value)) == value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (120, "120"),
        (Decimal("1.50"), "1.50"),
        ("Gold", "Gold"),
        (["a", 1], '["a",1]'),
    ],
)
def test_values_are_said_in_words(value, said):
    """As people read them, and exactly."""
    assert encode.words(value) == said


def test_a_digest_is_another_when_the_value_is():
    """The same for the same, whatever holds it."""
    first, same, other = [encode.digest({"a": value}) for value in (Decimal("1.0"), Decimal("1.0"), Decimal("1.00"))]
    assert first == same != other
