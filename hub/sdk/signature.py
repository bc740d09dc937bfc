"""Signatures: the words with which a connector says how its platform proves itself; each verifies and signs.

Combine them with `&` (both must hold) and `|` (either may).
"""

from __future__ import annotations

from hub.sdk.proof import IfSet, Proof
from hub.sdk.settings import SettingsForm, secret
from hub.sdk.shown import Basic, Nothing, Token
from hub.sdk.signed import Digest, Ecdsa, Encoding, Hashed, Hmac, KeyForm, Stamp, Unit


def hmac(
    header: str,
    secret: str,
    *,
    digest: Digest = "sha256",
    encoding: Encoding = "hex",
    prefix: str = "",
    signed: str = "{body}",
    key: KeyForm = "text",
    separator: str = "",
    timestamp: str = "",
    unit: Unit = "seconds",
    tolerance: int | None = 300,
    ports: bool = False,
    body_digest: str = "",
    others: tuple[str, ...] = (),
) -> Hmac:
    """A keyed hash in a header, or in one of the others; `timestamp` names the header with the time, if the time is signed."""
    stamp = Stamp(header=timestamp, unit=unit, tolerance=tolerance) if timestamp else None
    return Hmac(header, secret, signed, prefix, separator, "", stamp, ports, body_digest, others, digest, encoding, key)


def hashed(
    header: str, secret: str, *, digest: Digest = "sha256", encoding: Encoding = "hex", signed: str = "{body}"
) -> Hashed:
    """A plain hash over the secret followed by what is signed."""
    return Hashed(header, secret, signed, digest=digest, encoding=encoding)


def timestamped(
    header: str,
    secret: str,
    *,
    signed: str = "{timestamp}.{body}",
    field: str = "t",
    version: str = "v1",
    digest: Digest = "sha256",
    tolerance: int | None = 300,
) -> Hmac:
    """`t=<unix seconds>,v1=<hex>[,v1=<hex>]` in one header."""
    stamp = Stamp(field=field, tolerance=tolerance)
    return Hmac(header, secret, signed, version=version, stamp=stamp, digest=digest)


def standard_webhooks(secret: str) -> Hmac:
    """Standard Webhooks: headers webhook-id, webhook-timestamp and webhook-signature, key `whsec_<base64>`."""
    return Hmac(
        "webhook-signature",
        secret,
        "{header:webhook-id}.{timestamp}.{body}",
        prefix="v1,",
        separator=" ",
        stamp=Stamp(header="webhook-timestamp"),
        encoding="base64",
        key="base64",
        key_prefix="whsec_",
    )


def ecdsa(header: str, public_key: str, *, timestamp: str, tolerance: int | None = None) -> Ecdsa:
    """ECDSA P-256 over the timestamp's text and the body."""
    return Ecdsa(header, public_key, "{timestamp}{body}", stamp=Stamp(header=timestamp, tolerance=tolerance))


def basic(username: str, password: str, *, is_fixed: bool = False) -> Basic:
    """HTTP basic authentication, by the names of two settings; or `is_fixed`, with this very user name."""
    return Basic(username, password, is_fixed)


def token(secret: str, *, header: str = "", query: str = "", path: bool = False) -> Token:
    """A shared secret in a header, a query parameter, or as the last part of the path: exactly one of them."""
    if [bool(header), bool(query), path].count(True) != 1:
        raise ValueError("say one place of the token: header=, query= or path=True")
    return Token(secret, header, query, path)


def if_set(proof: Proof) -> IfSet:
    """A proof that is asked for only where its secret is set; stands beside another (`token(…) & if_set(…)`)."""
    return IfSet(proof)


def none(*, because: str) -> Nothing:
    """No proof at all, with the reason; the connection must accept it in so many words."""
    return Nothing(because)


def any_source() -> tuple[SettingsForm, Proof]:
    """The secrets and the proof of a connection at whose other side is any program, which proves itself as it can.

    By Standard Webhooks, by an HMAC-SHA256 as many tools send it, or by a long text that it shows in a header or the address.
    """
    form = (
        secret("webhook_secret", "the source signs with it as Standard Webhooks says (whsec_…)", required=False)
        + secret("signing_key", "the source signs with it in X-Hub-Signature-256 (sha256=…)", required=False)
        + secret("webhook_token", "a source that cannot sign sends it in X-Webhook-Token, or as ?key=…", required=False)
    )
    signed = standard_webhooks("webhook_secret") | hmac("X-Hub-Signature-256", "signing_key", prefix="sha256=")
    return form, signed | token("webhook_token", header="X-Webhook-Token") | token("webhook_token", query="key")
