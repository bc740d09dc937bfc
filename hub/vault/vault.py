"""Vault: the keys of a workspace, from HUB_SECRET_KEY and from its key file, and what they seal and open.

The database says which key is in use: whatever is written is sealed with that one, in the transaction that writes it. So no
process that has not heard of a rotation can leave anything behind that only an old key opens.
"""

from __future__ import annotations

from hub.store import Session, load
from hub.vault.key_file import KeyFile
from hub.vault.keys import Key, Keyring, Sealed

VARIABLE = "HUB_SECRET_KEY"
_QUERIES = load("hub.vault")


class Vault:
    """Seals and opens. given: what HUB_SECRET_KEY says, several keys with commas between them, the newest first."""

    def __init__(self, given: str | None, file: KeyFile) -> None:
        self._given = given
        self.file = file
        self._ring: Keyring | None = None

    @property
    def ring(self) -> Keyring:
        """The keys: those of the environment, then those of the file. HubError when one of them is none."""
        return self._ring or self.read()

    def read(self) -> Keyring:
        """The keys as they are now."""
        self._ring = Keyring([*self.given(), *self.in_file()])
        return self._ring

    def given(self) -> list[Key]:
        """The keys of the environment."""
        texts = [text.strip() for text in (self._given or "").split(",")]
        return [Key.parse(text, VARIABLE) for text in texts if text]

    def in_file(self) -> list[Key]:
        """The keys of the file."""
        return [Key.parse(text, str(self.file.path)) for text in self.file.read()]

    def ready(self) -> Keyring:
        """The keys, of which there is one now: the first use makes the file."""
        if not self.read():
            self.file.make()
        return self.read()

    def seal(self, session: Session, place: str, plain: str) -> Sealed:
        """The text under the key that is in use, or under the newest where that one is lost or nothing was sealed yet."""
        in_use = key_in_use(session)
        ring = self.ring if in_use in self.ring else self.ready()
        return (ring.get(in_use or "") or ring.newest).seal(place, plain)

    def open(self, place: str, sealed: Sealed) -> str:
        """The text. Unopened when its key is not here, or it was not sealed for this place."""
        ring = self.ring if sealed.key_id in self.ring else self.read()
        return ring.open(place, sealed)

    def takes(self, session: Session, sealed: Sealed) -> str:
        """Why this cannot be kept, empty when it can: it must be under the key in use, and openable here."""
        in_use = key_in_use(session)
        known = sealed.key_id in self.ring or sealed.key_id in self.read()
        if not known:
            return f"whoever works this database does not have the key {sealed.key_id}; it needs the same keys"
        if in_use in (None, sealed.key_id) or in_use not in self.ring:
            return ""
        return "the key was changed in the meantime"


def key_in_use(session: Session) -> str | None:
    """The id of the key that everything is sealed with; None when nothing was sealed yet."""
    row = session.row(_QUERIES.key_in_use)
    return row["key_id"] if row is not None else None
