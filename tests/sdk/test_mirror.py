"""Mirrors: what a platform's fields should show of a member, and whether they do."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from hub.errors import CallFailed
from hub.sdk import Connector, Customer, Mirrored, Shown
from hub.sdk.mirror import differing

ADA = Mirrored(Customer(id="7"), {"POINTS": 120, "TIER": "Gold", "ENDS": date(2026, 12, 24), "NEXT": None})


def _till(repeat: Any = "safe", **said: Any) -> tuple[Connector, Any]:
    connector = Connector("till", title="Till")

    def update(*, person: Annotated[str, "who"], fields: Annotated[dict[str, str], "what"]) -> None:
        """Set fields."""

    return connector, connector.action(repeat=repeat, **said)(update)


def _as_person(one: Mirrored) -> dict[str, Any] | None:
    return {"person": one.customer.id, "fields": one.texts} if one.customer.id else None


def test_texts_are_as_people_write_them():
    """A day by the calendar, and nothing as an empty text."""
    assert ADA.texts == {"POINTS": "120", "TIER": "Gold", "ENDS": "2026-12-24", "NEXT": ""}
    assert ADA.numbers == {"POINTS": 120} and ADA.others == {"TIER": "Gold", "ENDS": "2026-12-24", "NEXT": ""}


@pytest.mark.parametrize(
    "shown",
    [
        {"POINTS": "120", "TIER": "Gold", "ENDS": "2026-12-24"},
        {"POINTS": Decimal("120.00"), "TIER": " Gold", "ENDS": "2026-12-24T00:00:00Z", "NEXT": None, "more": 1},
        {"POINTS": 120, "TIER": "Gold", "ENDS": "1798070400000", "NEXT": ""},
    ],
)
def test_the_same_is_said_in_many_forms(shown):
    """Platforms keep numbers as text or with zeros, and days as moments; an empty field is a missing one."""
    assert differing(ADA.fields, Shown(shown)) == {}


@pytest.mark.parametrize(
    ("name", "said"), [("POINTS", "12"), ("POINTS", ""), ("POINTS", "many"), ("TIER", "gold"), ("ENDS", "soon"), ("NEXT", "0")]
)
def test_what_differs_is_named_with_what_stands_there(name, said):
    """Another number, no number, another case: each is told as the platform has it."""
    shown = {**ADA.texts, name: said}
    assert differing(ADA.fields, Shown(shown)) == {name: said}
    assert differing({"POINTS": 0}, Shown({})) == {"POINTS": None}


def test_a_mirror_gives_its_action_inputs():
    """Of a member whom the platform cannot know, none; and what does not fit is told with its path."""
    connector, update = _till()
    assert connector.mirror(update)(_as_person) is _as_person
    mirror = connector.mirroring
    assert mirror is not None
    inputs = mirror.inputs({}, ADA)
    assert inputs is not None and inputs.model_dump() == {"person": "7", "fields": ADA.texts}
    assert mirror.inputs({}, Mirrored(Customer(email="ada@example.com"), {})) is None
    connector.mirror(update)(_wrong)
    with pytest.raises(CallFailed, match="`fields` is missing"):
        connector.mirroring.inputs({}, ADA)
    with pytest.raises(CallFailed, match="cannot tell"):
        connector.mirroring.look({}, [ADA])


def _wrong(one: Mirrored) -> dict[str, Any]:
    return {"person": "7"}


def test_a_reading_answers_for_each():
    """Alone or many as one; one that is none of its business spoils nothing."""
    connector, update = _till()
    connector.mirror(update)(_as_person)

    def seen(one: Mirrored) -> Shown | None:
        if not one.customer.id:
            raise CallFailed("It says nothing.", "passing")
        return Shown({"POINTS": one.customer.id}) if one.customer.id != "0" else None

    def too_few(many: list[Mirrored]) -> list[Shown | None]:
        return [None]

    connector.mirrored(seen)
    ada, gone, failed = connector.mirroring.look({}, [ADA, *(Mirrored(Customer(id=one), {}) for one in ("0", None))])
    assert (ada, gone) == (Shown({"POINTS": "7"}), None) and failed.verdict == "passing"
    connector.mirrored(batch=5)(too_few)
    assert connector.mirroring.batch == 5 and connector.mirroring.look({}, [ADA]) == [None]
    with pytest.raises(CallFailed, match="did not answer for each"):
        connector.mirroring.look({}, [ADA, ADA])


def test_who_is_not_there_any_more_is_looked_for_by_address():
    """Merged or made again, they have another id; who has no address is asked for once."""
    connector, update = _till()
    connector.mirror(update)(_as_person)
    asked = []

    def seen(many: list[Mirrored]) -> list[Shown | None]:
        asked.append([one.customer.id or one.customer.email for one in many])
        return [Shown({}, "9") if one.customer.email == "ada@example.com" and not one.customer.id else None for one in many]

    connector.mirrored(batch=3)(seen)
    ada = Mirrored(Customer(id="7", email="ada@example.com"), {})
    assert connector.mirroring.look({}, [ADA, ada]) == [None, Shown({}, "9")]
    assert asked == [["7", "7"], ["ada@example.com"]]


def test_what_cannot_be_is_said_at_once():
    """A mirror of what may not be written twice, a reading before its mirror, a function that takes no member."""
    for said in ({"repeat": "never"}, {"channel": "sms"}):
        connector, update = _till(**said)
        with pytest.raises(TypeError, match="cannot mirror"):
            connector.mirror(update)(_as_person)
    connector, update = _till()
    with pytest.raises(TypeError, match="declare the mirror before it"):
        connector.mirrored(_as_person)
    with pytest.raises(TypeError, match="takes no `Mirrored`"):
        connector.mirror(update)(_nobody)
    connector.mirror(update)(_as_person)
    with pytest.raises(TypeError, match=r"no `list\[Mirrored\]`"):
        connector.mirrored(batch=2)(_as_person)


def _nobody(model: BaseModel) -> None:
    return None
