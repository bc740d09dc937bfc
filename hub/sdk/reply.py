"""Replies: the answers that platforms expect once a delivery is kept; most want silence, each in its own form."""

from __future__ import annotations

import json as _json
from typing import Any

from hub.sdk.request import Answer


def empty(status: int = 200) -> Answer:
    """Nothing but the status."""
    return Answer(status)


def text(words: str, status: int = 200) -> Answer:
    """Plain text, for instance the echo of a challenge."""
    return Answer(status, words.encode(), "text/plain; charset=utf-8")


def xml(document: str, status: int = 200) -> Answer:
    """An XML document, for instance TwiML."""
    return Answer(status, document.encode(), "text/xml; charset=utf-8")


def json(value: Any, status: int = 200) -> Answer:
    """A JSON value."""
    return Answer(status, _json.dumps(value, ensure_ascii=False).encode(), "application/json")
