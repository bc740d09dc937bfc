"""Queries: SQL in files, each statement with a name and a sentence.

    -- open_lots_of --
    -- The lots of these members that still hold points, in spend order.
    SELECT … WHERE member_id IN :members;

`:name` is a parameter. `IN :name` takes a sequence; how it reaches the database is the dialect's affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

_HEADER = re.compile(r"^-- (\w+) --\n((?:-- .+\n)+)", re.MULTILINE)
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One named statement; parameters: in the order of their first appearance. Two queries are never equal."""

    name: str
    sentence: str
    sql: str
    parameters: tuple[str, ...]


class Queries:
    """The statements of one file, as attributes: `queries.open_lots_of`."""

    def __init__(self, source: str, text: str) -> None:
        self._source = source
        self._by_name: dict[str, Query] = {}
        headers = list(_HEADER.finditer(text))
        for header, following in zip(headers, [*headers[1:], None], strict=True):
            sql = text[header.end() : following.start() if following else len(text)].strip().rstrip(";")
            sentence = " ".join(line.removeprefix("-- ") for line in header[2].splitlines())
            parameters = tuple(dict.fromkeys(_PARAMETER.findall(sql)))
            self._by_name[header[1]] = Query(header[1], sentence, sql, parameters)

    def __getattr__(self, name: str) -> Query:
        try:
            return self._by_name[name]
        except KeyError:
            raise AttributeError(f"{self._source} has no query named {name!r}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._by_name.values())


def load(package: str, file: str = "queries.sql") -> Queries:
    """The queries that stand beside the modules of `package`."""
    return Queries(f"{package}/{file}", files(package).joinpath(file).read_text("utf-8"))
