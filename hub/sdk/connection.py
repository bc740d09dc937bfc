"""Connections: a connector with one account's settings and secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.errors import CallFailed
from hub.sdk.settings import Settings

if TYPE_CHECKING:
    from hub.sdk.connector import Connector

_PART = re.compile(r"\{(\w+)\}")
# What a setting may put into a URL: nothing that could move it to another host, port or path.
_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# What may stand at its very beginning: the address of the admin's own server.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.:-]*(/[A-Za-z0-9._~-]+)*/?")
# Where the whole address is the admin's own to say: no user name, no way up, no fragment.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\s{}\\#]*)?")


@dataclass(frozen=True, slots=True)
class Connection:
    """One account of one platform.

    base_url: where its API is played instead (tests, the demo, an own server). allow_private: whether that may be an address
    inside the house. webhook_url: the public URL at which the platform calls us.
    """

    name: str
    connector: Connector
    settings: Settings
    base_url: str | None = None
    allow_private: bool = False
    webhook_url: str = ""

    def fill(self, template: str) -> str:
        """`https://{shop}.example.com` with the settings put in. CallFailed when one is missing or could lead elsewhere.

        A template that is a setting and nothing else (`{url}`) takes a whole address.
        """

        def value(match: re.Match[str]) -> str:
            text = str(self.settings.get(match[1]) or "")
            harmless = _HARMLESS.fullmatch(text) or (match[0] == template and _ADDRESS.fullmatch(text))
            if not harmless or ".." in text:
                raise CallFailed(f"The setting `{match[1]}` of {self.name} cannot be part of an address: {text!r}.", "lasting")
            return text.rstrip("/") if whole else text

        return _PART.sub(value, template)
