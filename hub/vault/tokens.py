"""Tokens: what platforms gave for OAuth 2, kept in the database, encrypted; any process goes on where another one ended."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from datetime import datetime

from hub import log
from hub.clock import Clock, from_text, to_text
from hub.sdk.settings import Secret
from hub.sdk.tokens import Token
from hub.store import Session, Store
from hub.store.leases import Leases
from hub.vault.keys import Sealed, Unopened
from hub.vault.secrets import queries
from hub.vault.vault import Vault, key_in_use

_LOG = log.get(__name__)


class KeptTokens:
    """A token store in the database. For any number of threads; leases hold among all processes that may write."""

    def __init__(self, store: Store, vault: Vault, leases: Leases, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._leases = leases
        self._clock = clock

    def now(self) -> datetime:
        """The time by which tokens expire."""
        return self._clock.now()

    def load(self, connection: str) -> Token | None:
        """The connection's token, None before it was authorised, or when its key is lost."""
        with self._store.read() as session:
            row = session.row(queries.token_of, connection=connection)
        if row is None:
            return None
        try:
            said = json.loads(self._vault.open(token_place(connection), Sealed(row["key_id"], row["sealed"])))
        except Unopened as error:
            _LOG.error("a token cannot be read", connection=connection, reason=str(error))
            return None
        for secret in filter(None, (said["access"], said["refresh"])):
            log.redact.add_passing(connection, secret)
        return Token(
            Secret(said["access"]),
            Secret(said["refresh"]) if said["refresh"] else None,
            from_text(row["expires_at"]) if row["expires_at"] else None,
            said["base_url"],
            from_text(row["asked_at"]) if row["asked_at"] else None,
        )

    def save(self, connection: str, token: Token) -> None:
        """Keeps the token; committed when it returns."""
        with self._store.write() as session:
            sealed = seal_token(self._vault, session, connection, token)
            expires_at = to_text(token.expires_at) if token.expires_at else None
            now = to_text(self.now())
            session.run(
                queries.keep_token,
                connection=connection,
                key_id=sealed.key_id,
                sealed=sealed.text,
                expires_at=expires_at,
                saved_at=now,
            )
            if sealed.key_id != key_in_use(session):
                session.run(queries.use_key, key_id=sealed.key_id, since=now)

    def asking(self, connection: str) -> None:
        """A new token is about to be asked for; committed when it returns."""
        with self._store.write() as session:
            session.run(queries.token_asked, asked_at=to_text(self.now()), connection=connection)

    def lease(self, connection: str) -> AbstractContextManager[None]:
        """Held by one caller in all processes at a time."""
        return self._leases.lease(connection)


def token_place(connection: str) -> str:
    """What the token of a connection is encrypted for."""
    return f"token:{connection}"


def seal_token(vault: Vault, session: Session, connection: str, token: Token) -> Sealed:
    """The token, encrypted for its connection."""
    refresh = token.refresh.reveal() if token.refresh else None
    said = {"access": token.access.reveal(), "refresh": refresh, "base_url": token.base_url}
    return vault.seal(session, token_place(connection), json.dumps(said))
