"""Signed requests: keyed hashes and ECDSA as values that verify and sign, in all the variants that platforms have thought of.

What is signed is a template of parts: `{body}`, `{timestamp}.{body}`, `{url}{body}`, `{method}{url:plain}{body}{timestamp}`,
`{url}{fields}`, `{header:webhook-id}.{timestamp}.{body}`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac as _hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from string import Formatter
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.errors import Refused, Unreadable
from hub.sdk.proof import Proof, current, header_of, same, with_query
from hub.sdk.request import Request
from hub.sdk.settings import Settings

Digest = Literal["sha1", "sha256", "sha512"]
Encoding = Literal["hex", "base64"]
KeyForm = Literal["text", "base64", "hex"]
Unit = Literal["seconds", "milliseconds", "iso", "http"]

SIGNATURES_MOST = 20
_PARTS = {"body", "url", "method", "path", "timestamp", "fields", "header"}
# Characters that may stand bare in a URL; some platforms undo their escapes before they sign.
_PLAIN = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
_DEFAULT_PORTS = {"https": 443, "http": 80}
_PEM_WORDS = {"PUBLIC", "PRIVATE", "KEY", "EC"}


@dataclass(frozen=True, slots=True)
class Stamp:
    """The time that is signed: in a header of its own, or a field of the signature header (`t=…`).

    tolerance: seconds by which it may differ from now, either way; None takes its text into the signature only.
    """

    header: str = ""
    field: str = ""
    unit: Unit = "seconds"
    tolerance: int | None = 300

    def check(self, text: str, now: datetime) -> None:
        """Refused when the time is malformed, too old, or too far in the future."""
        if self.tolerance is None:
            return
        try:
            moment = self._read(text)
            away = (now - moment).total_seconds()
        except (ValueError, OverflowError, TypeError):
            raise Refused(f"The time of the signature is malformed: {text[:40]!r}.") from None
        if abs(away) > self.tolerance:
            said = f"{away:.0f} seconds old" if away > 0 else f"{-away:.0f} seconds in the future"
            raise Refused(f"The signature is {said}; {self.tolerance} seconds are allowed. Check the clocks of both sides.")

    def _read(self, text: str) -> datetime:
        if self.unit == "iso":
            return datetime.fromisoformat(text)
        if self.unit == "http":
            return parsedate_to_datetime(text)
        if not re.fullmatch("[0-9]{1,15}", text):
            raise ValueError(text)
        return datetime.fromtimestamp(int(text) / (1000 if self.unit == "milliseconds" else 1), UTC)

    def text(self, now: datetime) -> str:
        """The time as the platform writes it."""
        if self.unit == "iso":
            return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.unit == "http":
            return format_datetime(now.astimezone(UTC), usegmt=True)
        return str(int(now.timestamp() * (1000 if self.unit == "milliseconds" else 1)))


@dataclass(frozen=True, slots=True)
class Signed(Proof):
    """A signature in a header over a template of parts.

    header: where it stands; others: where it may stand instead. secret: the setting with the key. prefix: text before each
    signature. separator: what stands between several. version: the name of the signature field where the header is a list of
    `name=value`. ports: the platform is of two minds about the port in the URL. body_digest: the query parameter with the hex
    SHA-256 of a body that is no form.
    """

    header: str
    secret: str
    signed: str = "{body}"
    prefix: str = ""
    separator: str = ""
    version: str = ""
    stamp: Stamp | None = None
    ports: bool = False
    body_digest: str = ""
    others: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parts = [name for _, name, _, _ in Formatter().parse(self.signed) if name is not None]
        if unknown := set(parts) - _PARTS:
            raise ValueError(f"a signature has no part {', '.join(sorted(unknown))}; it has {', '.join(sorted(_PARTS))}")
        if "timestamp" in parts and self.stamp is None:
            raise ValueError("`{timestamp}` is signed, so say where the timestamp stands")
        if not {"body", "fields"} & set(parts):
            raise ValueError("a signature must cover the body")

    @property
    def compares_with(self) -> tuple[str, ...]:
        return (self.secret,)

    @property
    def covers_body(self) -> bool:
        return True

    @property
    def tolerance(self) -> int | None:
        return self.stamp.tolerance if self.stamp else None

    def verify(self, request: Request, settings: Settings, now: datetime) -> None:
        candidates, stamp = self._given(request)
        keys = current(settings, self.secret)
        if self.stamp is not None:
            self.stamp.check(stamp, now)
        self._check_digest(request)
        messages = (self._message(variant, stamp) for variant in self._variants(request))
        if not any(self._holds(given, message, key) for message in messages for given in candidates for key in keys):
            raise Refused(
                f"The signature in {self.header} does not fit this request. Compare the secret `{self.secret}`"
                + (" and the public URL (scheme, host, path, query)." if "{url" in self.signed else " with the platform's.")
            )

    def sign(self, request: Request, settings: Settings, now: datetime) -> Request:
        if self.body_digest and request.body and not request.is_form:
            request = with_query(request, [(self.body_digest, hashlib.sha256(request.body).hexdigest())])
        for _, name, spec, _ in Formatter().parse(self.signed):
            if name == "header" and spec and request.header(spec) is None:
                request = request.with_headers({spec: "msg_" + hashlib.sha256(request.body).hexdigest()[:24]})
        stamp = "" if self.stamp is None else self.stamp.text(now)
        value = self.prefix + self._made(self._message(request, stamp), current(settings, self.secret)[0])
        if self.version:
            stamped = f"{self.stamp.field}={stamp}," if self.stamp and self.stamp.field else ""
            value = f"{stamped}{self.version}={value}"
        headers = {self.header: value}
        if self.stamp and self.stamp.header:
            headers[self.stamp.header] = stamp
        return request.with_headers(headers)

    def _holds(self, given: str, message: bytes, key: str) -> bool:
        raise NotImplementedError

    def _made(self, message: bytes, key: str) -> str:
        raise NotImplementedError

    def _given(self, request: Request) -> tuple[list[str], str]:
        """The signatures in the header, and the timestamp's exact text."""
        value = header_of(request, next(filter(request.header, (self.header, *self.others)), self.header))
        stamp = ""
        if self.version:
            pairs = [part.strip().partition("=") for part in value.split(",", SIGNATURES_MOST)]
            if self.stamp and self.stamp.field:
                stamp = next((text for name, _, text in pairs if name == self.stamp.field), "")
            candidates = [text for name, _, text in pairs if name == self.version]
        else:
            candidates = [part.strip() for part in value.split(self.separator, SIGNATURES_MOST)] if self.separator else [value]
        candidates = [text[len(self.prefix) :] for text in candidates if text.startswith(self.prefix)]
        if not any(candidates):
            form = f"{self.version}=…" if self.version else f"{self.prefix}…"
            raise Refused(f"The header {self.header} is malformed: no signature of the form `{form}` is in it.")
        if self.stamp and self.stamp.header:
            stamp = header_of(request, self.stamp.header)
        elif self.stamp and not stamp:
            raise Refused(f"The header {self.header} is malformed: no time `{self.stamp.field}=…` is in it.")
        return candidates, stamp

    def _check_digest(self, request: Request) -> None:
        """A body that is not a form is no part of `{fields}`: it must be covered by its digest in the URL, or by nothing."""
        if "{fields}" not in self.signed or request.is_form or not request.body:
            return
        try:
            told = request.asked(self.body_digest) if self.body_digest else None
        except Unreadable as error:
            raise Refused(f"The query string cannot be read: {error}") from None
        if told is None:
            raise Refused("The signature does not cover this body, because it is not a form.")
        if not same(told.lower(), hashlib.sha256(request.body).hexdigest()):
            raise Refused(f"The body is not the one that `{self.body_digest}` in the URL was made of.")

    def _variants(self, request: Request) -> Iterator[Request]:
        yield request
        if not self.ports:
            return
        try:
            parts = urlsplit(request.url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise Refused("The public URL of this connection is malformed.") from None
        for netloc in {host, f"{host}:{port or _DEFAULT_PORTS.get(parts.scheme, 443)}"} - {parts.netloc}:
            yield replace(request, url=urlunsplit(parts._replace(netloc=netloc)))

    def _message(self, request: Request, stamp: str) -> bytes:
        parts = _parts_of(self.signed)
        return b"".join([literal + _part(name, spec, request, stamp) if name else literal for literal, name, spec in parts])


@cache
def _parts_of(template: str) -> tuple[tuple[bytes, str, str], ...]:
    """What a template is made of: literal bytes, each with the part that follows it and what is said of that."""
    return tuple((literal.encode(), name or "", spec or "") for literal, name, spec, _ in Formatter().parse(template))


def _part(name: str, spec: str, request: Request, stamp: str) -> bytes:
    if name == "body":
        return request.body
    if name == "fields":
        return _fields(request)
    if name == "url":
        url = _PLAIN.sub(lambda match: unquote(match[0]), request.url) if spec == "plain" else request.url
        return url.encode()
    texts = {"timestamp": stamp, "method": request.method, "path": request.path}
    return (header_of(request, spec) if name == "header" else texts[name]).encode()


def _fields(request: Request) -> bytes:
    """Form fields sorted by name, name and value with nothing between; of a repeated field its distinct values, sorted."""
    if not request.is_form:
        return b""
    try:
        pairs = set(request.fields())
    except Unreadable as error:
        raise Refused(f"The form cannot be read: {error}") from None
    return "".join(name + value for name, value in sorted(pairs)).encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Hmac(Signed):
    """A keyed hash. key: how the key stands in the setting; key_prefix: what is cut off it first (`whsec_`)."""

    digest: Digest = "sha256"
    encoding: Encoding = "hex"
    key: KeyForm = "text"
    key_prefix: str = ""

    @property
    def shown(self) -> str:
        return f"HMAC {self.digest.upper().replace('SHA', 'SHA-')}"

    def examples(self, seed: str = "") -> Mapping[str, str]:
        raw = hashlib.sha256((self.secret + seed).encode()).digest()
        text = f"example-{self.secret.replace('_', '-')}-7Qd2{seed}"
        forms = {"text": text, "base64": base64.b64encode(raw).decode(), "hex": raw.hex()}
        return {self.secret: self.key_prefix + forms[self.key]}

    def _holds(self, given: str, message: bytes, key: str) -> bool:
        return same(given.lower() if self.encoding == "hex" else given, self._made(message, key))

    def _made(self, message: bytes, key: str) -> str:
        raw = _hmac.digest(self._raw_key(key), message, self.digest)
        return raw.hex() if self.encoding == "hex" else base64.b64encode(raw).decode()

    def _raw_key(self, key: str) -> bytes:
        text = key.removeprefix(self.key_prefix)
        try:
            if self.key == "base64":
                return base64.b64decode(text, validate=True)
            return bytes.fromhex(text) if self.key == "hex" else text.encode()
        except (binascii.Error, ValueError):
            raise Refused(f"The secret `{self.secret}` is not {self.key}, as this platform gives it. Copy it again.") from None


@dataclass(frozen=True, slots=True)
class Hashed(Hmac):
    """A plain hash of the key and the message, one after the other: weaker than a keyed hash, and what some platforms have."""

    @property
    def shown(self) -> str:
        return f"hash {self.digest.upper().replace('SHA', 'SHA-')}"

    def _made(self, message: bytes, key: str) -> str:
        raw = hashlib.new(self.digest, self._raw_key(key) + message, usedforsecurity=True).digest()
        return raw.hex() if self.encoding == "hex" else base64.b64encode(raw).decode()


@dataclass(frozen=True, slots=True)
class Ecdsa(Signed):
    """ECDSA on P-256 with SHA-256, base64 of DER. secret: the setting with the public key (base64 DER or PEM).

    A private key may stand in its place: then we can also speak like the platform (tests, `hub send`).
    """

    @property
    def shown(self) -> str:
        return "ECDSA P-256"

    def examples(self, seed: str = "") -> Mapping[str, str]:
        number = int.from_bytes(hashlib.sha256((self.secret + seed).encode()).digest()) >> 1
        der = ec.derive_private_key(number, ec.SECP256R1()).private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {self.secret: base64.b64encode(der).decode()}

    def _holds(self, given: str, message: bytes, key: str) -> bool:
        loaded = self._key(key)
        public = loaded.public_key() if isinstance(loaded, ec.EllipticCurvePrivateKey) else loaded
        try:
            public.verify(base64.b64decode(given, validate=True), message, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True

    def _made(self, message: bytes, key: str) -> str:
        loaded = self._key(key)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise ValueError(f"`{self.secret}` is a public key; signing needs the private one")
        return base64.b64encode(loaded.sign(message, ec.ECDSA(hashes.SHA256()))).decode()

    def _key(self, text: str) -> ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey:
        try:
            der = base64.b64decode("".join(line for line in text.split() if "-" not in line and line not in _PEM_WORDS))
            try:
                loaded: object = serialization.load_der_public_key(der)
            except ValueError:
                loaded = serialization.load_der_private_key(der, None)
        except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm):
            loaded = None
        if not isinstance(loaded, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
            raise Refused(f"The key `{self.secret}` is not an ECDSA key in base64 or PEM. Copy it again.")
        return loaded
