"""Types: read from pydantic models and annotations, as facts and actions declare them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from hub.recipes import Type, record_of, shared, type_of
from hub.recipes.types import ANY, BOOLEAN, DATE, DURATION, INTEGER, MOMENT, MONEY, NOTHING, NUMBER, POINTS, TEXT, list_of
from hub.sdk.facts import FACTS, Booking, Refund, Review, Sale
from hub.sdk.values import Currency, Duration, Moment, Money, Number, Points, PointsMark, SignedMoney


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (Decimal, NUMBER),
        (Number, NUMBER),
        (Money, MONEY),
        (SignedMoney, MONEY),
        (Points, POINTS),
        (Annotated[Decimal, PointsMark()], Type("points", unrounded=True)),
        (int, INTEGER),
        (str, TEXT),
        (Currency, TEXT),
        (bool, BOOLEAN),
        (date, DATE),
        (datetime, MOMENT),
        (Moment, MOMENT),
        (Duration, DURATION),
        (Money | None, MONEY.or_none()),
        (None, NOTHING),
        (int | str, ANY),
        (Any, ANY),
        (list[str], list_of(TEXT)),
        (tuple[Money, ...], list_of(MONEY)),
        (frozenset[int], list_of(INTEGER)),
        (dict[str, Decimal], Type("map", of=NUMBER)),
        (Literal["a", "b"], Type("text", choices=("a", "b"))),
        (bytes, ANY),
    ],
)
def test_annotations(annotation: Any, kind: Type) -> None:
    """Each annotation of the vocabulary has its type."""
    assert type_of(annotation) == kind


def test_a_float_has_no_place() -> None:
    """A model with a float is a mistake of its author, found at once."""
    with pytest.raises(TypeError, match="use Decimal"):
        type_of(list[float])


def test_records_have_fields_with_types_and_sentences() -> None:
    """A model's fields, their marks and their descriptions are read, nested models too."""

    class Inner(BaseModel):
        price: Money

    class Outer(BaseModel):
        inner: Inner
        several: tuple[Inner, ...] = ()
        points: Points = Field(description="How many.")

    fields = record_of(Outer).fields or {}
    assert fields["points"].type == POINTS
    assert fields["points"].doc == "How many."
    assert (fields["inner"].type.fields or {})["price"].type == MONEY
    assert fields["several"].type.kind == "list"


class Tree(BaseModel):
    left: Tree | None = None
    name: str


def test_a_model_inside_itself_ends() -> None:
    """Recursion ends in `anything`."""
    assert (record_of(Tree).fields or {})["left"].type.kind == "any"


def test_several_facts_share_fields() -> None:
    """With several facts `event` has what all share in name and kind; optional where one leaves it out."""
    both = shared([record_of(Sale), record_of(Refund)])
    assert {"amount", "currency", "payment_id", "customer"} <= set(both.fields or {})
    assert not {"refund_id", "channel", "shipping"} & set(both.fields or {})
    assert both.name == "Sale and Refund"
    assert set(shared([record_of(Review), record_of(Booking)]).fields or {}) == {"occurred_at", "customer", "references"}
    assert shared([record_of(Sale)]) is record_of(Sale)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.fact)
def test_every_fact_is_typed(fact: type[BaseModel]) -> None:
    """No field of the shared vocabulary is of an unknown type."""
    for name, field in (record_of(fact).fields or {}).items():
        assert field.type.kind != "any", name
