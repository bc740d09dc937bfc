"""Fields: custom fields have names for people and keys of the platform's own, which differ from account to account."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping


def field_keys(
    names: Iterable[str], own: Mapping[str, str], *, key: re.Pattern[str], listed: Callable[[], Mapping[str, str]]
) -> dict[str, str]:
    """The platform's keys of custom fields by the names that recipes use; a name that is none is left out.

    own: what the connection says (name: key). key: what a key looks like; a recipe may use one as a name. listed: asks the
    platform for its fields (name: key); done only where something is left to find.
    """
    known = {name: own.get(name, name) for name in names}
    keys = {name: told for name, told in known.items() if key.fullmatch(told)}
    if len(keys) < len(known):
        there = listed()
        keys |= {name: there[told] for name, told in known.items() if name not in keys and told in there}
    return keys
