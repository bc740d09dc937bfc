"""Letter: what a message to the owner says: what is new, what is over, and where to look, as much as has room."""

from __future__ import annotations

from collections.abc import Sequence

from hub.engine.alerts.rows import Alert
from hub.engine.alerts.troubles import KINDS

_WHERE = "More: hub alerts"
_OVER = "over: "


def heading(programme: str, new: Sequence[Alert]) -> str:
    """The subject of a message on channels that have one."""
    return f"{programme} needs a look" if new else f"{programme}: trouble is over"


def letter(programme: str, new: Sequence[Alert], over: Sequence[Alert], longest: int) -> str:
    """The message. What has no room is counted."""
    lines = [f"- {alert.text}" for alert in new]
    lines += [f"- {_OVER}{KINDS[alert.kind].over.format(subject=alert.subject)}" for alert in over]
    first = f"{heading(programme, new)}:"
    shown = len(lines)
    while len(text := _laid_out(first, lines, shown)) > longest and shown > 0:
        shown -= 1
    return text


def test_letter(programme: str) -> str:
    """A message that says only that messages arrive."""
    return f"{programme}: this is a test. When something is held, parked, failing or silent, you are told here."


def _laid_out(first: str, lines: Sequence[str], shown: int) -> str:
    left = len(lines) - shown
    return "\n".join([first, *lines[:shown], *([f"- and {left} more"] if left else []), _WHERE])
