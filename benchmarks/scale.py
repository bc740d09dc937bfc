"""Scale: how much is measured: in full, quickly, or only so much that a test sees it work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes and times. rounds: how often what is compared takes turns; the median counts. folder: where filled databases lie.

    load_seconds: of one load; kept_seconds: how long a rate must be kept; rates: a second, from which the search begins, and by
    which factor it grows.
    """

    rounds: int
    load_seconds: float
    connections: tuple[int, ...]
    kept_seconds: float
    tried_seconds: float
    first_rate: float
    rate_factor: float
    rates_most: int
    events: int
    entries: tuple[int, int]
    recipes: int
    starts: int
    calls_rate: float
    calls_seconds: float
    folder: Path


def full(folder: Path) -> Scale:
    """What the published figures are made with."""
    return Scale(
        rounds=5, load_seconds=5, connections=(4, 16, 64), kept_seconds=20, tried_seconds=6, first_rate=800, rate_factor=1.2,
        rates_most=12, events=12_000, entries=(10_000, 10_000_000), recipes=1_000, starts=7, calls_rate=200, calls_seconds=30,
        folder=folder,
    )  # fmt: skip


def quick(folder: Path) -> Scale:
    """A first impression in a few minutes."""
    return Scale(
        rounds=3, load_seconds=2, connections=(4, 16, 64), kept_seconds=20, tried_seconds=3, first_rate=800, rate_factor=1.4,
        rates_most=7, events=4_000, entries=(10_000, 1_000_000), recipes=1_000, starts=3, calls_rate=200, calls_seconds=10,
        folder=folder,
    )  # fmt: skip


def tiny(folder: Path) -> Scale:
    """Enough to see that everything works; the figures mean nothing."""
    return Scale(
        rounds=1, load_seconds=0.2, connections=(2,), kept_seconds=0.5, tried_seconds=0.5, first_rate=20, rate_factor=2,
        rates_most=0, events=60, entries=(40, 400), recipes=5, starts=1, calls_rate=20, calls_seconds=0.5, folder=folder,
    )  # fmt: skip
