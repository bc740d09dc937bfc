"""Pages: the ways in which platforms cut long lists; every walk is bounded and ends even if a page comes again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Protocol

from hub.errors import CallFailed, Unreadable
from hub.sdk.envelope import dig, found
from hub.sdk.failures import Reply

PAGES_MOST = 2_000

Step = tuple[str, Mapping[str, Any]]
"""The next path and what to say with it."""


class Paging(Protocol):
    """What comes after a page: given its path, what was said, its reply and its items; None at the end."""

    def __call__(self, path: str, said: Mapping[str, Any], reply: Reply, items: list[Any]) -> Step | None: ...


def turn(
    call: Callable[[str, Mapping[str, Any]], Reply], path: str, items: str, after: Paging, said: Mapping[str, Any]
) -> Iterator[Any]:
    """The items of all pages. CallFailed when the platform goes round in a circle, or never ends."""
    step: Step | None = (path, said)
    seen: set[str] = set()
    for _ in range(PAGES_MOST):
        if step is None:
            return
        if repr(step) in seen:
            raise CallFailed(f"The platform gives the same page of {path} again and again.", "lasting")
        seen.add(repr(step))
        reply = call(*step)
        try:
            page = dig(reply.json(), items)
        except Unreadable as error:
            raise CallFailed(f"A page of {path} cannot be read: {error}", "lasting") from None
        # An empty list is often left out altogether.
        rows = page if isinstance(page, list) else []
        yield from rows
        step = after(step[0], step[1], reply, rows)
    raise CallFailed(f"{path} has more than {PAGES_MOST} pages; ask for a shorter stretch of time.", "lasting")


def _with(said: Mapping[str, Any], where: str, name: str, value: Any) -> Mapping[str, Any]:
    return {**said, where: {**(said.get(where) or {}), name: value}}


def _within(body: Mapping[str, Any], path: str, value: Any) -> Mapping[str, Any]:
    name, _, rest = path.partition(".")
    return {**body, name: _within(body.get(name) or {}, rest, value) if rest else value}


def link_header() -> Paging:
    """The next page's URL is in the header Link, marked rel="next"."""

    def after(path: str, said: Mapping[str, Any], reply: Reply, items: list[Any]) -> Step | None:
        match = re.search(r'<([^>]+)>\s*;[^,]*\brel="?next"?', reply.headers.get("link", ""))
        return (match[1], _headers_only(said)) if match else None

    return after


def next_url(place: str) -> Paging:
    """The next page's URL or path is in the body."""

    def after(path: str, said: Mapping[str, Any], reply: Reply, items: list[Any]) -> Step | None:
        target = reply.find(place)
        return (target, _headers_only(said)) if isinstance(target, str) and target else None

    return after


def cursor(name: str, place: str = "", *, into: Literal["query", "json"] = "query", more: str = "") -> Paging:
    """A cursor in the body is sent back as `name`; the last page has none, or says under `more` that it is the last.

    into: where it goes; of `json` the name is a dotted path.
    """

    def after(path: str, said: Mapping[str, Any], reply: Reply, items: list[Any]) -> Step | None:
        value = reply.find(place or name)
        goes_on = found(value) and value != "" and (not more or reply.find(more) is True)
        if not goes_on:
            return None
        if into == "json":
            return path, {**said, "json": _within(said.get("json") or {}, name, value)}
        return path, _with(said, "query", name, value)

    return after


def last_id(name: str, *, last: str = "id", more: str = "has_more", size: int = 0) -> Paging:
    """The last item's id is sent back as `name`, as long as the body says that there is more, or a page has `size` items."""

    def after(path: str, said: Mapping[str, Any], reply: Reply, items: list[Any]) -> Step | None:
        value = dig(items[-1], last) if items else None
        goes_on = len(items) >= size if size else reply.find(more) is True
        return (path, _with(said, "query", name, value)) if goes_on and found(value) else None

    return after


def page_number(name: str = "page", *, size: int, first: int = 1) -> Paging:
    """Pages are counted; the last one is shorter than `size`, or empty."""

    def after(path: str, said: Mapping[str, Any], reply: Reply, items: list[Any]) -> Step | None:
        now = int((said.get("query") or {}).get(name, first))
        return (path, _with(said, "query", name, now + 1)) if len(items) >= size else None

    return after


def offset(name: str = "offset", *, size: int) -> Paging:
    """Items are counted; the last page is shorter than `size`, or empty."""

    def after(path: str, said: Mapping[str, Any], reply: Reply, items: list[Any]) -> Step | None:
        now = int((said.get("query") or {}).get(name, 0))
        return (path, _with(said, "query", name, now + len(items))) if len(items) >= size else None

    return after


def _headers_only(said: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in said.items() if name == "headers"}
