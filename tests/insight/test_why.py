"""`hub why`: the command over the stories, on a workspace that a hub has worked."""

import json

import pytest
from click.testing import CliRunner

from hub.cli.app import main


@pytest.fixture
def ask(shop):
    """Runs `hub why` on the shop's workspace: exit code, standard output, standard error."""
    shop.sale("1042", "37.50")
    shop.sale("1043", "5.00")

    def run(*words):
        result = CliRunner().invoke(main, ["why", *words, "-w", str(shop.folder)])
        return result.exit_code, result.stdout, result.stderr

    return run


def test_it_tells_an_order_in_sentences(ask):
    """Points and their way, and the reason where there are none."""
    code, told, _ = ask("1042")
    assert (code, "+37 points" in told, "rounded down that is 37" in told) == (0, True, True)
    assert "event.amount >= 10 (was 5.00)" in ask("1043")[1]


def test_it_knows_members_by_what_people_call_them(ask):
    """An e-mail address or a name leads to the member's points."""
    for who in ("ada@example.com", "Ada Ng"):
        assert "has 37 points." in ask(who)[1]


def test_json_has_the_values_and_the_sentences(ask):
    """One list on standard output: what is told, and the values behind it, exact ones as text."""
    code, out, _ = ask("1042", "--json")
    (story,) = json.loads(out)
    assert code == 0
    assert story["heard"]["data"]["amount"] == "37.50"
    (moved,) = story["moved"]
    assert (moved["line"]["points"], moved["line"]["source"]["context"]["exact"]) == (37, "37.50")
    assert (moved["rule"]["recipe"], moved["rule"]["line"]) == ("purchase", 6)
    assert any("rounded down that is 37" in sentence for sentence in story["told"])


def test_what_nobody_knows_is_an_error_that_says_what_to_do(ask):
    """Exit code 1, nothing on standard output, and where to look."""
    code, out, error = ask("9999")
    assert (code, out) == (1, "")
    assert "Nothing is known of '9999'" in error
    assert "hub events" in error
