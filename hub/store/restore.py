"""Restore: fills an empty database from an archive, as it was or brought up to date."""

from __future__ import annotations

from hub.errors import HubError
from hub.store import migrations
from hub.store.archive import Archive, Told
from hub.store.moment import Refill

_SCHEMAS = ("hub", "inbox")


def fits(archive: Archive) -> None:
    """HubError when the archive is of a hub that is newer than this one, or lacks a schema."""
    for schema in _SCHEMAS:
        copied = archive.manifest.schemas.get(schema)
        if copied is None:
            raise HubError(f"{archive.path} has no tables of `{schema}`; it is no whole backup")
        newer = sorted(set(copied.steps) - {name for name, _ in migrations.steps(schema)})
        if newer:
            made_by = archive.manifest.made_by
            raise HubError(
                f"{archive.path} was made by hub {made_by}, which is newer than this one: the tables of `{schema}` have taken "
                f"{', '.join(newer)}, which is not known here. Install that version, then restore"
            )
        strange = {part.table.name for part in copied.parts} - set(migrations.tables(schema))
        if strange:
            raise HubError(f"{archive.path} has tables that no hub has: {', '.join(sorted(strange))}")


def fill(archive: Archive, refill: Refill, told: Told) -> dict[str, list[str]]:
    """Everything that the archive holds; gives the migrations that were taken afterwards. HubError when it is damaged."""
    taken = {}
    for schema in _SCHEMAS:
        copied = archive.manifest.schemas[schema]
        refill.prepare(schema, copied.steps)
        for part in copied.parts:
            told(f"{schema}/{part.table.name}")
            refill.fill(schema, part.table, archive.rows(schema, part))
        taken[schema] = refill.finish(schema, copied.last_numbers)
    return taken
