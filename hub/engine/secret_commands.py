"""Secret commands: what changes in the vault; the secrets that reach the inbox are encrypted already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hub.clock import to_text
from hub.engine.batch import Batch
from hub.engine.commands import Command, Done, Payload
from hub.engine.health import HEALTH, health_of
from hub.engine.inbox import Delivery
from hub.errors import HubError
from hub.vault import Sealed, Unopened, Vault, kept_secrets, place_of, token_place
from hub.vault.secrets import queries


class SecretCommands:
    """The commands that keep and drop secrets, and that put everything under another key."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    @property
    def by_name(self) -> Mapping[str, Command]:
        """Each by the name under which it is asked for."""
        return {
            "keep_secret": self._keep,
            "keep_token": self._keep_token,
            "drop_secret": self._drop,
            "rotate_keys": self._rotate,
        }

    def _keep(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        connection, name = str(payload["connection"]), str(payload["name"])
        sealed = Sealed(str(payload["key_id"]), str(payload["sealed"]))
        self._accept(batch, place_of(connection, name), sealed)
        at = to_text(batch.now)
        row = (connection, name, sealed.key_id, sealed.text, at, str(payload.get("by") or ""))
        batch.unit.append(queries.keep_secret, row)
        return {"connection": connection, "name": name, "key_id": sealed.key_id}, []

    def _keep_token(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        connection, expires_at = str(payload["connection"]), payload.get("expires_at")
        sealed = Sealed(str(payload["key_id"]), str(payload["sealed"]))
        self._accept(batch, token_place(connection), sealed)
        row = (connection, sealed.key_id, sealed.text, str(expires_at) if expires_at else None, to_text(batch.now))
        batch.unit.append(queries.keep_token, row)
        health = health_of(batch.unit, connection)
        batch.unit.put(HEALTH, connection, replace(health, state="ok", failures=0, open_until=None, last_error=""))
        return {"connection": connection, "expires_at": expires_at}, []

    def _accept(self, batch: Batch, place: str, sealed: Sealed) -> None:
        """The key is the one in use from now on. HubError when this process cannot open what shall be kept."""
        why_not = self._vault.takes(batch.unit.session, sealed)
        if why_not:
            raise HubError(f"{place} was not kept: {why_not}. Set it again.")
        self._vault.open(place, sealed)
        batch.unit.append(queries.use_key, (sealed.key_id, to_text(batch.now)))

    def _drop(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        connection, name = str(payload["connection"]), str(payload["name"])
        if all((one.connection, one.name) != (connection, name) for one in kept_secrets(batch.unit.session)):
            raise HubError(f"the database keeps no `{name}` of {connection}; `hub connections list` shows what it keeps")
        batch.unit.append(queries.drop_secret, (connection, name))
        return {"connection": connection, "name": name}, []

    def _rotate(self, batch: Batch, delivery: Delivery, payload: Payload) -> Done:
        """Everything under the newest key, in the transaction of this command; what cannot be read stays as it is."""
        newest = self._vault.read().newest
        if newest.id != payload.get("key_id"):
            raise HubError(
                f"the worker's newest key is {newest.id}, not {payload.get('key_id')}: it runs with another HUB_SECRET_KEY; "
                "give it the same one and start it again"
            )
        resealed, unread = 0, []
        for row in batch.unit.session.rows(queries.all_tokens):
            place = token_place(row["connection"])
            try:
                sealed = newest.seal(place, self._vault.open(place, Sealed(row["key_id"], row["sealed"])))
            except Unopened:
                unread.append(place)
                continue
            batch.unit.append(queries.reseal_token, (sealed.key_id, sealed.text, row["connection"]))
            resealed += 1
        for kept in kept_secrets(batch.unit.session):
            try:
                sealed = newest.seal(kept.place, self._vault.open(kept.place, kept.sealed))
            except Unopened:
                unread.append(kept.place)
                continue
            batch.unit.append(queries.reseal_secret, (sealed.key_id, sealed.text, kept.connection, kept.name))
            resealed += 1
        batch.unit.append(queries.use_key, (newest.id, to_text(batch.now)))
        return {"key_id": newest.id, "secrets": resealed, "unread": unread}, []
