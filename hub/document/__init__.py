"""Document: the YAML files that people write, read with positions and without YAML's traps.

node = document.load(text, "hub.yaml")                # Mapping, Sequence or Scalar; ConfigError with every Problem
problems = []
section = document.Section(node, "hub.yaml", ["programme", "database"], problems)
database = section.text("database", "sqlite:///data")
"""

from hub.document.nodes import Broken, Mapping, Node, Plain, Scalar, Sequence, Source, day_of, did_you_mean, key_at, place_at
from hub.document.reader import Document, load, parse, read
from hub.document.section import Section

__all__ = [
    "Broken",
    "Document",
    "Mapping",
    "Node",
    "Plain",
    "Scalar",
    "Section",
    "Sequence",
    "Source",
    "day_of",
    "did_you_mean",
    "key_at",
    "load",
    "parse",
    "place_at",
    "read",
]
