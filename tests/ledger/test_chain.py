"""The canonical form, and what the chain says."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.ledger import Source
from hub.ledger.chain import GENESIS, canonical

values_ = st.lists(st.none() | st.text(max_size=5) | st.integers(-99, 99), max_size=6)


def read(form: bytes) -> list[str | None]:
    """The form read back, by its description alone."""
    text, values = form.decode(), []
    while text:
        if text[0] == "-":
            values.append(None)
            text = text[1:]
        else:
            length, _, rest = text.partition(":")
            values.append(rest[: int(length)])
            text = rest[int(length) :]
    return values


@given(values_)
def test_the_form_can_be_read_back(values: list[Any]) -> None:
    """So two different lists of values never have the same form."""
    assert read(canonical(values)) == [None if value is None else str(value) for value in values]


def test_values_cannot_run_into_one_another() -> None:
    """A separator inside a value changes nothing; an absent value is not an empty one."""
    forms = {canonical(values) for values in (["a", "b"], ["a:b"], ["ab", ""], ["ab", None], ["1:a", "b"], ["-"], [None])}
    assert len(forms) == 7


def test_a_link_can_be_computed_from_the_written_description(desk: Any) -> None:
    """An auditor needs the description and SHA-256, not this code."""
    posting = desk.award(7, key="k", source=Source(event_id="evt_1", recipe="r", context={"b": "1.10", "a": "ü"}, reason="why"))

    def form(*values: Any) -> str:
        return "".join("-" if value is None else f"{len(str(value))}:{value}" for value in values)

    [(payload,)] = desk.sql("SELECT payload FROM txn")
    at, expires = "2026-01-01T12:00:00.000000Z", "2027-01-01T12:00:00.000000Z"
    text = form(posting.txn_id, "k", payload.hex(), "award", "mem_1", 7, at, at, None, None, "evt_1", "r", None, None, None)
    text += form('{"b":"1.10","a":"ü"}', 2, None, "issuance", -7, None, "mem_1", "available", 7, 7)
    text += form(1, posting.lot_id, 7, expires, at, 0)
    digest = sha256(text.encode()).digest()
    assert desk.sql("SELECT seq, hash FROM link") == [(1, sha256(GENESIS + digest + form("mem_1", 1).encode()).digest())]


def test_reason_and_actor_are_no_part_of_the_chain(desk: Any, new_desk: Any) -> None:
    """A person can be forgotten without breaking a hash."""
    other = new_desk()
    desk.award(7, key="k", source=Source(reason="for Ann", actor="bob@example.com"))
    other.award(7, key="k", source=Source())
    assert desk.sql("SELECT hash FROM link") == other.sql("SELECT hash FROM link")
    other.store.close()
