"""GraphQL: documents asked at one address, lists page by page, and refusals in answers of 200."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.errors import CallFailed
from hub.sdk import Answer, Client, Connection, Connector, Reply
from hub.sdk.graphql import GraphQL, listing, mutation, query, root_of
from hub.sdk.play import Play, one_by_one
from hub.sdk.sample import answers

API = GraphQL("/graphql")
SHOP = Connector("shop", title="Shop", api="https://shop.example.com", failures=API.failure)
ORDER = query("order", "name", id="ID!")
ORDERS = listing("orders", "id", query="String")
TAG = mutation("tagsAdd", "userErrors { field message code }", id="ID!")


def _client(*replies: Any, repeat: str = "never") -> tuple[Client, Play]:
    play = Play(one_by_one([reply if isinstance(reply, Answer) else answers(200, reply) for reply in replies]))
    return play.client(Connection("shop", SHOP, SHOP.settings.read({})), repeat=repeat), play


def test_a_document_passes_each_argument_as_a_variable_of_its_name() -> None:
    """So that what is sent can be checked; a list has pages."""
    assert ORDER == "query order($id: ID!) { order(id: $id) { name } }"
    assert TAG.startswith("mutation tagsAdd($id: ID!) { tagsAdd(id: $id) {")
    assert "orders(query: $query, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }" in ORDERS
    assert query("shop", "name") == "query shop { shop { name } }"


def test_what_a_document_asks_for_stands_under_its_name() -> None:
    """Variables go beside it; those that are None are left out."""
    client, play = _client({"data": {"order": {"name": "#1"}}})
    assert API.ask(client, ORDER, id="7", note=None) == {"name": "#1"}
    assert json.loads(play.calls[0].body) == {"query": ORDER, "variables": {"id": "7"}}
    assert root_of(ORDERS) == "orders" and root_of(query("shop", "name")) == "shop"
    with pytest.raises(ValueError, match="asks for one thing"):
        root_of("query")


def test_a_query_is_repeated_and_a_mutation_is_not() -> None:
    """Both are POST; what only reads does no harm."""
    client, play = _client(answers(503), {"data": {"order": None}})
    assert API.ask(client, ORDER, id="7") is None and len(play.calls) == 2
    client, play = _client(answers(503))
    with pytest.raises(CallFailed) as failed:
        API.ask(client, TAG, id="7")
    assert (failed.value.verdict, len(play.calls)) == ("uncertain", 1)


@pytest.mark.parametrize(("document", "verdict"), [(ORDER, "lasting"), (TAG, "uncertain")])
def test_an_answer_without_what_was_asked_for_is_no_answer(document: str, verdict: str) -> None:
    """Of a mutation nobody knows then whether it was done."""
    client, _ = _client({"data": None})
    with pytest.raises(CallFailed, match="said nothing of") as failed:
        API.ask(client, document, id="7")
    assert failed.value.verdict == verdict


def test_a_list_is_read_to_its_end() -> None:
    """The last page has a cursor too, and says that it is the last."""
    pages = [
        {"data": {"orders": {"nodes": [{"id": "1"}], "pageInfo": {"hasNextPage": True, "endCursor": "a"}}}},
        {"data": {"orders": {"nodes": [{"id": "2"}], "pageInfo": {"hasNextPage": False, "endCursor": "b"}}}},
    ]
    client, play = _client(*pages)
    assert [row["id"] for row in API.nodes(client, ORDERS, query="open")] == ["1", "2"]
    assert [json.loads(call.body)["variables"] for call in play.calls] == [{"query": "open"}, {"query": "open", "after": "a"}]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ({"errors": [{"message": "Field 'nam' doesn't exist"}]}, "Field 'nam' doesn't exist"),
        (
            {"data": {"tagsAdd": {"userErrors": [{"field": ["tags", "0"], "message": "is too long", "code": "TOO_LONG"}]}}},
            r"is too long \(TOO_LONG tags.0\)",
        ),
        ({"data": {"tagsAdd": {"userErrors": [{"field": None, "message": "no"}]}}}, "no"),
    ],
)
def test_a_refusal_in_an_answer_of_200_is_a_failure(reply: Any, said: str) -> None:
    """Nothing was done, and asking again cannot help."""
    client, play = _client(reply, repeat="safe")
    with pytest.raises(CallFailed, match=said) as failed:
        API.ask(client, TAG, id="7")
    assert (failed.value.verdict, len(play.calls)) == ("lasting", 1)


@pytest.mark.parametrize("reply", [{"data": {"tagsAdd": {"userErrors": []}}}, {"data": {"tagsAdd": None}}, {"errors": []}])
def test_an_answer_that_refuses_nothing_is_none(reply: Any) -> None:
    """An empty list is no refusal."""
    body = json.dumps(reply).encode()
    assert API.failure(Reply(200, {}, body)) is None
    assert API.failure(Reply(500, {}, b'{"errors": [{"message": "down"}]}')) is None
