"""GraphQL: platforms that are asked by documents at one address, and refuse in answers of 200."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import CallFailed, Verdict
from hub.sdk import pages
from hub.sdk.client import Client
from hub.sdk.failures import Failure, Reply

# `query order($id: ID!) { order(id: $id) {…} }`: what is asked for is one thing, and what comes stands under its name.
_ROOT = re.compile(r"\{\s*(\w+)")


@dataclass(frozen=True, slots=True)
class GraphQL:
    """An address that takes documents. refusals: where a mutation says what it did not like, in an answer of 200."""

    path: str
    refusals: str = "userErrors"

    def ask(self, client: Client, document: str, *, safe: bool | None = None, **variables: Any) -> Any:
        """What the one field of a document gives; a query only reads, a mutation is repeated as its action may be."""
        only_reads = True if document.lstrip().startswith(("query", "{")) else safe
        told = client.post(self.path, json={"query": document, "variables": variables}, safe=only_reads)
        name = root_of(document)
        data = (told or {}).get("data") or {}
        if name not in data:
            verdict: Verdict = "lasting" if only_reads else "uncertain"
            raise CallFailed(f"{client.connection.connector.title} answered, but said nothing of `{name}`.", verdict)
        return data[name]

    def nodes(self, client: Client, document: str, **variables: Any) -> Iterator[Any]:
        """The nodes of a list on all its pages; the document is a `listing`."""
        place = f"data.{root_of(document)}"
        onward = pages.cursor(
            "variables.after", f"{place}.pageInfo.endCursor", into="json", more=f"{place}.pageInfo.hasNextPage"
        )
        asked = {"query": document, "variables": variables}
        return client.pages(self.path, items=f"{place}.nodes", next=onward, method="POST", json=asked)

    def failure(self, reply: Reply) -> Failure | None:
        """What an answer of 200 says went wrong, so that nothing was done; None when it says nothing."""
        if not reply.ok:
            return None
        if reply.find("errors.0") is not None:
            return Failure("lasting")
        told = reply.find("data")
        for given in told.values() if isinstance(told, Mapping) else ():
            refused = given.get(self.refusals) if isinstance(given, Mapping) else None
            if isinstance(refused, list) and refused:
                return Failure("lasting", _said(refused[0]))
        return None


def query(name: str, gives: str, **arguments: str) -> str:
    """A document that asks for one thing: its arguments, each with its type, and what it is to give."""
    return _document("query", name, gives, arguments)


def mutation(name: str, gives: str, **arguments: str) -> str:
    """A document that changes one thing."""
    return _document("mutation", name, gives, arguments)


def listing(name: str, gives: str, **arguments: str) -> str:
    """A document that asks for a list, page by page; what each of its nodes is to give."""
    page = f"nodes {{ {gives} }} pageInfo {{ hasNextPage endCursor }}"
    return _document("query", name, page, {**arguments, "after": "String"})


def _document(kind: str, name: str, gives: str, arguments: Mapping[str, str]) -> str:
    types = ", ".join(f"${argument}: {its_type}" for argument, its_type in arguments.items())
    values = ", ".join(f"{argument}: ${argument}" for argument in arguments)
    head, given = (f"{kind} {name}({types})", f"{name}({values})") if arguments else (f"{kind} {name}", name)
    return f"{head} {{ {given} {{ {gives} }} }}"


def root_of(document: str) -> str:
    """The name of the one thing that a document asks for."""
    found = _ROOT.search(document)
    if found is None:
        raise ValueError(f"{document[:60]!r} is not a document that asks for one thing")
    return found[1]


def _said(error: Any) -> str:
    """The sentence, the code and the field of a refusal."""
    if not isinstance(error, Mapping):
        return str(error)
    field = ".".join(map(str, error.get("field") or ()))
    named = " ".join(str(part) for part in (error.get("code"), field) if part)
    return f"{error.get('message')} ({named})" if named else str(error.get("message"))
