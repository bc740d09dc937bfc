"""Every connector keeps every promise, with every one of its samples, alone and within a whole hub."""

from __future__ import annotations

import pytest

from hub import plugins, promises
from hub.promises.embedded import open_bench

CONNECTORS = plugins.discover()
CASES = [case for connector in CONNECTORS.values() for case in promises.cases(connector, open_bench)]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_promise(case: promises.Case) -> None:
    """The promise in the case's own words is kept."""
    case.try_it()


def test_each_case_has_a_name_of_its_own() -> None:
    """No two cases share a name, so that a report names exactly one."""
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
