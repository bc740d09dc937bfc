"""Spending: what an action buys, and for how much, so that it can be held against what its provider says it sold.

The other half is a pull of `RewardOrder` facts: what was sold, under which call's key, for how much, and what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hub.sdk.values import MoneyMark


class Spent(NamedTuple):
    """What a call was to buy: so much of a currency. order_id: the provider's own id of it, where the action has told one."""

    amount: Decimal
    currency: str
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class Spending:
    """Where an action says what it spends: names of its inputs, or of fields that it gives.

    order: of the field that it gives with the provider's id of the order; empty where the order alone says whose it is.
    """

    amount: str
    currency: str
    order: str = ""

    def of(self, inputs: BaseModel, gave: Mapping[str, Any]) -> Spent | None:
        """What a call spends; None as long as it has not told how much. gave: its result, as it was kept."""

        def said(name: str) -> Any:
            return getattr(inputs, name) if name in type(inputs).model_fields else gave.get(name)

        amount, currency = said(self.amount), said(self.currency)
        if amount is None or not currency:
            return None
        return Spent(Decimal(str(amount)), str(currency), str(gave.get(self.order) or ""))


def spends(amount: str, currency: str, *, order: str = "") -> Spending:
    """What an action spends: the names of its inputs, or of fields that it gives; see `Spending`."""
    return Spending(amount, currency, order)


def check(spending: Spending, name: str, inputs: type[BaseModel], gives: type[BaseModel] | None) -> None:
    """TypeError when an action has no such inputs or fields, or its amount is no money."""
    given = gives.model_fields if gives is not None else {}
    known: dict[str, FieldInfo] = {**given, **inputs.model_fields}
    for field in (spending.amount, spending.currency):
        if field not in known:
            raise TypeError(f"{name} spends `{field}`, which it neither takes nor gives")
    if not any(isinstance(mark, MoneyMark) for mark in known[spending.amount].metadata):
        raise TypeError(f"{name} spends `{spending.amount}`, which is no Money")
    if spending.order and spending.order not in given:
        raise TypeError(f"{name} gives no `{spending.order}`, which should be the id of its order")
