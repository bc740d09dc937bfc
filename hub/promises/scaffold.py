"""Scaffold: the source text of a new connector, which keeps every promise once it is filled in."""


def scaffold(name: str) -> str:
    return name
