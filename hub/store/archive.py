"""Archive: everything that a workspace has recorded, in one file that either engine reads.

It is a ZIP file. Each table is a part such as `hub/entry.jsonl`: a JSON array for each row, the values in the order of the
table's columns, bytes in Base64, sorted by the table's key. `manifest.json`, written last, says of every part how many rows it
has and its SHA-256, and which migrations the tables had seen; so a part that was changed, cut off or left out is found.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from hub.errors import HubError
from hub.store.moment import Column, Moment, Table, Values

FORMAT = "loyalty-hub backup"
VERSION = 1

_MANIFEST = "manifest.json"
_CHUNK_BYTES = 1 << 18
_MANIFEST_BYTES_MOST = 4 << 20
_FILE_BYTES_MOST = 1 << 20
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Told = Callable[[str], None]
"""Called with the name of each part that is begun."""


@dataclass(frozen=True, slots=True)
class Part:
    """One table in the file. bytes and sha256: of the text before it is compressed."""

    table: Table
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Copied:
    """One schema in the file. steps: the migrations that it had taken. last_numbers: see `Moment`."""

    steps: tuple[str, ...]
    parts: tuple[Part, ...]
    last_numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the file says of itself. taken_at: ISO 8601. facts: what its maker wrote beside. files: other files, by SHA-256."""

    taken_at: str
    made_by: str
    schemas: Mapping[str, Copied]
    facts: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        return {part.table.name: part.rows for copied in self.schemas.values() for part in copied.parts}


def write(
    path: Path,
    moments: Mapping[str, Moment],
    *,
    taken_at: str,
    made_by: str,
    facts: Mapping[str, Any],
    files: Mapping[str, bytes],
    told: Told,
) -> Manifest:
    """Write the file, for its owner's eyes alone; it has its name only when it is whole and on the disk.

    HubError when there is a file of that name, or no room.
    """
    if path.exists():
        raise HubError(f"{path} is there already; a backup overwrites nothing: give another name")
    with _named_when_whole(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        schemas = {}
        for name, moment in moments.items():
            parts = []
            for table in moment.tables():
                told(f"{name}/{table.name}")
                with archive.open(f"{name}/{table.name}.jsonl", "w", force_zip64=True) as part:
                    parts.append(_write_part(part, table, moment.rows(table)))
            schemas[name] = Copied(tuple(moment.steps()), tuple(parts), moment.last_numbers())
        for name, content in files.items():
            archive.writestr(f"files/{name}", content)
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        manifest = Manifest(taken_at, made_by, schemas, facts, sums)
        archive.writestr(_MANIFEST, json.dumps(_as_json(manifest), indent=1, ensure_ascii=False))
    return manifest


def _write_part(part: IO[bytes], table: Table, rows: Iterable[Values]) -> Part:
    raw = [place for place, column in enumerate(table.columns) if column.kind == "bytes"]
    summed, number, size, chunk = hashlib.sha256(), 0, 0, bytearray()
    for row in rows:
        if raw:
            values = list(row)
            for place in raw:
                values[place] = None if values[place] is None else base64.b64encode(values[place]).decode()
            chunk += _encode(values).encode()
        else:
            chunk += _encode(row).encode()
        chunk += b"\n"
        number += 1
        if len(chunk) >= _CHUNK_BYTES:
            summed.update(chunk)
            size += len(chunk)
            part.write(chunk)
            chunk.clear()
    summed.update(chunk)
    part.write(chunk)
    return Part(table, number, size + len(chunk), summed.hexdigest())


@contextmanager
def _named_when_whole(path: Path) -> Iterator[IO[bytes]]:
    making = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(making, path)  # unlike a rename, it never takes the place of a file that came meanwhile
    except OSError as error:
        raise HubError(
            f"the backup could not be written to {path}: {error.strerror or error}; nothing is left of it"
        ) from error
    finally:
        with suppress(OSError):
            making.unlink()


class Archive:
    """A file that was opened and whose manifest can be used. Close it."""

    def __init__(self, path: Path) -> None:
        """HubError when it is no backup, damaged, or of a version of the format that is not known here."""
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise HubError(f"there is no file {path}") from None
        except zipfile.BadZipFile as error:
            raise HubError(f"{path} is no backup of the hub, or was cut off: {error}") from error
        try:
            self.manifest = self._read_manifest()
        except BaseException:
            self._zip.close()
            raise

    def close(self) -> None:
        """Give the file back."""
        self._zip.close()

    def rows(self, schema: str, part: Part) -> Iterator[Values]:
        """The rows of a table. HubError, at the end at the latest, when they are not those that were written."""
        name = f"{schema}/{part.table.name}.jsonl"
        raw = [place for place, column in enumerate(part.table.columns) if column.kind == "bytes"]
        number = 0
        with self._reading(name), self._zip.open(name) as opened:
            summed = _Summed(opened)
            for line in io.BufferedReader(summed, _CHUNK_BYTES):
                values = json.loads(line)
                for place in raw:
                    values[place] = None if values[place] is None else base64.b64decode(values[place])
                number += 1
                yield values
            if (number, summed.sum.hexdigest()) != (part.rows, part.sha256):
                raise ValueError("its checksum is not the one in the manifest")

    def file(self, name: str) -> bytes:
        """Another file that was put in. HubError when it is not as it was."""
        with self._reading(name):
            content = self._zip.open(f"files/{name}").read(_FILE_BYTES_MOST)
            if hashlib.sha256(content).hexdigest() != self.manifest.files[name]:
                raise ValueError("its checksum is not the one in the manifest")
        return content

    def _read_manifest(self) -> Manifest:
        if _MANIFEST not in self._zip.namelist():
            raise HubError(f"{self.path} is a ZIP file, but no backup of the hub: it has no {_MANIFEST}")
        with self._reading(_MANIFEST):
            said = json.loads(self._zip.open(_MANIFEST).read(_MANIFEST_BYTES_MOST))
            if not isinstance(said, dict) or said.get("format") != FORMAT:
                raise HubError(f"{self.path} is no backup of the hub: its manifest says another format")
            if said.get("version") != VERSION:
                hint = f"this hub reads version {VERSION}; take the hub that made it, or a newer one"
                raise HubError(f"{self.path} has version {said.get('version')} of the format; {hint}")
            return _from_json(said)

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, ValueError, LookupError, TypeError, EOFError) as error:
            raise HubError(f"{self.path} is damaged in {name}: {error}; take another backup") from error


class _Summed(io.RawIOBase):
    """A stream that sums up what is read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.sum = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        got = self._stream.read(len(buffer))
        buffer[: len(got)] = got
        self.sum.update(got)
        return len(got)


def _as_json(manifest: Manifest) -> dict[str, Any]:
    def part_of(part: Part) -> dict[str, Any]:
        columns = {column.name: column.kind for column in part.table.columns}
        return {"rows": part.rows, "bytes": part.bytes, "sha256": part.sha256, "columns": columns}

    return {
        "format": FORMAT,
        "version": VERSION,
        "made_by": manifest.made_by,
        "taken_at": manifest.taken_at,
        "facts": manifest.facts,
        "files": manifest.files,
        "schemas": {
            name: {
                "steps": copied.steps,
                "last_numbers": copied.last_numbers,
                "tables": {part.table.name: part_of(part) for part in copied.parts},
            }
            for name, copied in manifest.schemas.items()
        },
    }


def _from_json(said: Mapping[str, Any]) -> Manifest:
    def part_of(name: str, one: Mapping[str, Any]) -> Part:
        columns = tuple(Column(column, kind) for column, kind in one["columns"].items())
        strange = [word for word in (name, *one["columns"]) if not _NAME.fullmatch(word)]
        if strange or not {column.kind for column in columns} <= {"text", "integer", "bytes"}:
            raise ValueError(f"table {name!r} has columns that no hub has")
        return Part(Table(name, columns), one["rows"], one["bytes"], one["sha256"])

    schemas = {
        name: Copied(
            tuple(one["steps"]), tuple(part_of(table, part) for table, part in one["tables"].items()), one["last_numbers"]
        )
        for name, one in said["schemas"].items()
    }
    return Manifest(said["taken_at"], said["made_by"], schemas, said["facts"], said["files"])
