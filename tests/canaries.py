"""Canaries: secrets that sing when they get out. Where they may not be they are looked for in every form that they take."""

from __future__ import annotations

import base64
import json
import re
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import psycopg

from hub.sdk import Connector


def canary(where: str) -> str:
    """A secret with characters that look different in a URL, in JSON and in base64."""
    return f"{secrets.token_hex(9)}+=&{secrets.token_hex(9)}-c4nary-{where}"


def settings_of(connector: Connector) -> dict[str, object]:
    """Settings that work for the samples, every secret of them a canary. A secret of a form of its own is its example."""
    proof = connector.signature.examples(secrets.token_hex(12)) if connector.signature else {}
    unsigned = {"accept_unsigned": True} if "accept_unsigned" in connector.settings else {}
    values: dict[str, object] = {**connector.settings.example(), **unsigned}
    for setting in connector.settings:
        if setting.name in proof:
            values[setting.name] = proof[setting.name]
        elif setting.secret and "PRIVATE KEY" not in str(setting.example):
            values[setting.name] = canary(f"{connector.name}-{setting.name}")
    return values


def secrets_in(connector: Connector, values: Mapping[str, object]) -> dict[str, str]:
    """The canaries among settings, by name. A private key is known by its lines: any of them is too much."""
    found: dict[str, str] = {}
    for setting in connector.settings:
        text = str(values.get(setting.name) or "")
        if setting.secret and "PRIVATE KEY" in text:
            lines = re.findall(r"[A-Za-z0-9+/]{40,}", text)
            found |= {f"{setting.name}, line {number}": line for number, line in enumerate(lines)}
        elif setting.secret and text:
            found[setting.name] = text
    return found


def forms(secret: str) -> dict[str, bytes]:
    """What a secret looks like as it is, in a URL, in JSON, in hex and anywhere within base64."""
    raw = secret.encode()
    found = {
        "plain": raw,
        "its beginning": raw[:12],
        "its end": raw[-12:] if b"c4nary" not in raw else raw[9:24],
        "percent": quote(secret, safe="").encode(),
        "percent, small letters": re.sub(r"%..", lambda code: code[0].lower(), quote(secret, safe="")).encode(),
        "percent but for slashes": quote(secret).encode(),
        "form": quote_plus(secret).encode(),
        "JSON": json.dumps(secret)[1:-1].encode(),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
    }
    for offset in range(3):
        # The letters at the ends also depend on what stands beside; those between are the secret's alone.
        inside = base64.b64encode(b"\0" * offset + raw)[(0, 2, 3)[offset] : (offset + len(raw)) * 8 // 6]
        found[f"base64, {offset}"] = inside
        found[f"base64 of URLs, {offset}"] = inside.replace(b"+", b"-").replace(b"/", b"_")
    return found


def escaped(canaries: Mapping[str, str], places: Mapping[str, bytes]) -> list[str]:
    """Where a canary can be heard, and in which form."""
    return [
        f"{place}: {name} ({form})"
        for name, secret in canaries.items()
        for form, text in forms(secret).items()
        for place, heard in places.items()
        if text in heard
    ]


def kept_in_files(folder: Path, apart: Iterable[str] = ()) -> dict[str, bytes]:
    """The raw bytes of every file of a folder, but for those that hold secrets by their nature."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in apart
    }


def kept_in_sqlite(folder: Path) -> dict[str, bytes]:
    """Every column of every table of the databases of a folder."""
    found: dict[str, bytes] = {}
    for path in folder.glob("*.db"):
        connection = sqlite3.connect(path)
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            cursor = connection.execute(f'SELECT * FROM "{table}"')
            for column, values in _columns([one[0] for one in cursor.description], cursor.fetchall()):
                found[f"{path.stem}.{table}.{column}"] = values
        connection.close()
    return found


def kept_in_postgres(url: str) -> dict[str, bytes]:
    """Every column of every table of the schema."""
    found: dict[str, bytes] = {}
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
        for (table,) in tables:
            cursor = connection.execute(f'SELECT * FROM "{table}"'.encode())
            for column, values in _columns([one.name for one in cursor.description or ()], cursor.fetchall()):
                found[f"{table}.{column}"] = values
    return found


def _columns(names: list[str], rows: list[tuple[object, ...]]) -> Iterable[tuple[str, bytes]]:
    for number, name in enumerate(names):
        values = (row[number] for row in rows)
        yield name, b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
