"""Declare: the words with which a connector describes its platform."""

from __future__ import annotations

from typing import Any

from hub.sdk import auth, pages, reply, signature
from hub.sdk.envelope import Envelope, Source
from hub.sdk.rate import rate
from hub.sdk.sample import answers, ask
from hub.sdk.settings import secret, secrets, setting
from hub.sdk.spending import spends

__all__ = [
    "answers", "ask", "auth", "body", "envelope", "header", "pages", "query", "rate", "reply", "secret", "secrets", "setting",
    "signature", "spends",
]  # fmt: skip


def body(path: str = "") -> Source:
    """A dotted path in the body (`data.object.id`); empty for the whole of it."""
    return Source("body", path)


def header(name: str, *others: str) -> Source:
    """A header; with several names the first that is there."""
    return Source("header", name, others)


def query(name: str) -> Source:
    """A query parameter."""
    return Source("query", name)


def envelope(**said: Any) -> Envelope:
    """How to take a delivery apart: kind, id, account, data, at, each; see `Envelope`."""
    return Envelope(**said)
