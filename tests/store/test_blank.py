"""Blank: files that were copied are those that a hub makes."""

from __future__ import annotations

from pathlib import Path

from hub.store.blank import lay_files
from hub.store.database import SCHEMAS, Folder


def test_a_hub_opens_blank_files_as_its_own(tmp_path: Path) -> None:
    """No step is missing, nothing is in them, and they have the form that the hub gives its files."""
    for name, prepare in (("made", lambda folder: None), ("laid", lay_files)):
        prepare(tmp_path / name)
        for schema in SCHEMAS:
            store = Folder(tmp_path / name).open(schema)
            assert store.missing_steps() == []
            store.close()
    for schema in SCHEMAS:
        assert (tmp_path / "laid" / f"{schema}.db").read_bytes() == (tmp_path / "made" / f"{schema}.db").read_bytes()


def test_files_of_two_hubs_are_two(tmp_path: Path) -> None:
    """What one writes the other does not see."""
    for name in ("one", "other"):
        lay_files(tmp_path / name)
    store = Folder(tmp_path / "one").open("hub")
    with store.write() as session:
        session.connection.execute("INSERT INTO migration (name) VALUES ('later')")
    store.close()
    other = Folder(tmp_path / "other").open("hub")
    with other.read() as session:
        assert "later" not in {name for (name,) in session.connection.execute("SELECT name FROM migration")}
    other.close()
