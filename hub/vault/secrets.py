"""Secrets: the settings of connections that are kept in the database, encrypted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.store import Session, load
from hub.vault.keys import Sealed, Unopened
from hub.vault.vault import Vault

queries = load("hub.vault")


@dataclass(frozen=True, slots=True)
class Kept:
    """A secret as it is kept: whose it is, and who set it when (as text, UTC)."""

    connection: str
    name: str
    sealed: Sealed
    set_at: str
    set_by: str

    @property
    def place(self) -> str:
        """What it is encrypted for."""
        return place_of(self.connection, self.name)


@dataclass(frozen=True, slots=True)
class KeptValue:
    """A kept secret, opened. value: None when it cannot be read; trouble says why then. Its repr shows no value."""

    connection: str
    name: str
    value: str | None
    trouble: str = ""

    def __repr__(self) -> str:
        return f"KeptValue({self.connection!r}, {self.name!r})"


def place_of(connection: str, name: str) -> str:
    """What the secret of a setting is encrypted for."""
    return f"secret:{connection}/{name}"


def kept_secrets(session: Session) -> list[Kept]:
    """Every secret that is kept, by connection and name."""
    return [
        Kept(row["connection"], row["name"], Sealed(row["key_id"], row["sealed"]), row["set_at"], row["set_by"])
        for row in session.rows(queries.kept_secrets)
    ]


def opened(vault: Vault, secrets: Iterable[Kept]) -> list[KeptValue]:
    """The secrets decrypted; one that cannot be says why."""
    return [_opened(vault, one) for one in secrets]


def _opened(vault: Vault, kept: Kept) -> KeptValue:
    try:
        return KeptValue(kept.connection, kept.name, vault.open(kept.place, kept.sealed))
    except Unopened as error:
        return KeptValue(kept.connection, kept.name, None, str(error))
