"""Fields: names for people become the keys of an account."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hub.sdk import field_keys

KEY = re.compile("[0-9]+")


def test_names_become_keys_by_the_connection_by_themselves_or_by_the_platforms_list() -> None:
    """In this order; what the connection says may be another name; an unknown one is left out."""
    own = {"points": "7", "level": "tier", "gone": "lost"}
    found = field_keys(
        ["points", "9", "level", "tier", "other", "gone"], own, key=KEY, listed=lambda: {"tier": "8", "points": "1"}
    )
    assert found == {"points": "7", "9": "9", "level": "8", "tier": "8"}


def test_the_platform_is_asked_only_where_something_is_left_to_find() -> None:
    """Once, for all names."""
    asked: list[int] = []

    def listed() -> Mapping[str, str]:
        asked.append(1)
        return {}

    assert field_keys(["points", "9"], {"points": "7"}, key=KEY, listed=listed) == {"points": "7", "9": "9"}
    assert field_keys([], {}, key=KEY, listed=listed) == {} and not asked
    assert field_keys(["a", "b"], {}, key=KEY, listed=listed) == {} and len(asked) == 1
