"""Key file: `data/secret.key`, a key a line, the newest first; for nobody's eyes but the hub's."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hub.errors import HubError
from hub.store.lock import FolderLock
from hub.vault.keys import new_key

_MODE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyFile:
    """A file of keys. It is only ever replaced whole, so whoever reads it finds the keys of before or of after."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[str]:
        """Its keys; none when there is no such file. HubError when others than its owner may read it."""
        try:
            with self.path.open(encoding="ascii") as file:
                mode = os.fstat(file.fileno()).st_mode
                if mode & _OTHERS and os.name == "posix":
                    raise HubError(
                        f"{self.path} holds the keys of your secrets, and others than its owner may read it "
                        f"({stat.filemode(mode)}). `chmod 600 {self.path}` closes it; if somebody may have read it, "
                        "run `hub keys rotate` then."
                    )
                return file.read().split()
        except FileNotFoundError:
            return []
        except UnicodeDecodeError:
            raise HubError(f"{self.path} does not hold keys; put the file of your backup in its place") from None

    def make(self) -> None:
        """Make it with one new key, unless it is there; one of several processes that try makes it, for all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._draft([new_key()])
        try:
            with suppress(FileExistsError):
                os.link(draft, self.path)
        finally:
            draft.unlink()
        self._settle()

    def replace(self, keys: Sequence[str]) -> None:
        """Let it hold these keys from now on; without any, take it away."""
        if keys:
            self._draft(keys).replace(self.path)
        else:
            self.path.unlink(missing_ok=True)
        self._settle()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time changes its keys. HubError when another does."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(self.path.with_name(f"{self.path.name}.lock"))
        if not lock.try_acquire():
            raise HubError("Another `hub keys rotate` is at work here.")
        try:
            yield
        finally:
            lock.release()

    def _draft(self, keys: Sequence[str]) -> Path:
        draft = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "w", encoding="ascii") as file:  # noqa: PTH123
            file.write("".join(f"{key}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        return draft

    def _settle(self) -> None:
        """The file's name is on the disk too: what is encrypted with a key must not outlive it."""
        if os.name == "posix":
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
