"""Settings: read from what a person wrote, and secrets that never show."""

from __future__ import annotations

import copy
import pickle

import pytest
from pydantic import BaseModel

from hub.sdk.declare import secret, secrets, setting
from hub.sdk.settings import Secret

FORM = (
    secrets("api_key")
    + secret("signing_secret", "Developers > Webhooks", required=False)
    + setting("shop", "the shop's name")
    + setting("lines", "whether to fetch the lines", bool, default=False)
    + setting("fields", "our field: theirs", dict[str, str], default={})
)


def test_settings_are_read_and_defaults_filled_in():
    """Every declared name is there; what was not said has its default, or None."""
    settings = FORM.read({"api_key": "k", "shop": "x", "lines": True, "fields": {"points": "pf_1"}})
    assert settings["api_key"].reveal() == "k"
    assert (settings["shop"], settings["lines"], settings["fields"]) == ("x", True, {"points": "pf_1"})
    assert settings["signing_secret"] is None
    assert FORM.read({"api_key": "k", "shop": "x"})["fields"] == {}


def test_a_secret_may_have_several_values_while_it_is_rotated():
    """The newest stands first; all are known to the redactor."""
    settings = FORM.read({"api_key": ["new", "old"], "shop": "x"})
    assert settings["api_key"].reveal() == "new"
    assert settings.secrets() == ("new", "old")


def test_each_problem_is_named():
    """Missing, unknown, and of the wrong type: all at once, with a hint."""
    problems = {problem.name: problem for problem in FORM.problems({"shp": "x", "lines": "perhaps", "api_key": 7})}
    assert set(problems) == {"shp", "lines", "api_key", "shop"}
    assert problems["shp"].hint == "did you mean `shop`?"
    assert "is missing" in problems["shop"].message
    assert "put quotes around it" in problems["api_key"].message
    with pytest.raises(ValueError, match="`shop` is missing"):
        FORM.read({"api_key": "k"})


def test_a_problem_inside_a_setting_is_shown_where_it_stands():
    """A mapping may be long; its path and the one value are named, not the whole of it."""
    (problem,) = FORM.problems({"api_key": "k", "shop": "x", "fields": {"points": "pf_1", "tier": ["pf_2"]}})
    assert problem.message == "`fields` has in `tier` ['pf_2']: input should be a valid string"


class Window(BaseModel):
    """From one hour to another."""

    start: int
    end: int = 24


def test_a_setting_may_be_a_model():
    """Its fields are read by their types, and what is wrong with one is named."""
    form = setting("open", "when the shop is open", Window)
    assert form.read({"open": {"start": "9"}})["open"] == Window(start=9)
    (problem,) = form.problems({"open": {"start": "nine"}})
    assert problem.message.startswith("`open` has in `start` 'nine': ")


def test_no_problem_repeats_a_secret():
    """A secret of the wrong form is not printed back."""
    assert "tops3cret" not in str(FORM.problems({"api_key": {"a": "tops3cret"}, "shop": "x"}))


def test_a_secret_does_not_show_itself():
    """Printed, formatted, copied or pickled, a secret stays one."""
    hidden = Secret("tops3cret")
    for text in (
        str(hidden),
        repr(hidden),
        f"{hidden}",
        f"{hidden!r:>20}",
        repr(FORM.read({"api_key": "tops3cret", "shop": "x"})),
    ):
        assert "tops3cret" not in text
    with pytest.raises(TypeError):
        pickle.dumps(hidden)
    with pytest.raises(TypeError):
        copy.deepcopy(hidden)


def test_a_form_refuses_names_declared_twice_or_malformed():
    """Mistakes in a declaration are found when it is made."""
    with pytest.raises(ValueError, match="declared twice"):
        secrets("a") + setting("a")
    with pytest.raises(ValueError, match="not a name"):
        secrets("API-Key")
