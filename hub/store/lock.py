"""Lock: who works a database. What a process holds is given free when it ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock; there msvcrt locks the first byte
    fcntl = None  # type: ignore[assignment]


WORKER = "worker"
"""The place of the first worker: the one who lets time pass. Where nobody has it, nobody works."""


class Places(Protocol):
    """The places that workers of one database take. For the worker's thread alone."""

    def join(self) -> bool:
        """Become a worker; False when another process works there and only one may. True too when this one does."""
        ...

    def join_if_idle(self) -> bool:
        """Become a worker unless another process works there."""
        ...

    def take(self, names: Collection[str]) -> Collection[str]:
        """Take those of these places that nobody else has; gives those that are new: not ours before, or lost meanwhile."""
        ...

    @property
    def held(self) -> Collection[str]:
        """The places that are ours."""
        ...

    def leave(self) -> None:
        """Give everything back."""
        ...


class FolderLock:
    """A lock file: one owner in all processes of the machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it; True too when it is ours already."""
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

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class FolderPlaces:
    """A data folder: one worker, who has every place; a lock file keeps all other processes of the machine out."""

    def __init__(self, path: Path) -> None:
        self._lock = FolderLock(path)
        self.held: frozenset[str] = frozenset()

    def join(self) -> bool:
        return self._lock.try_acquire()

    def join_if_idle(self) -> bool:
        return self.join()

    def take(self, names: Collection[str]) -> Collection[str]:
        fresh = frozenset(names) - self.held
        self.held |= fresh
        return fresh

    def leave(self) -> None:
        self.held = frozenset()
        self._lock.release()


def _lock(file: int) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt  # noqa: PLC0415 - only there

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
