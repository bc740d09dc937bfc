"""What the kit's tests share: requests, settings and a connector of nobody's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.sdk.request import Request
from hub.sdk.settings import Secret, Settings

NOW = datetime(2026, 2, 6, 21, 30, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """A moment at which nothing special happens."""
    return NOW


@pytest.fixture
def request_of() -> Callable[..., Request]:
    """Makes a POST with a body; url, headers and the rest may be said."""

    def make(
        body: bytes = b'{"a":1}',
        *,
        url: str = "https://hub.example.com/hooks/shop",
        headers: dict[str, str] | None = None,
        method: str = "POST",
        form: bool = False,
    ) -> Request:
        base, _, query = url.partition("?")
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        named = {"content-type": kind, **{name.lower(): value for name, value in (headers or {}).items()}}
        return Request(method, "/" + base.split("/", 3)[3], query, named, body, NOW, url)

    return make


@pytest.fixture
def settings_of() -> Callable[..., Settings]:
    """Settings with these secrets; a tuple is several current values."""

    def make(**values: Any) -> Settings:
        return Settings({name: Secret(*((value,) if isinstance(value, str) else value)) for name, value in values.items()})

    return make
