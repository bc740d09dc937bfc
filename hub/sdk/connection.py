"""Connections: a connector with one account's settings and secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.errors import CallFailed
from hub.sdk.settings import Settings

if TYPE_CHECKING:
    from hub.sdk.auth import Auth
    from hub.sdk.connector import Connector

_PART = re.compile(r"\{(\w+)\}")
# What a setting may put into a URL: nothing that could move it to another host, port or path.
_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# What may stand at its very beginning, where the address is the admin's own to say: no user name, no way up, no fragment.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\s{}\\#]*)?")


@dataclass(frozen=True, slots=True)
class Connection:
    """One account of one platform.

    base_url: where its API is played instead (tests, the demo, an own server). allow_private: whether that may be an address
    inside the house. webhook_url: the public URL at which the platform calls us. mirror: which of the platform's fields show
    what of a member, as hub.yaml says (`balance: POINTS`); what they say is our own word and no news. shared: whether others
    buy with this account, so that their orders are no difference.
    """

    name: str
    connector: Connector
    settings: Settings
    base_url: str | None = None
    allow_private: bool = False
    webhook_url: str = ""
    mirror: Mapping[str, str] = field(default_factory=dict)
    shared: bool = False

    @property
    def auth(self) -> Auth | None:
        """How this connection shows the platform who we are."""
        return self.connector.auth.chosen(self) if self.connector.auth else None

    def addresses(self) -> list[str]:
        """The addresses of the platform, its API's first; further ones only where the connection has their settings."""
        first, *others = self.connector.api or ("",)
        said = [one for one in others if all(self.settings.get(name) for name in _PART.findall(one))]
        return [self.fill(address) for address in (first, *said) if address]

    def fill(self, template: str) -> str:
        """`https://{shop}.example.com` with the settings put in. CallFailed when one is missing or could lead elsewhere.

        A setting at the very beginning (`{url}`, `{store}/api`) may be a whole address.
        """

        def value(match: re.Match[str]) -> str:
            text = str(self.settings.get(match[1]) or "")
            whole = match.start() == 0 and _ADDRESS.fullmatch(text)
            if ".." in text or not (whole or _HARMLESS.fullmatch(text)):
                raise CallFailed(f"The setting `{match[1]}` of {self.name} cannot be part of an address: {text!r}.", "lasting")
            return text.rstrip("/") if whole and match[0] != template else text

        return _PART.sub(value, template)
