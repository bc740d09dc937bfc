"""Keys: what secrets are encrypted with; there are several while one takes the place of another.

AES-256-GCM, with the place of a secret (`secret:square/access_token`) as associated data: a ciphertext that was moved to
another row does not open there. A key's id is made of the key, so that nothing has to say which is which.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub import log
from hub.errors import HubError

KEY_BYTES = 32
_NONCE_BYTES = 12
_ID_DIGITS = 8


class Unopened(HubError):
    """A secret cannot be decrypted: its key is not here, or the row was changed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted text: the id of its key, and nonce and ciphertext as base64."""

    key_id: str
    text: str


@final
class Key:
    """One key. Its repr shows its id alone."""

    __slots__ = ("_cipher", "id")

    def __init__(self, raw: bytes) -> None:
        self.id = hashlib.sha256(b"loyalty-hub key id\0" + raw).hexdigest()[:_ID_DIGITS]
        self._cipher = AESGCM(raw)

    @classmethod
    def parse(cls, text: str, where: str) -> Key:
        """A key as people write it: 32 bytes in base64, either alphabet. HubError naming `where` it stands when it is none."""
        log.redact.add(text)
        try:
            raw = base64.b64decode(text.replace("-", "+").replace("_", "/").rstrip("=") + "=", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != KEY_BYTES:
            raise HubError(
                f"What stands in {where} is not a key: a key is {KEY_BYTES} random bytes in base64. "
                f"`openssl rand -base64 {KEY_BYTES}` makes one."
            )
        return cls(raw)

    def __repr__(self) -> str:
        return f"Key({self.id!r})"

    def seal(self, place: str, plain: str) -> Sealed:
        """The text, encrypted for this place."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, plain.encode(), place.encode())
        return Sealed(self.id, base64.b64encode(sealed).decode())

    def open(self, place: str, sealed: Sealed) -> str:
        """The text that was encrypted for this place. Unopened when it was not."""
        try:
            raw = base64.b64decode(sealed.text, validate=True)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise Unopened(f"{place} does not open with its key {self.id}: the row was changed or moved") from None


def new_key() -> str:
    """A new key, as people write it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


@final
class Keyring:
    """The keys that there are, the newest first."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._by_id = {key.id: key for key in keys}

    @property
    def ids(self) -> Sequence[str]:
        """The ids of the keys, the newest first."""
        return tuple(self._by_id)

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._by_id

    def __bool__(self) -> bool:
        return bool(self._by_id)

    @property
    def newest(self) -> Key:
        """The key of whatever is encrypted from now on. HubError when there is none."""
        for key in self._by_id.values():
            return key
        raise HubError("There is no key to encrypt with: set HUB_SECRET_KEY, or let `hub connections set` make one.")

    def get(self, key_id: str) -> Key | None:
        """The key of that id, None when it is not here."""
        return self._by_id.get(key_id)

    def open(self, place: str, sealed: Sealed) -> str:
        """The text. Unopened when its key is not here, or it was not encrypted for this place."""
        key = self._by_id.get(sealed.key_id)
        if key is None:
            raise Unopened(f"{place} is encrypted with the key {sealed.key_id}, which is not here")
        return key.open(place, sealed)
