"""Machine: on what the figures were taken."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import psycopg

from benchmarks.workspace import postgres_address

_SYNCS = 100


def facts() -> dict[str, str]:
    """What anyone needs to compare figures with their own."""
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": f"{sqlite3.sqlite_version}, WAL, `synchronous=FULL`: on the disk before it is acknowledged",
        "PostgreSQL": _postgres(),
        "Disk": _disk(),
        "Load before": f"{os.getloadavg()[0]:.1f} processes running or waiting",
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _postgres() -> str:
    try:
        with psycopg.connect(postgres_address()) as connection:
            names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
            found = [connection.execute(f"SHOW {name}").fetchone() for name in names]
    except psycopg.OperationalError:
        return "none"
    values = [row[0] for row in found if row]
    return f"{values[0]}, " + ", ".join(f"`{name}={value}`" for name, value in zip(names[1:], values[1:], strict=True))


def _disk() -> str:
    waits = []
    with tempfile.TemporaryFile() as file:
        for _ in range(_SYNCS):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            waits.append((time.perf_counter() - began) * 1000)
    waits.sort()
    return f"4 KB and fdatasync take {statistics.median(waits):.2f} ms (p99 {waits[int(len(waits) * 0.99) - 1]:.2f} ms)"
