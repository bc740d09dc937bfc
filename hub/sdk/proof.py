"""Proofs: what every way of showing that a request is genuine has in common, and how they combine.

Everything that is wrong with a proof ends in Refused: absent, malformed, not ASCII, stale, from the future, or simply not ours.
Comparisons take constant time. Proofs combine: `a & b` asks for both, `a | b` for either.
"""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from hub.errors import Refused
from hub.sdk.request import Request
from hub.sdk.settings import Secret, Settings, SettingsForm


class Proof(ABC):
    """A way in which a platform proves itself."""

    @abstractmethod
    def verify(self, request: Request, settings: Settings, now: datetime) -> None:
        """Returns when the request is genuine. Refused when it is not."""

    @abstractmethod
    def sign(self, request: Request, settings: Settings, now: datetime) -> Request:
        """The request as the platform would send it, with the newest secret. ValueError when the secret is not set."""

    @abstractmethod
    def examples(self, seed: str = "") -> Mapping[str, str]:
        """Secrets of the right form, by setting; they are nobody's. Another seed makes other secrets."""

    @property
    def shown(self) -> str:
        """What people call it."""
        return type(self).__name__

    @property
    def compares_with(self) -> tuple[str, ...]:
        """The settings without which nothing can be shown."""
        return tuple(self.examples())

    @property
    def covers_body(self) -> bool:
        """True when a changed body is noticed."""
        return False

    @property
    def tolerance(self) -> int | None:
        """The seconds after which a recorded request is refused; None when it never is."""
        return None

    def can_hold(self, settings: Settings) -> bool:
        """True when the connection has what it takes to accept anything at all."""
        return is_set(self, settings)

    def strip(self, request: Request) -> Request:
        """The request as it may be kept: what would let its reader speak as the platform is taken out."""
        return request

    def settings(self) -> SettingsForm:
        """Settings that this proof adds to the connector's own."""
        return SettingsForm()

    def __and__(self, other: Proof) -> Proof:
        return Both(self, other)

    def __or__(self, other: Proof) -> Proof:
        return Either(self, other)


def current(settings: Settings, name: str) -> tuple[str, ...]:
    """The current values of a secret, newest first. Refused when it is not set, for then nothing can be proven."""
    secret: Secret | None = settings.secret(name)
    if secret is None:
        raise Refused(f"The secret `{name}` of this connection is not set, so nothing sent to it can be checked. Set it first.")
    return secret.values


def header_of(request: Request, name: str) -> str:
    """The header's value. Refused when it is absent, empty or not ASCII."""
    value = request.header(name)
    if not value:
        raise Refused(f"The header {name} is missing; without it the request cannot be shown to be genuine.")
    if not value.isascii():
        raise Refused(f"The header {name} is malformed: it holds characters that are not ASCII.")
    return value


def same(given: str, expected: str) -> bool:
    """True when two texts are equal, in constant time, whatever characters they hold."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))


def is_set(proof: Proof, settings: Settings) -> bool:
    """True when the connection has what this proof compares with."""
    return all(settings.get(name) for name in proof.compares_with)


def any_same(given: str, expected: tuple[str, ...]) -> bool:
    """True when the text is one of those expected."""
    return any(same(given, value) for value in expected)


def with_query(request: Request, pairs: list[tuple[str, str]]) -> Request:
    """The same request with another query string."""
    query = urlencode(pairs)
    base = request.url.partition("?")[0]
    return replace(request, query=query, url=f"{base}?{query}" if query else base)


@dataclass(frozen=True, slots=True)
class _Pair(Proof):
    first: Proof
    second: Proof

    def examples(self, seed: str = "") -> Mapping[str, str]:
        return {**self.second.examples(seed), **self.first.examples(seed)}

    def strip(self, request: Request) -> Request:
        return self.second.strip(self.first.strip(request))

    def settings(self) -> SettingsForm:
        return self.first.settings() + self.second.settings()


@dataclass(frozen=True, slots=True)
class Both(_Pair):
    """Two proofs, both of which must hold."""

    @property
    def shown(self) -> str:
        return f"{self.first.shown} and {self.second.shown}"

    @property
    def covers_body(self) -> bool:
        return self.first.covers_body or self.second.covers_body

    @property
    def tolerance(self) -> int | None:
        return min((proof.tolerance for proof in (self.first, self.second) if proof.tolerance is not None), default=None)

    def verify(self, request: Request, settings: Settings, now: datetime) -> None:
        self.first.verify(request, settings, now)
        self.second.verify(request, settings, now)

    def can_hold(self, settings: Settings) -> bool:
        return self.first.can_hold(settings) and self.second.can_hold(settings)

    def sign(self, request: Request, settings: Settings, now: datetime) -> Request:
        # A token in the URL comes first, for the other proof may cover the URL.
        return self.second.sign(self.first.sign(request, settings, now), settings, now)


@dataclass(frozen=True, slots=True)
class Either(_Pair):
    """Two proofs, one of which must hold; we sign with the first that the connection has a secret for."""

    @property
    def shown(self) -> str:
        return " or ".join(dict.fromkeys((self.first.shown, self.second.shown)))

    @property
    def covers_body(self) -> bool:
        return self.first.covers_body and self.second.covers_body

    @property
    def tolerance(self) -> int | None:
        known = (self.first.tolerance, self.second.tolerance)
        return None if None in known else max(one for one in known if one is not None)

    def verify(self, request: Request, settings: Settings, now: datetime) -> None:
        refusals = []
        for proof in self._usable(settings):
            try:
                proof.verify(request, settings, now)
            except Refused as refusal:
                refusals.append(str(refusal))
            else:
                return
        raise Refused(" ".join(refusals))

    def can_hold(self, settings: Settings) -> bool:
        return self.first.can_hold(settings) or self.second.can_hold(settings)

    def sign(self, request: Request, settings: Settings, now: datetime) -> Request:
        return self._usable(settings)[0].sign(request, settings, now)

    def _usable(self, settings: Settings) -> list[Proof]:
        # One that the connection has no secret for would refuse, and its words would only mislead.
        return [proof for proof in (self.first, self.second) if proof.can_hold(settings)] or [self.first]


@dataclass(frozen=True, slots=True)
class IfSet(Proof):
    """A proof that holds where its secret is set, beside another that always does (`token(…) & if_set(hmac(…))`)."""

    proof: Proof

    @property
    def shown(self) -> str:
        return f"{self.proof.shown} where set"

    def verify(self, request: Request, settings: Settings, now: datetime) -> None:
        if is_set(self.proof, settings):
            self.proof.verify(request, settings, now)

    def can_hold(self, settings: Settings) -> bool:
        return True

    def sign(self, request: Request, settings: Settings, now: datetime) -> Request:
        return self.proof.sign(request, settings, now) if is_set(self.proof, settings) else request

    def examples(self, seed: str = "") -> Mapping[str, str]:
        return self.proof.examples(seed)

    def strip(self, request: Request) -> Request:
        return self.proof.strip(request)
