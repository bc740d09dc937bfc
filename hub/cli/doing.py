"""Doing: opens the whole hub for commands that need its catalogue or change something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub import bootstrap, config


@contextmanager
def opened(folder: Path) -> Iterator[bootstrap.Hub]:
    """The hub of the workspace. ConfigError when hub.yaml or a recipe cannot be used."""
    hub = bootstrap.open_hub(config.load(folder))
    try:
        yield hub
    finally:
        hub.close()


def ask(folder: Path, kind: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Have a command done and give its answer: by the worker that runs, or here when none does."""
    with opened(folder) as hub:
        answer: Mapping[str, Any] = hub.do(kind, dict(payload))
        return answer
