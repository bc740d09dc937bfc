"""The checker of contracts: it must refuse what a platform would drop or refuse."""

from typing import Any

import pytest

from tests.contracts.openapi import Contract

PET = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "id": {"type": "string", "readOnly": True},
        "name": {"type": "string", "maxLength": 10},
        "kind": {"enum": ["cat", "dog"]},
        "chip": {"anyOf": [{"$ref": "#/components/schemas/Chip"}, {"type": "null"}]},
        "notes": {"type": "object", "additionalProperties": {"type": "string"}},
        "ages": {"type": "array", "items": {"type": "integer"}},
    },
}
TAMED = {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"type": "object", "properties": {"owner": {"type": "string"}}}]}
LOOSE = {"type": "object", "additionalProperties": True, "properties": {"a": {"type": "string", "nullable": True}}}
EITHER = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
    "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
}


def _takes(schema: str, media: str = "application/json") -> dict[str, Any]:
    content = {media: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    answer = {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}, "204": {}}
    return {"requestBody": {"required": True, "content": content}, "responses": answer}


@pytest.fixture(scope="module")
def contract() -> Contract:
    query = [
        {"name": "limit", "in": "query", "required": True, "schema": {"type": "integer", "maximum": 100}},
        {"name": "page[size]", "in": "query", "schema": {"type": "integer"}},
        {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"enum": ["a", "b"]}}},
    ]
    place = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^p_"}}
    return Contract(
        {
            "openapi": "3.1.0",
            "servers": [{"url": "https://{shop}.example.com/api/3"}],
            "components": {
                "schemas": {
                    "Pet": PET,
                    "Chip": {"type": "object", "properties": {"code": {"type": "integer"}}},
                    "Tamed": TAMED,
                    "Loose": LOOSE,
                    "Either": EITHER,
                }
            },
            "paths": {
                "/pets": {"post": _takes("Pet"), "get": {"parameters": query, "responses": {"200": {}}}},
                "/pets/search": {"post": _takes("Loose")},
                "/pets/{id}": {"parameters": [place], "post": _takes("Tamed"), "delete": {"responses": {"204": {}}}},
                "/forms": {"post": _takes("Pet", "application/x-www-form-urlencoded")},
                "/either": {"post": _takes("Either")},
            },
        }
    )


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/pets", {"name": "Tom", "kind": "cat", "chip": None}),
        ("https://s1.example.com/api/3/pets", {"name": "Tom", "chip": {"code": 7}, "notes": {"any": "word"}}),
        ("/pets/search", {"a": None}),
        ("/pets/p_1", {"name": "Tom", "owner": "Ada"}),
        ("/either", {"b": "x"}),
    ],
)
def test_a_right_request_has_no_problems(contract: Contract, url: str, body: Any) -> None:
    """What the description allows passes, wherever the server's own path begins."""
    assert contract.request_problems("POST", url, body=body) == []


@pytest.mark.parametrize(
    ("url", "body", "said"),
    [
        ("/cats", {}, "no such path"),
        ("/pets", None, "is required"),
        ("/pets", {"kind": "cat"}, "'name' is a required property"),
        ("/pets", {"name": "Tom", "colour": "red"}, "'colour' was unexpected"),
        ("/pets", {"name": "Tom", "id": "p_1"}, "'id' was unexpected"),
        ("/pets", {"name": "Tom", "kind": "cow"}, "'cow' is not one of"),
        ("/pets", {"name": 7}, "7 is not of type 'string'"),
        ("/pets", {"name": "Tom", "chip": {"code": 1, "maker": "x"}}, "'maker' was unexpected"),
        ("/pets", {"name": "Tom", "notes": {"any": 1}}, "1 is not of type 'string'"),
        ("/pets/p_1", {"name": "Tom", "owners": "Ada"}, "'owners' was unexpected"),
        ("/pets/q_1", {"name": "Tom"}, "does not match"),
        ("/pets/search", {"b": 1}, "'b' was unexpected"),
        ("/either", {}, "is a required property"),
        ("/either", {"a": "x", "c": 1}, "'c' was unexpected"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(contract: Contract, url: str, body: Any, said: str) -> None:
    """Unknown paths and names, missing fields, wrong types and values, and what only the platform may write are refused."""
    problems = contract.request_problems("POST", url, body=body)
    assert any(said in problem for problem in problems), problems


def test_a_method_that_a_path_does_not_have_is_refused(contract: Contract) -> None:
    """The methods that it has are named."""
    assert contract.request_problems("PATCH", "/pets/p_1") == ["PATCH /pets/p_1: the contract knows DELETE, POST there"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=5&page[size]=3&tags=a,b", None),
        ({"limit": 5, "tags": ["a", "b"]}, None),
        ("", "query limit: is required"),
        ("limit=many", "not of type 'integer'"),
        ("limit=101", "greater than the maximum"),
        ("limit=1&page=2", "query page: the contract knows no such parameter"),
        ("limit=1&tags=c", "'c' is not one of"),
    ],
)
def test_query_parameters_are_checked(contract: Contract, query: Any, said: str | None) -> None:
    """Names, types and required ones; lists by comma or by repeating the name."""
    problems = contract.request_problems("GET", "/pets", query=query)
    assert problems == [] if said is None else any(said in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("name=Tom&kind=dog&ages=1&ages=2&chip[code]=7&notes[a]=b", None),
        ({"name": "Tom", "ages": [1, 2]}, None),
        ("name=Tom&ages=old", "not of type 'integer'"),
        ("name=Tom&chip[maker]=x", "'maker' was unexpected"),
        ("kind=dog", "'name' is a required property"),
    ],
)
def test_a_form_is_read_by_its_schema(contract: Contract, form: Any, said: str | None) -> None:
    """The text of a form stands for numbers, lists and nested objects where the schema says so."""
    problems = contract.request_problems("POST", "/forms", form=form)
    assert problems == [] if said is None else any(said in problem for problem in problems), problems


def test_replies_and_objects_are_checked(contract: Contract) -> None:
    """A reply may hold what only the platform writes, in a status that it knows; a strict object uses known names only."""
    assert contract.reply_problems("POST", "/pets", 200, {"id": "p_1", "name": "Tom"}) == []
    assert "7 is not of type" in contract.reply_problems("POST", "/pets", 200, {"name": 7})[0]
    assert "no answer 500" in contract.reply_problems("POST", "/pets", 500, {})[0]
    assert contract.object_problems("Pet", {"name": "Tom", "chip": {"maker": 1}}) == [
        "Pet.chip.maker: the contract knows no such field"
    ]
    assert contract.object_problems("Pet", {"name": "Tom", "chip": {"maker": 1}}, strict=False) == []


def test_a_reply_may_have_any_of_its_forms() -> None:
    """Descriptions name several without making them exclude each other; what has none of them is still wrong."""
    forms = [{"type": "object", "properties": {name: {"type": "string"}}} for name in ("pet", "error")]
    answer = {"200": {"content": {"application/json": {"schema": {"oneOf": forms}}}}}
    contract = Contract({"openapi": "3.1.0", "paths": {"/pets": {"get": {"responses": answer}}}})
    assert contract.reply_problems("GET", "/pets", 200, {"pet": "Tom"}) == []
    assert contract.reply_problems("GET", "/pets", 200, {"pet": 7, "error": 7}) != []


PETS = "query pets($kind: String) { pets(kind: $kind) { name } }"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"query": PETS, "variables": {"kind": "cat"}}, None),
        ({"query": PETS}, "'kind' is a required property"),
        ({"query": PETS, "variables": {"kind": 7}}, "7 is not of type 'string'"),
        ({"query": PETS, "variables": {"kind": "cat", "age": 1}}, "'age' was unexpected"),
        ({"query": PETS.replace("pets", "dogs"), "variables": {}}, "query dogs: the contract knows nothing"),
    ],
)
def test_the_variables_of_a_document_are_checked(body: Any, said: str | None) -> None:
    """Each is an argument of what a GraphQL document asks for, by the name of that."""
    known = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}, "additionalProperties": False}
    contract = Contract(
        {
            "components": {"schemas": {"Anything": {"type": "object"}, "query.pets": known}},
            "paths": {"/graphql": {"post": _takes("Anything")}},
            "x-graphql": {"pets": {"variables": "#/components/schemas/query.pets"}},
        }
    )
    problems = contract.request_problems("POST", "/graphql", body=body)
    assert problems == [] if said is None else any(said in problem for problem in problems), problems
