"""The tally: counts that are kept while rows are written."""

from __future__ import annotations

import pytest

from hub.store import Unit
from hub.store.tally import count, tallies
from tests.databases import Place


def test_counts_grow_with_every_unit_and_every_flush(place: Place) -> None:
    """What was added once is not added again by a later flush of the same unit; what was undone is not added."""
    store = place.open("hub")
    for _ in range(2):
        with store.write() as session:
            unit = Unit(session)
            count(unit, "step", "done")
            count(unit, "step", "done")
            with pytest.raises(KeyError), unit.savepoint():
                count(unit, "step", "held")
                count(unit, "step", "done")
                raise KeyError
            unit.flush()
            unit.flush()
            count(unit, "step", "done")
            count(unit, "run", "done")
            unit.flush()
    with store.read() as session:
        assert tallies(session) == {"step": {"done": 6}, "run": {"done": 2}}
    store.close()
