"""Requests: one inbound HTTP request as a value, and what we answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from hub.sdk import decode


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request that was read in full; nothing here waits.

    headers: names in lower case. body: exactly as received, because a signature covers every byte. url: the *configured* public
    URL with path and query, as the platform was told it; never rebuilt from a Host header. received_at: aware UTC.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    url: str

    def header(self, name: str) -> str | None:
        """The header's value, or None."""
        return self.headers.get(name.lower())

    @property
    def is_form(self) -> bool:
        """True when the body says that it is a URL-encoded form."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"

    @property
    def last_segment(self) -> str:
        """The last part of the path, where a secret token may stand."""
        return unquote(self.path.rpartition("/")[2])

    def fields(self) -> list[tuple[str, str]]:
        """The fields of a form body, in order, blanks kept, nothing trimmed. Unreadable when it is none."""
        return decode.pairs(self.body)

    def asked(self, name: str) -> str | None:
        """The first value of a query parameter, or None."""
        return next((value for key, value in decode.pairs(self.query.encode()) if key == name), None)

    def content(self, *, nested: bool = False) -> Any:
        """The body (of a GET its query) as JSON-like data: numbers are int or Decimal, never float. Unreadable when broken.

        nested: the names of a form's fields say what lies in what, as PHP writes them: `contact[id]`.
        """
        form = decode.nested_form if nested else decode.form
        if self.method in {"GET", "HEAD"}:
            return form(self.query.encode())
        return form(self.body) if self.is_form else decode.json_value(self.body)

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """The same request with more headers."""
        return replace(self, headers={**self.headers, **{name.lower(): value for name, value in headers.items()}})


@dataclass(frozen=True, slots=True)
class Answer:
    """What we answer to a platform."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
