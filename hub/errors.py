"""Errors: every way in which the hub says no, and what to do about it.

    HubError
        ConfigError           the admin's files: one or more Problems with file, line and column
        Refused               a request that cannot be shown to be genuine (HTTP 401)
        Unreadable            a genuine delivery that the connector cannot read (kept, shown, replayable)
        Unavailable           we cannot take it now; the sender shall try again (HTTP 503)
        CallFailed            the other side did not do what we asked
        LedgerError
            Conflict          a key that was used for something else
            Short             not enough points
            Closed            a hold, lot or transaction that was resolved before
        Parked                an event that cannot be worked until somebody changes something

An error's text is a whole sentence or two: what happened, with which value, and what to do next. It never holds a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["lasting", "passing", "reconnect", "uncertain"]


class HubError(Exception):
    """Something that the hub understands and can explain."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in a file that a person wrote; line and column count from 1, 0 means the whole file."""

    path: str
    line: int
    column: int
    message: str
    hint: str = ""
    excerpt: str = ""
    width: int = 1
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        text = f"{where}: {self.severity}: {self.message}"
        if not self.excerpt:
            return f"{text}\n    {self.hint}" if self.hint else text
        gutter = f"{self.line:>5} | "
        marks = " " * (len(gutter) - 2) + "| " + " " * (self.column - 1) + "^" * max(1, self.width)
        return f"{text}\n{gutter}{self.excerpt}\n{marks} {self.hint}".rstrip()


class ConfigError(HubError):
    """A file of the workspace cannot be used as it stands."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class Refused(HubError):
    """The request could not be shown to come from the platform."""


class Unreadable(HubError):
    """A genuine delivery does not have the form that its connector reads."""


class Unavailable(HubError):
    """The hub cannot keep this now; send it again in a moment."""

    def __init__(self, message: str, *, retry_after_seconds: int = 5) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class CallFailed(HubError):
    """A platform did not do what we asked.

    verdict: `lasting` (asking again cannot help), `passing` (later it may), `reconnect` (a person must renew the access),
    `uncertain` (it may have been done: the answer was lost). status: what it answered, None when it did not answer.
    """

    def __init__(
        self, message: str, verdict: Verdict, *, retry_after_seconds: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.verdict: Verdict = verdict
        self.retry_after_seconds = retry_after_seconds
        self.status = status


class LedgerError(HubError):
    """The ledger refuses a posting; nothing was written."""


class Conflict(LedgerError):
    """The key of a posting was used before for something else."""


class Short(LedgerError):
    """The member has fewer points than asked for."""


class Closed(LedgerError):
    """What should be changed has been resolved before."""


class Parked(HubError):
    """The event cannot be worked until a person changes something."""
