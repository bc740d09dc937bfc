"""Blank: the SQLite files of a hub to which nothing has happened, as copies of files that this process made once.

Making the tables takes longer than most of what is tried on a hub that is thrown away afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hub.store.database import SCHEMAS, Folder


def lay_files(folder: Path, schemas: Iterable[str] = SCHEMAS) -> None:
    """Put blank files into a data folder that has none yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for schema in schemas:
        (folder / f"{schema}.db").write_bytes(_blank()[schema])


@cache
def _blank() -> Mapping[str, bytes]:
    with TemporaryDirectory(prefix="hub-blank-") as name:
        made = Folder(Path(name))
        for schema in SCHEMAS:
            made.open(schema).close()
        return {schema: Path(name, f"{schema}.db").read_bytes() for schema in SCHEMAS}
