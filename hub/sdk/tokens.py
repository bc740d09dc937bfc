"""Tokens: what OAuth 2 gave us, and where it is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, Protocol

from hub.sdk.settings import Secret


@dataclass(frozen=True, slots=True)
class Token:
    """What OAuth 2 gave us. expires_at: None when the platform does not say. base_url: where this account's API lives.

    asked_at: when another was asked for whose answer is not known: the platform may have put it in the place of this one.
    """

    access: Secret
    refresh: Secret | None = None
    expires_at: datetime | None = None
    base_url: str | None = None
    asked_at: datetime | None = None


class TokenStore(Protocol):
    """Where tokens are kept, encrypted; handed in, for it is the database's."""

    def now(self) -> datetime:
        """The time by which tokens expire."""
        ...

    def load(self, connection: str) -> Token | None:
        """The connection's token, None before it was authorised."""
        ...

    def save(self, connection: str, token: Token) -> None:
        """Keeps the token; committed when it returns, for the old one may be worthless by now."""
        ...

    def asking(self, connection: str) -> None:
        """Notes that a new token is about to be asked for; committed when it returns. `save` takes the note back."""
        ...

    def lease(self, connection: str) -> AbstractContextManager[None]:
        """Held by one caller in all processes at a time."""
        ...


class HeldTokens:
    """A token store in memory, for tokens that can be asked for anew at any time; leases hold within this process."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self._tokens: dict[str, Token] = {}
        self._leases: defaultdict[str, Lock] = defaultdict(Lock)

    def load(self, connection: str) -> Token | None:
        """The connection's token, None when there is none yet."""
        return self._tokens.get(connection)

    def save(self, connection: str, token: Token) -> None:
        """Keeps the token."""
        self._tokens[connection] = token

    def asking(self, connection: str) -> None:
        """Nothing: what is in memory does not outlive the one who asks."""

    def lease(self, connection: str) -> AbstractContextManager[Any]:
        """Held by one caller at a time."""
        return self._leases[connection]
