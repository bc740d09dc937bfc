"""Faulty: a server on a real socket that answers as no platform should: late, wrongly, for ever, in pieces, or not at all."""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DRIP_SECONDS = 0.02
BOMB_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Heard:
    """A request as it came. headers: names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Faulty:
    """The server. fault: what it does with each request; None leaves it to `well`."""

    fault: Fault | None = None
    url: str = ""
    asked: list[Heard] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    well: Callable[[Faulty, Heard], bytes] = lambda server, heard: reply()

    def serve(self, line: socket.socket) -> None:
        """Answer the requests of one connection."""
        with line, suppress(OSError):
            while True:
                if self.fault is not None and not self.fault.reads:
                    self.fault.do(self, line, Heard("", "", {}, b""))
                    return
                heard = _heard(line)
                if heard is None:
                    return
                self.asked.append(heard)
                fault = self.fault
                if fault is None or not fault.concerns(heard):
                    line.sendall(self.well(self, heard))
                    continue
                if fault.do(self, line, heard) is not True:
                    return


@dataclass(frozen=True)
class Fault:
    """One way to fail.

    do: gives True when the connection may be used again. sent: whether the platform may have done what it was asked. end: the
    verdict where the call may be repeated. reads: False when not even the request is read. slow: it never ends by itself.
    """

    name: str
    do: Callable[[Faulty, socket.socket, Heard], bool | None]
    sent: bool = True
    end: str = "passing"
    reads: bool = True
    tls: bool = False
    slow: bool = False
    says: str = ""

    def concerns(self, heard: Heard) -> bool:
        """Whether it happens to this request: tokens are given out well."""
        return "token" not in heard.path.lower() and "oauth" not in heard.path.lower()


def reply(
    status: int = 200, body: bytes = b"{}", *headers: str, kind: str = "application/json", length: int | None = None
) -> bytes:
    """An answer, byte by byte."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {kind}", f"Content-Length: {size}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _says(*parts: bytes) -> Callable[[Faulty, socket.socket, Heard], bool]:
    """Send this, and take the next request."""

    def do(server: Faulty, line: socket.socket, heard: Heard) -> bool:
        for part in parts:
            line.sendall(part)
        return True

    return do


def _breaks(part: bytes = b"") -> Callable[[Faulty, socket.socket, Heard], None]:
    """Send this and hang up."""

    def do(server: Faulty, line: socket.socket, heard: Heard) -> None:
        line.sendall(part)

    return do


def _resets(server: Faulty, line: socket.socket, heard: Heard) -> None:
    """Break off while the request is still on its way: its beginning is read, and the line is cut hard."""
    line.recv(10)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _silent(server: Faulty, line: socket.socket, heard: Heard) -> None:
    server.stop.wait(30)


def _late(server: Faulty, line: socket.socket, heard: Heard) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    server.stop.wait(30)


def _drips(before: bytes, drop: bytes) -> Callable[[Faulty, socket.socket, Heard], None]:
    """A drop now and then, for ever."""

    def do(server: Faulty, line: socket.socket, heard: Heard) -> None:
        line.sendall(before)
        while not server.stop.wait(DRIP_SECONDS):
            line.sendall(drop)

    return do


def _floods(server: Faulty, line: socket.socket, heard: Heard) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    while not server.stop.is_set():
        line.sendall(b"1," * 32768)


def _bomb(layers: int, status: int = 200) -> bytes:
    body = b" " * BOMB_BYTES
    for _ in range(layers):
        body = gzip.compress(body, 6, mtime=0)
    return reply(status, body, "Content-Encoding: " + ", ".join(["gzip"] * layers), "Location: https://evil.example/")


def _leads(where: str, status: int = 302) -> Callable[[Faulty, socket.socket, Heard], bool]:
    def do(server: Faulty, line: socket.socket, heard: Heard) -> bool:
        line.sendall(reply(status, b"", f"Location: {where.format(url=server.url, path=heard.path)}"))
        return True

    return do


_HTML = b"<!doctype html><title>Maintenance</title>We are back soon."
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_SOON = "Retry-After: 0"
_DATE = "Date: Fri, 06 Feb 2026 21:30:00 GMT"

FAULTS = (
    Fault("silent", _silent, slow=True, says="did not answer"),
    Fault("late", _late, slow=True, says="did not answer"),
    Fault("drips a body", _drips(reply(200, b"", length=10**6), b" "), slow=True, says="did not answer"),
    Fault("drips chunks", _drips(_CHUNKED, b"1\r\n \r\n"), slow=True, says="did not answer"),
    Fault("drips a header", _drips(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"), slow=True, says="did not answer"),
    Fault("says continue for ever", _drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), slow=True, says="did not answer"),
    Fault("hangs up at once", _breaks(), says="did not answer"),
    Fault("cuts the request", _resets, reads=False, says="did not answer"),
    Fault("cuts the headers", _breaks(b"HTTP/1.1 200 OK\r\nContent-Ty"), says="did not answer"),
    Fault("cuts the body", _breaks(reply(200, b'{"id": "', length=400)), says="did not answer"),
    Fault("cuts a chunk", _breaks(_CHUNKED + b'8\r\n{"id"'), says="did not answer"),
    Fault("is no HTTP", _breaks(b"220 mail.example.com ESMTP\r\n"), says="did not answer"),
    Fault("has too many headers", _breaks(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 300 + b"\r\n"), says="did not answer"),
    Fault("has an endless header", _breaks(b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 100_000 + b"\r\n\r\n"), says="did not answer"),
    Fault("is packed wrongly", _says(reply(200, b"nothing", "Content-Encoding: gzip")), says="did not answer"),
    Fault("floods", _floods, end="lasting", says="too long"),
    Fault("sends a bomb", _says(_bomb(1)), end="lasting", says="too long"),
    Fault("sends a bomb of bombs", _says(_bomb(2)), end="lasting", says="too long"),
    Fault("shows a page", _says(reply(200, _HTML, kind="text/html")), end="not read", says="not in the form that we know"),
    Fault("sends half of it", _says(reply(200, b'{"id": "l')), end="not read", says="not in the form that we know"),
    Fault("sends bytes", _says(reply(200, b"\xff\xfe\x00")), end="not read", says="not in the form that we know"),
    Fault("429", _says(reply(429, b"{}")), sent=False, says="answered 429"),
    Fault("429, soon", _says(reply(429, b"{}", _SOON)), sent=False, says="answered 429"),
    Fault("429, an hour", _says(reply(429, b"{}", "Retry-After: 3600")), sent=False, says="answered 429"),
    Fault("429, for ever", _says(reply(429, b"{}", "Retry-After: " + "9" * 400)), sent=False, says="answered 429"),
    Fault("429, never", _says(reply(429, b"{}", "Retry-After: -7")), sent=False, says="answered 429"),
    Fault("429, who knows", _says(reply(429, b"{}", "Retry-After: Foo, 99 Bar 99999")), sent=False, says="answered 429"),
    Fault("429, a date", _says(reply(429, b"{}", "Retry-After: Fri, 06 Feb 2099 21:31:30 GMT", _DATE)), sent=False),
    Fault("429, a date gone by", _says(reply(429, b"{}", "Retry-After: Fri, 06 Feb 1999 21:31:30 GMT", _DATE)), sent=False),
    Fault("429, no clock", _says(reply(429, b"{}", "Retry-After: Fri, 06 Feb 2099 21:31:30 GMT")), sent=False),
    Fault("500", _says(reply(500, b"")), says="answered 500"),
    Fault("502", _says(reply(502, _HTML, kind="text/html")), says="answered 502"),
    Fault("503", _says(reply(503, b'{"message": "closed"', "Retry-After: soon")), says="answered 503"),
    Fault("504", _says(reply(504, b"null")), says="answered 504"),
    Fault("401", _says(reply(401, b"{}")), sent=False, end="reconnect", says="answered 401"),
    Fault("404 with a page", _says(reply(404, _HTML, kind="text/html")), sent=False, end="lasting", says="answered 404"),
    Fault("leads to another host", _leads("https://evil.example/x"), sent=False, end="lasting"),
    Fault("leads into the house", _leads("http://169.254.169.254/latest"), sent=False, end="lasting"),
    Fault("leads to its own address as another", _leads("http://user@127.0.0.1{path}"), sent=False, end="lasting"),
    Fault("leads in circles", _leads("{path}", 307), sent=False, end="lasting"),
    Fault("leads elsewhere with a bomb", _says(_bomb(1, 301)), end="lasting", says="too long"),
    Fault("leads nowhere", _leads("http://[::1"), sent=False, end="lasting"),
    Fault("has no valid certificate", _says(reply()), sent=False, tls=True, says="TLS connection was not made: self-signed"),
)


@contextmanager
def faulty(fault: Fault | None = None, *, folder: Path | None = None) -> Iterator[Faulty]:
    """Listens while the block lasts. folder: where the certificate of one that speaks TLS is made."""
    server = Faulty(fault)
    tls = fault is not None and fault.tls
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        server.url = f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}"
        context = _context(folder) if tls and folder is not None else None
        accepting = threading.Thread(target=_accept, args=(server, listening, context), daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.stop.set()
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            accepting.join(5)


def _accept(server: Faulty, listening: socket.socket, context: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        while not server.stop.is_set():
            line, _ = listening.accept()
            threading.Thread(target=_served, args=(server, line, context), daemon=True).start()


def _served(server: Faulty, line: socket.socket, context: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        server.serve(context.wrap_socket(line, server_side=True) if context else line)


def _heard(line: socket.socket) -> Heard | None:
    told = b""
    while b"\r\n\r\n" not in told:
        part = line.recv(65536)
        if not part:
            return None
        told += part
    head, _, body = told.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += line.recv(65536)
    return Heard(method, path, headers, body)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for a name: (certificate file, key file), made once in a folder."""
    cert_file, key_file = folder / f"{name}.cert.pem", folder / f"{name}.key.pem"
    if cert_file.exists():
        return cert_file, key_file
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * 80))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder, "127.0.0.1"))
    return context
