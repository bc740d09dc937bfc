"""Every connector keeps every promise, with every one of its samples."""

from __future__ import annotations

import pytest

from hub import plugins, promises

CONNECTORS = plugins.discover()
CASES = [case for connector in CONNECTORS.values() for case in promises.cases(connector)]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_promise(case: promises.Case) -> None:
    """The promise in the case's own words is kept."""
    case.try_it()


def test_each_case_has_a_name_of_its_own() -> None:
    """No two cases share a name, so that a report names exactly one."""
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
