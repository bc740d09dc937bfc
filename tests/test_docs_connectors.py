"""docs/connectors.md: what it shows is true."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

from hub import hookspecs, plugins, promises
from hub.promises import overview
from hub.sdk import Connector, auth, declare, pages, reply, signature
from hub.sdk.envelope import Envelope

PAGE = (Path(__file__).parents[1] / "docs" / "connectors.md").read_text(encoding="utf-8")


def test_the_whole_connector_keeps_every_promise(monkeypatch):
    """The first code block is a connector that works."""
    source = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
    module = ModuleType("shown_in_the_docs")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(source, "docs/connectors.md", "exec"), module.__dict__)
    outcomes = promises.check(module.connector)
    assert [outcome for outcome in outcomes if not outcome.kept] == []


def test_the_page_names_every_word_of_the_kit():
    """No word of `declare`, of the proofs, replies, pages and auth, and no decorator is left out."""
    words = set(declare.__all__)
    for module in (signature, reply, pages, auth):
        words |= {
            name for name, thing in vars(module).items() if inspect.isfunction(thing) and thing.__module__ == module.__name__
        }
    words |= {
        "trigger",
        "action",
        "pull",
        "poke",
        "lookup",
        "handshake",
        "subscribe",
        "unsubscribe",
        "sample",
        "mirror",
        "mirrored",
    }
    words |= set(inspect.signature(Envelope).parameters) - {"account_setting"}
    words |= set(inspect.signature(Connector).parameters) - {"name", "title", "api", "headers"}
    missing = {word for word in words if not word.startswith("_") and not re.search(rf"\b{word}\b", PAGE)}
    assert missing - {"turn"} == set()


def test_the_page_shows_every_hook():
    """Each hook stands there with its arguments and its sentence."""
    for name, hook in vars(hookspecs).items():
        if name.startswith("hub_"):
            assert f"`{name}({', '.join(inspect.signature(hook).parameters)})`: {hook.__doc__}" in PAGE


def test_the_table_shows_every_connector_as_it_is():
    """`hub connector list --markdown` makes it; a connector that changes without it fails here."""
    shown = PAGE.partition("<!-- connectors: begin -->\n")[2].partition("<!-- connectors: end -->")[0]
    assert shown == overview.markdown(plugins.discover().values())
