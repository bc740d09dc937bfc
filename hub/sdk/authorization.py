"""Authorization: a request to a person that we may use an account, and the answer that they bring back (RFC 6749)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from hub.errors import CallFailed


@dataclass(frozen=True, slots=True)
class Authorization:
    """A request that a person agrees to. state: comes back with the code; verifier: shows that the code was asked for by us."""

    redirect_uri: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    @property
    def challenge(self) -> str:
        """What is told of the verifier beforehand (RFC 7636)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")

    def code_in(self, address: str) -> str:
        """The code in the address to which the person was led. CallFailed(reconnect) when it does not answer this."""
        told = dict(parse_qsl(urlsplit(address.strip()).query))
        if not hmac.compare_digest(told.get("state", "").encode(), self.state.encode()):
            raise CallFailed("This address does not answer this request (its `state` is another). Begin anew.", "reconnect")
        if "code" not in told:
            said = told.get("error_description") or told.get("error") or "it names no code"
            raise CallFailed(f"The platform did not agree: {said}.", "reconnect")
        return told["code"]
