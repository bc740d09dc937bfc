"""Lock: one worker at a time for a database; it is given free when the process ends, however it ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from hub.errors import HubError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock; there msvcrt locks the first byte
    fcntl = None  # type: ignore[assignment]


class LockLost(HubError):
    """Another worker has taken over; this one must not go on."""


class Lock(Protocol):
    """The worker's lock. Not re-entrant; one owner among all processes."""

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it; True too when it is ours already."""
        ...

    def acquire(self) -> None:
        """Take the lock. HubError when another process has it."""
        ...

    def release(self) -> None:
        """Give the lock back."""
        ...


class FolderLock:
    """A lock file: one owner in all processes of the machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it."""
        if self._file is not None:
            return True
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(file)
        except OSError:
            os.close(file)
            return False
        self._file = file
        return True

    def acquire(self) -> None:
        """Take the lock. HubError when another process has it."""
        if not self.try_acquire():
            raise HubError(f"another worker serves {self._path.parent}; one is enough, and only one may write to it")

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _lock(file: int) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt  # noqa: PLC0415 - only there

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
