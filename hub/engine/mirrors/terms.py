"""Terms: what a connection says under `mirror:`, which of the platform's fields shows what of a member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.document import Mapping as NodeMapping
from hub.document import Node, Scalar, did_you_mean
from hub.errors import ConfigError, Problem
from hub.sdk import Connector
from hub.sdk.mirror import MIRRORED


def read(node: Node | None, connector: Connector) -> Mapping[str, str]:
    """The fields by what they show, `{balance: POINTS}`. ConfigError with every finding at its place."""
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return {}
    if problems := list(_wrong(node, connector)):
        raise ConfigError(problems)
    assert isinstance(node, NodeMapping)
    return {key.text: str(value.plain()) for key, value in node.items()}


def _wrong(node: Node, connector: Connector) -> Iterator[Problem]:
    known = ", ".join(MIRRORED)
    if connector.mirroring is None:
        yield node.problem(f"{connector.title} has no fields that can mirror a member's points", "take `mirror` away")
        return
    if not isinstance(node, NodeMapping):
        hint = f"write what goes where: `mirror: {{balance: POINTS}}`; known: {known}"
        yield node.problem(f"`mirror` is {node.what}", hint)
        return
    taken: dict[str, str] = {}
    for key, value in node.items():
        field = str(value.plain()).strip() if isinstance(value, Scalar) and value.value is not None else ""
        if key.text not in MIRRORED:
            yield key.problem(f"`{key.text}` cannot be mirrored", did_you_mean(key.text, MIRRORED) or f"known: {known}")
        elif not field:
            yield value.problem(f"`{key.text}` names no field", f"write the name of the field at {connector.title}")
        elif field in taken:
            yield value.problem(f"the field `{field}` shows `{taken[field]}` already", "give each a field of its own")
        else:
            taken[field] = key.text
