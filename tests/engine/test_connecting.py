"""Connecting: what is wrong with a connection is shown where it stands in hub.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors import typeform
from hub import bootstrap, config
from hub.engine.catalogue import Catalogue
from hub.engine.connecting import open_connections
from hub.errors import ConfigError
from hub.programme.settings import Programme
from hub.recipes import Missing
from hub.sdk import Connector, Settings, Unfit
from hub.sdk.declare import secret, setting

HUB = """\
programme: {name: Points, timezone: UTC, currency: USD}
connections:
  survey:
    connector: typeform
    access_token: t0ken
    forms:
      lT4Z3j: {means: review, rating: stars}
"""


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("forms:", "froms:", (6, 5), "`froms` is not a setting of this connector"),
        ("rating: stars", "rating: [stars]", (7, 39), "`forms` has in `lT4Z3j.review.rating` ['stars']"),
        ("rating: stars", "ratng: stars", (7, 31), "`forms` has in `lT4Z3j.review.ratng` 'stars'"),
        ("means: review, ", "", (7, 15), "`forms` has in `lT4Z3j`"),
        ("means: redemption", "", (0, 0), ""),
        ("means: review, rating", "means: redemption, email", (7, 15), "`forms` lacks `lT4Z3j.redemption.reward`"),
        ("    access_token: t0ken\n", "", (4, 5), "`access_token` is missing"),
        ("t0ken", "[]", (5, 19), "`access_token` must be text"),
    ],
)
def test_what_is_wrong_is_shown_where_it_stands(tmp_path: Path, old: str, new: str, place: tuple[int, int], said: str) -> None:
    """The value, or the name where that is what is wrong; what is not there at all, where it should be."""
    (tmp_path / "hub.yaml").write_text(HUB.replace(old, new), "utf-8")
    settings = config.load(tmp_path, {})
    if not said:
        assert open_connections(settings, {"typeform": typeform.connector})["survey"].name == "survey"
        return
    with pytest.raises(ConfigError) as caught:
        open_connections(settings, {"typeform": typeform.connector})
    (problem,) = caught.value.problems
    assert said in problem.message
    assert (problem.line, problem.column) == place


def test_everything_that_is_wrong_is_shown_at_once(tmp_path: Path) -> None:
    """Each at its own place."""
    wrong = HUB.replace("stars}", "stars, out_of: 99}").replace("connections:", "connections:\n  shop: {connector: tyepform}")
    (tmp_path / "hub.yaml").write_text(wrong.replace("access_token: t0ken", "host: [1]"), "utf-8")
    with pytest.raises(ConfigError) as caught:
        open_connections(config.load(tmp_path, {}), {"typeform": typeform.connector})
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(3, 9), (5, 5), (8, 54), (6, 11)]


@pytest.mark.parametrize(
    "survey",
    [
        "{connector: typeform, access_token: s3cret, forms: 7}",
        "{connector: typeform, acces_token: s3cret, access_token: t, webhook_secret: [x, s3cret]}",
        "\n    connector: typeform\n    access_token: t\n    webhook_secrt: s3cret",
    ],
)
def test_a_line_with_a_secret_is_not_shown(tmp_path: Path, survey: str) -> None:
    """Its place is, and what is wrong; also where nobody knows that it is one, for its name is misspelt."""
    (tmp_path / "hub.yaml").write_text(f"{HUB.partition('survey:')[0]}survey: {survey}\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        open_connections(config.load(tmp_path, {}), {"typeform": typeform.connector})
    assert "s3cret" not in str(caught.value) and all(problem.line for problem in caught.value.problems)


def test_settings_that_do_not_go_together_are_shown_where_they_stand(tmp_path: Path) -> None:
    """Each is right by itself; the connector says which of them it is, and how deep in it; never with a secret."""
    desk = Connector("desk", title="Desk", settings=setting("doors", "by name", dict[str, str]) + secret("password", "its key"))

    @desk.fit
    def fit(own: Connector, settings: Settings) -> None:
        for name, kind in settings["doors"].items():
            if kind == "locked":
                raise Unfit("doors", f"`{name}` needs a key", "add one", (name,))
        if settings["password"].reveal() == "s3cret":
            raise Unfit("password", "everybody knows it")

    def told(doors: str, password: str = "s3cret") -> list[tuple[int, int, str, str]]:
        hub = f"{HUB.partition('survey:')[0]}front:\n    connector: desk\n    password: {password}\n    doors: {doors}\n"
        (tmp_path / "hub.yaml").write_text(hub, "utf-8")
        with pytest.raises(ConfigError) as caught:
            open_connections(config.load(tmp_path, {}), {"desk": desk})
        assert "s3cret" not in str(caught.value)
        return [(problem.line, problem.column, problem.message, problem.hint) for problem in caught.value.problems]

    assert told("{left: open, right: locked}") == [(6, 32, "`right` needs a key", "add one")]
    assert told("{left: open}") == [(5, 15, "everybody knows it", "")]


def test_a_misspelt_connection_is_told_what_was_meant(tmp_path: Path) -> None:
    """By the names of connections and of connectors; of nothing near, where to look."""
    (tmp_path / "hub.yaml").write_text(HUB, "utf-8")
    settings, known = config.load(tmp_path, {}), bootstrap.discover()
    catalogue = Catalogue(known, open_connections(settings, known), Programme.from_node(settings.programme_node))
    for name, hint in (("survy.form", "`survey`"), ("twillio.send_sms", "`twilio`"), ("x.y", "`hub connections`")):
        for missing in (catalogue.when(name), catalogue.action(name)):
            assert isinstance(missing, Missing) and hint in missing.hint
