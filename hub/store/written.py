"""Written: how tables keep values that have no column of their own."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json


def as_json(value: Any) -> str:
    """The value without spaces: Decimals, dates and lengths of time as text, whatever else has no form in JSON by its `str`."""
    return to_json(value, fallback=str).decode()
