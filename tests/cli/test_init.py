"""`hub init` makes a workspace that passes `hub check` and `hub test`."""

from __future__ import annotations

import pytest
import yaml

from hub import config
from hub.cli.init import country_of
from hub.library import PROGRAMMES


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_a_new_workspace_is_right(hub, ask, tmp_path, programme):
    """Each ready programme passes `hub check` and its own examples, before any secret is set."""
    folder = tmp_path / "new"
    hub("init", "-w", folder, "--programme", programme)
    checked = ask("check", "-w", folder)
    assert checked["ok"]
    assert checked["recipes"]
    tried = ask("test", "-w", folder)
    assert tried["ok"], tried["failed"]
    assert tried["examples"] > 0
    assert {path.name for path in folder.iterdir()} == {"hub.yaml", "recipes", ".env.example", ".gitignore"}


def test_the_admins_words_are_in_it(hub, tmp_path):
    """Name, currency, time zone and address stand in hub.yaml; phone numbers are at home where the time zone is."""
    words = ["--name", 'Ada\'s: 50% #1 "Garage"', "--currency", "eur", "--timezone", "Europe/Vienna"]
    hub("init", "-w", tmp_path, *words, "--region", "at", "--public-url", "https://p.example", "--connection", "square")
    settings = config.load(tmp_path, {})
    programme = settings.programme_node.plain()
    assert programme["name"] == 'Ada\'s: 50% #1 "Garage"'
    assert (programme["currency"], programme["timezone"], programme["region"]) == ("EUR", "Europe/Vienna", "AT")
    assert settings.public_url == "https://p.example"


@pytest.mark.parametrize("name", ["true", "12", "null", "a: b", "# x", "{{ x }}", "- a", "'", "\\", "no", "Café ☕", " x "])
def test_any_name_stays_itself(hub, tmp_path, name):
    """Whatever YAML would make of a name, it is read back as it was given."""
    hub("init", "-w", tmp_path, "--name", name, "--connection", "-")
    assert config.load(tmp_path, {}).programme_node.plain()["name"] == name


def test_recipes_without_their_connection_are_left_out(hub, tmp_path):
    """Recipes that message by a connection which was not chosen are named and left out; the points are all there."""
    said = hub("init", "-w", tmp_path, "--programme", "repair", "--connection", "square").stdout
    assert "twilio" in said
    kept = {path.name for path in (tmp_path / "recipes").iterdir()}
    assert "purchase-points.yaml" in kept
    assert "sms-join.yaml" not in kept
    assert not [name for name in kept if "twilio." in (tmp_path / "recipes" / name).read_text("utf-8")]


def test_polling_needs_no_webhook_secret(hub, ask, tmp_path):
    """Without a public address what only proves webhooks is not asked for; with one it is."""
    hub("init", "-w", tmp_path / "poll", "--connection", "square")
    hub("init", "-w", tmp_path / "hooks", "--connection", "square", "--public-url", "https://p.example")
    assert "WEBHOOK" not in (tmp_path / "poll" / ".env.example").read_text("utf-8")
    assert "SQUARE_WEBHOOK_SIGNATURE_KEY=\n" in (tmp_path / "hooks" / ".env.example").read_text("utf-8")
    (listed,) = ask("connections", "-w", tmp_path / "poll")
    assert listed["missing"] == ["SQUARE_ACCESS_TOKEN"]


def test_of_two_ways_to_be_let_in_the_first_is_asked_for(hub, tmp_path):
    """An own token is soon made; what the other way needs stands beside it, as what may be said."""
    hub("init", "-w", tmp_path, "--programme", "web-store", "--connection", "zendesk")
    text = (tmp_path / "hub.yaml").read_text("utf-8")
    assert 'api_token: "${ZENDESK_API_TOKEN}"' in text and 'email: "${ZENDESK_EMAIL}"' in text
    assert "# client_id: …" in text and "ZENDESK_CLIENT_ID" not in text


def test_every_variable_is_in_the_example(hub, tmp_path):
    """What hub.yaml reads from the environment stands in .env.example, and nothing else."""
    hub("init", "-w", tmp_path, "--connection", "square", "--connection", "twilio", "--public-url", "https://p.example")
    named = {
        line.removesuffix("=") for line in (tmp_path / ".env.example").read_text("utf-8").splitlines() if line.endswith("=")
    }
    settings = config.load(tmp_path, {})
    assert named == {name for connection in settings.connections for name in connection.missing}
    assert ".env\n" in (tmp_path / ".gitignore").read_text("utf-8")
    assert yaml.safe_load((tmp_path / "hub.yaml").read_text("utf-8"))["connections"].keys() == {"square", "twilio"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--connection", "squar"], "did you mean `square`?"),
        (["--currency", "dollars"], "currency's three letters"),
        (["--timezone", "America/Chicagoo"], "time zone"),
    ],
)
def test_what_cannot_be_is_said(hub, tmp_path, words, said):
    """A wrong answer is named with what could be meant, and nothing is written."""
    assert said in hub("init", "-w", tmp_path / "new", *words, code=1).stderr
    assert not (tmp_path / "new").exists()


def test_a_workspace_is_never_written_over(hub, shop):
    """Where a workspace is, init refuses."""
    before = (shop / "hub.yaml").read_text("utf-8")
    assert "already" in hub("init", "-w", shop, code=1).stderr
    assert (shop / "hub.yaml").read_text("utf-8") == before


def test_a_place_nobody_knows_has_no_country():
    """The country of an unknown zone is left to the admin."""
    assert country_of("Mars/Olympus") == ""
