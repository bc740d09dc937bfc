"""Rotation: one key takes the place of another, in three steps; broken off after any of them, it goes on when it is asked for.

1. `begin`: a new key stands before the old one in the file. Everything is still sealed with the old one.
2. The command `rotate_keys`: everything is sealed anew, and the new key is the one in use, in one transaction.
3. `end`: the old key is taken out of the file.

Keys of HUB_SECRET_KEY are the admin's to put there and to take away; then the first step only looks that there is a new one.
"""

from __future__ import annotations

from hub.errors import HubError
from hub.vault.keys import new_key
from hub.vault.vault import VARIABLE, Vault


def begin(vault: Vault, in_use: str | None) -> str:
    """The id of the key that everything shall be sealed with: a new one, or that of a rotation that was broken off.

    HubError when the environment holds the key and no newer one.
    """
    ring = vault.read()
    if not ring or ring.newest.id == in_use:
        if vault.given():
            raise HubError(f"{VARIABLE} holds no new key. Write `new,old` there, start the hub again, and rotate then.")
        vault.file.replace([new_key(), *vault.file.read()])
    return vault.read().newest.id


def end(vault: Vault, in_use: str | None) -> list[str]:
    """Take every key out of the file that is older than the one in use; gives their ids."""
    texts, keys = vault.file.read(), vault.in_file()
    ids = [key.id for key in keys]
    if any(key.id == in_use for key in vault.given()):
        kept = 0
    elif in_use in ids:
        kept = ids.index(in_use) + 1
    else:
        return []
    if kept < len(ids):
        vault.file.replace(texts[:kept])
    return ids[kept:]
