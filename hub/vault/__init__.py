"""Vault: secrets that are kept in the database, encrypted, and the keys that they are encrypted with."""

from hub.vault.filling import CONNECTOR, complete, open_vault
from hub.vault.keys import Sealed, Unopened
from hub.vault.secrets import Kept, kept_secrets, place_of
from hub.vault.tokens import KeptTokens, seal_token, token_place
from hub.vault.vault import Vault, key_in_use

__all__ = [
    "CONNECTOR",
    "Kept",
    "KeptTokens",
    "Sealed",
    "Unopened",
    "Vault",
    "complete",
    "kept_secrets",
    "key_in_use",
    "open_vault",
    "place_of",
    "seal_token",
    "token_place",
]
