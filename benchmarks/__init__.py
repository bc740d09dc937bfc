"""Benchmarks: how fast the hub is, measured beside what the machine gives; `python benchmarks/run.py`."""
