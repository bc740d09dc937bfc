"""OpenAPI: says what is wrong with a request, a reply or an object, by a platform's API description.

Stricter than the description itself: a request may only use field names and parameters that the description knows, even
where the description would let others pass, because a platform drops those without a word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from hub.sdk.graphql import root_of

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
_HOME = "contract:"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_BRANCHES = ("allOf", "anyOf", "oneOf")
_NOT_JSON_SCHEMA = ("nullable", "discriminator", "example", "xml", "externalDocs")
_INNER = ("items", "not", "if", "then", "else", "contains", "propertyNames")


Fields = str | Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """One method on one path of the description. values: what stood in the places of the path."""

    template: str
    method: str
    spec: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]
    values: Mapping[str, str]


class Contract:
    """A platform's API description, OpenAPI 3.0 or 3.1 with local references."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        schemas = document.get("components", {}).get("schemas", {})
        # Four forms of each schema: as written by the platform for what it answers; closed and open for what it is sent
        # (open: as a branch of a schema that is closed as a whole).
        forms = {
            "answered": {name: self._form(schema, sent=False) for name, schema in schemas.items()},
            "sent": {name: self._form(schema, sent=True) for name, schema in schemas.items()},
            "branch": {name: self._form(schema, sent=True, closed=False) for name, schema in schemas.items()},
        }
        resource = Resource.from_contents(forms, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(_HOME, resource)

    def operation(self, method: str, url: str) -> Operation | None:
        """The operation that answers this; of several that fit the one with the fewest places: `/search` before `/{id}`."""
        found = [operation for operation in self._fitting(url) if operation.method == method.lower()]
        return min(found, key=lambda operation: len(operation.values), default=None)

    def request_problems(
        self, method: str, url: str, *, query: Fields = "", body: Any = None, form: Fields | None = None
    ) -> list[str]:
        """What is wrong with a request: an empty list when nothing is.

        url: path, or whole URL. query, form: text or a mapping whose values may be lists. body: what is sent as JSON.
        """
        operation = self.operation(method, url)
        if operation is None:
            known = ", ".join(sorted({other.method.upper() for other in self._fitting(url)}))
            return [f"{method} {url}: the contract knows {known} there" if known else f"{url}: no such path in the contract"]
        pairs = _pairs(urlsplit(url).query) + _pairs(query)
        return [
            *self._path_problems(operation),
            *self._query_problems(operation, pairs),
            *self._body_problems(operation, body, form),
            *self._document_problems(body),
        ]

    def reply_problems(self, method: str, url: str, status: int, body: Any) -> list[str]:
        """What is wrong with what a platform is said to have answered."""
        operation = self.operation(method, url)
        if operation is None:
            return [f"{method} {url}: no such operation in the contract"]
        response = self._response(operation, status)
        if response is None:
            known = ", ".join(operation.spec.get("responses", {}))
            return [f"{method} {url}: the contract knows no answer {status}, only {known}"]
        media = _json_media(response.get("content", {}))
        if media is None:
            return [] if body is None else [f"answer {status}: the contract knows no JSON body there"]
        return self._problems(self._form(media.get("schema", {}), sent=False), body, f"answer {status}")

    def knows_body(self, method: str, url: str, status: int) -> bool:
        """True when the description says what the body of this answer looks like."""
        operation = self.operation(method, url)
        response = self._response(operation, status) if operation is not None else None
        return response is not None and _json_media(response.get("content", {})) is not None

    def object_problems(self, schema: str, value: Any, *, strict: bool = True) -> list[str]:
        """What is wrong with an object that a platform sent, by a named schema; strict: it uses known field names only."""
        found = self._problems({"$ref": f"#/answered/{schema}"}, value, schema)
        known = self._known(self._document["components"]["schemas"][schema], value, schema) if strict else []
        return found + known

    # -- where: paths and servers

    def _fitting(self, url: str) -> Iterator[Operation]:
        path = urlsplit(url).path
        for template, item in self._document["paths"].items():
            servers = [*item.get("servers", ()), *self._document.get("servers", ()), {"url": ""}]
            match = next(filter(None, (_match(_server_path(server) + template, path) for server in servers)), None)
            for method in METHODS if match else ():
                if method in item:
                    spec = item[method]
                    declared = [self._resolved(each) for each in (*item.get("parameters", ()), *spec.get("parameters", ()))]
                    yield Operation(template, method, spec, tuple(declared), match.groupdict())

    def _response(self, operation: Operation, status: int) -> Any:
        known = operation.spec.get("responses", {})
        return self._resolved(known.get(str(status)) or known.get(f"{status // 100}XX") or known.get("default"))

    def _path_problems(self, operation: Operation) -> list[str]:
        found = []
        declared = {each["name"]: each.get("schema", {}) for each in operation.parameters if each["in"] == "path"}
        names = re.findall(r"{([^}]*)}", operation.template)
        # A server's path may have places too ({org}/api); they stand before those of the template.
        for name, value in zip(reversed(names), reversed(list(operation.values.values())), strict=False):
            schema = declared.get(name, {})
            found += self._problems(self._form(schema, sent=True), _typed(value, self._deep(schema)), f"path {name}")
        return found

    def _query_problems(self, operation: Operation, pairs: list[tuple[str, str]]) -> list[str]:
        declared = {each["name"]: each for each in operation.parameters if each["in"] == "query"}
        given: dict[str, list[str]] = {}
        for name, value in pairs:
            # deepObject: created[gte]=1 is a value of `created`; a literal name such as page[size] comes first.
            owner = name if name in declared else name.partition("[")[0]
            given.setdefault(owner, []).append(value)
        found = [f"query {name}: the contract knows no such parameter" for name in given if name not in declared]
        found += [f"query {name}: is required" for name, each in declared.items() if each.get("required") and name not in given]
        for name, values in given.items():
            if name in declared and declared[name].get("style") != "deepObject":
                schema = declared[name].get("schema", {})
                deep = self._deep(schema)
                value = _typed_list(values, deep) if _is_kind(deep, "array") else _typed(values[-1], deep)
                found += self._problems(self._form(schema, sent=True), value, f"query {name}")
        return found

    def _body_problems(self, operation: Operation, body: Any, form: Fields | None) -> list[str]:
        wanted = self._resolved(operation.spec.get("requestBody"))
        if body is None and form is None:
            return ["body: is required"] if wanted and wanted.get("required") else []
        if wanted is None:
            return ["body: the contract wants none"]
        content = wanted.get("content", {})
        media = _json_media(content) if form is None else content.get("application/x-www-form-urlencoded")
        if media is None:
            return [f"body: the contract wants {', '.join(content)}"]
        schema = media.get("schema", {})
        value = body if form is None else _form_value(_pairs(form), self._deep(schema), self._deep)
        return self._problems(self._form(schema, sent=True), value, "body")

    def _document_problems(self, body: Any) -> list[str]:
        """What is wrong with the variables of a GraphQL document, each of which is an argument of what it asks for."""
        known = self._document.get("x-graphql")
        if known is None or not isinstance(body, dict) or not isinstance(body.get("query"), str):
            return []
        asked = root_of(body["query"])
        if asked not in known:
            return [f"query {asked}: the contract knows nothing of this name"]
        schema = self._form({"$ref": known[asked]["variables"]}, sent=True)
        return self._problems(schema, body.get("variables", {}), f"variables of {asked}")

    # -- what: schemas

    def _problems(self, schema: Mapping[str, Any], value: Any, where: str) -> list[str]:
        whole = {"$schema": _DIALECT, **json.loads(json.dumps(schema).replace('"#/', f'"{_HOME}#/'))}
        validator = Draft202012Validator(whole, registry=self._registry, format_checker=Draft202012Validator.FORMAT_CHECKER)
        found = sorted(validator.iter_errors(value), key=lambda error: error.json_path)
        return [f"{where}{error.json_path[1:]}: {_said(error)}" for error in found]

    def _known(self, schema: Any, value: Any, where: str) -> list[str]:
        """Field names of an object that its schema does not tell of; only where the schema lists names at all."""
        schema = self._deep(schema)
        if isinstance(value, list):
            items = schema.get("items", {})
            return [found for n, each in enumerate(value) for found in self._known(items, each, f"{where}[{n}]")]
        if not isinstance(value, dict):
            return []
        names: dict[str, Any] = {}
        for each in (schema, *(self._deep(branch) for key in _BRANCHES for branch in schema.get(key, ()))):
            names |= each.get("properties", {})
        if not names:
            return []
        found = [f"{where}.{name}: the contract knows no such field" for name in value if name not in names]
        for name in value.keys() & names.keys():
            found += self._known(names[name], value[name], f"{where}.{name}")
        return found

    def _form(self, schema: Any, *, sent: bool, closed: bool = True) -> Any:
        """The schema as JSON Schema 2020-12. sent: without what only the platform writes; closed: without unknown names."""
        if not isinstance(schema, Mapping):
            return schema
        made: dict[str, Any] = {key: value for key, value in schema.items() if key not in _NOT_JSON_SCHEMA}
        if "$ref" in made:
            home = ("sent" if closed else "branch") if sent else "answered"
            made["$ref"] = made["$ref"].replace("#/components/schemas/", f"#/{home}/")
        if "properties" in made:
            forbidden = "readOnly" if sent else "writeOnly"
            left_out = {name for name, each in made["properties"].items() if isinstance(each, dict) and each.get(forbidden)}
            made["required"] = [name for name in made.get("required", ()) if name not in left_out]
            made["properties"] = {
                name: self._form(each, sent=sent) for name, each in made["properties"].items() if name not in left_out
            }
        for key in _INNER:
            if key in made:
                made[key] = self._form(made[key], sent=sent)
        if isinstance(made.get("additionalProperties"), Mapping):
            made["additionalProperties"] = self._form(made["additionalProperties"], sent=sent)
        if "patternProperties" in made:
            made["patternProperties"] = {name: self._form(each, sent=sent) for name, each in made["patternProperties"].items()}
        for key in _BRANCHES:
            if key in made:
                made[key] = [self._form(branch, sent=sent, closed=False) for branch in made[key]]
        if not sent and "oneOf" in made and "anyOf" not in made:
            # Answers of several forms: descriptions name them without making them exclude each other.
            made["anyOf"] = made.pop("oneOf")
        if schema.get("nullable"):
            made = {"anyOf": [made, {"type": "null"}]}
        return _closed(made, closed) if sent else made

    def _resolved(self, node: Any) -> Any:
        while isinstance(node, Mapping) and "$ref" in node:
            target: Any = self._document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def _deep(self, schema: Any) -> Mapping[str, Any]:
        """The schema behind references and behind `or null`."""
        schema = self._resolved(schema)
        branches = [branch for key in ("anyOf", "oneOf") for branch in schema.get(key, ()) if branch.get("type") != "null"]
        return self._deep(branches[0]) if len(branches) == 1 and "properties" not in schema else schema


def _closed(schema: dict[str, Any], closed: bool) -> dict[str, Any]:
    """Refuses names that the schema does not list. A schema that lists none takes any, and says so to the one around it."""
    lists_names = "properties" in schema or any(key in schema for key in _BRANCHES)
    free = schema.get("additionalProperties")
    if isinstance(free, Mapping) or schema.get("patternProperties"):
        return schema
    if not lists_names:
        anything = _is_kind(schema, "object") or not set(schema) - {"title", "description", "default", "examples"}
        return {**schema, "additionalProperties": True} if anything and free is not False else schema
    schema = {key: value for key, value in schema.items() if key != "additionalProperties"}
    return {**schema, "unevaluatedProperties": False} if closed else schema


def _said(error: Any) -> str:
    """The deepest reason: of several branches, the one that came furthest."""
    deepest = error
    while deepest.context:
        deepest = max(deepest.context, key=lambda each: (len(each.absolute_path), each.validator != "type"))
    where = f" (at {deepest.json_path[1:]})" if deepest is not error and deepest.json_path != error.json_path else ""
    return f"{deepest.message[:300]}{where}"


def _server_path(server: Mapping[str, Any]) -> str:
    return re.sub(r"^[a-z]+://[^/]*", "", server["url"]).rstrip("/")


def _match(template: str, path: str) -> re.Match[str] | None:
    parts = re.split(r"{[^}]*}", template)
    pattern = "".join(f"{re.escape(part)}(?P<place_{n}>[^/]+)" for n, part in enumerate(parts[:-1])) + re.escape(parts[-1])
    return re.fullmatch(pattern, path)


def _json_media(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((media for name, media in content.items() if name.partition(";")[0].endswith("json")), None)


def _pairs(given: Fields) -> list[tuple[str, str]]:
    if isinstance(given, str):
        return parse_qsl(given.lstrip("?"), keep_blank_values=True)
    lists = {name: value if isinstance(value, list | tuple) else [value] for name, value in given.items() if value is not None}
    return [(name, _text(each)) for name, values in lists.items() for each in values]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_kind(schema: Mapping[str, Any], kind: str) -> bool:
    kinds = schema.get("type", ())
    return kind == kinds or kind in kinds


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    """The value that the text of a query or form stands for; the text itself where it stands for none, to be refused."""
    if _is_kind(schema, "string"):
        return text
    if _is_kind(schema, "boolean") and text in ("true", "false"):
        return text == "true"
    if _is_kind(schema, "integer") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if _is_kind(schema, "number") and re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text)
    return text


def _typed_list(texts: list[str], schema: Mapping[str, Any]) -> list[Any]:
    several = texts[0].split(",") if len(texts) == 1 else texts
    return [_typed(text, schema.get("items", {})) for text in several]


def _form_value(pairs: list[tuple[str, str]], schema: Mapping[str, Any], deep: Any) -> dict[str, Any]:
    """A form as the object that it stands for: `items[0][price]` nests, a repeated name of an array type is a list."""
    made: dict[str, Any] = {}
    for name, text in pairs:
        first, *rest = [name] if name in schema.get("properties", {}) else re.findall(r"[^\[\]]+", name)
        part = deep(schema.get("properties", {}).get(first, {}))
        if rest or name.endswith("[]"):
            _put(made, [first, *rest], text, part, deep, listed=name.endswith("[]"))
        elif _is_kind(part, "array"):
            made.setdefault(first, []).append(_typed(text, deep(part.get("items", {}))))
        else:
            made[first] = _typed(text, part)
    return made


def _put(made: dict[str, Any], steps: list[str], text: str, schema: Mapping[str, Any], deep: Any, *, listed: bool) -> None:
    first, *rest = steps
    if _is_kind(schema, "array"):
        items = made.setdefault(first, [])
        part = deep(schema.get("items", {}))
        if listed or not rest:
            items.append(_typed(text, part))
            return
        while len(items) <= int(rest[0]):
            items.append({})
        if rest[1:]:
            _put(items[int(rest[0])], rest[1:], text, deep(part.get("properties", {}).get(rest[1], {})), deep, listed=False)
        else:
            items[int(rest[0])] = _typed(text, part)
    elif rest:
        _put(made.setdefault(first, {}), rest, text, deep(schema.get("properties", {}).get(rest[0], {})), deep, listed=listed)
    else:
        made[first] = _typed(text, schema)
