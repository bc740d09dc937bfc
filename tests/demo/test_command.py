"""`hub demo`: what it prints for people and for programs, on the first weeks of a few customers."""

import json
import logging
from dataclasses import replace
from datetime import date

import pytest
from click.testing import CliRunner

from hub.cli.app import main
from hub.cli.demo import demo
from hub.demo import payloads, shop
from hub.demo.play import stage
from hub.demo.poster import Poster, laid_over
from hub.errors import HubError


@pytest.fixture
def short(monkeypatch):
    """A demo of 40 customers that ends after three weeks; the command's log handler is taken away again."""
    purchases = [one for one in shop.read_purchases() if one.customer <= 40 and one.day <= date(1997, 1, 21)]
    monkeypatch.setattr(shop, "read_purchases", lambda: purchases)
    monkeypatch.setattr(shop, "LAST_DAY", date(1997, 1, 21))
    before = list(logging.getLogger().handlers)
    yield purchases
    logging.getLogger().handlers[:] = before


def test_for_programs_it_prints_one_object_and_nothing_else(short, tmp_path):
    """`--json` gives the object of the issue on standard output; `--keep` leaves a workspace behind."""
    result = CliRunner().invoke(demo, ["--exit", "--json", "--keep", str(tmp_path / "kept")], catch_exceptions=False)
    shown = json.loads(result.stdout)
    assert list(shown) == ["purchases", "refunds", "members", "points", "tiers", "verified"]
    assert list(shown["points"]) == ["issued", "redeemed", "expired", "clawed_back", "outstanding", "by_recipe"]
    assert (shown["purchases"], shown["members"], shown["verified"]) == (len(short), 40, True)
    assert shown["points"]["by_recipe"]["purchase-points"] == sum(one.cents // 100 for one in short)
    assert (tmp_path / "kept" / "hub.yaml").exists() and (tmp_path / "kept" / "data" / "hub.db").exists()


def test_it_comes_to_the_same_on_postgresql(short, tmp_path, postgres_server):
    """`--database` names an empty one; the commands look into it, and a second demo leaves it alone."""
    url = postgres_server.bare().url
    embedded = CliRunner().invoke(demo, ["--exit", "--json"], catch_exceptions=False)
    kept = tmp_path / "kept"
    result = CliRunner().invoke(demo, ["--exit", "--json", "--database", url, "--keep", str(kept)], catch_exceptions=False)
    assert json.loads(result.stdout) == json.loads(embedded.stdout)
    assert list((kept / "data").iterdir()) == [kept / "data" / "clock-offset"]
    for words in (["ledger", "verify"], ["events", "--json"], ["members", "--json"], ["connections"], ["db", "size", "--json"]):
        looked = CliRunner().invoke(main, [*words, "-w", str(kept)])
        assert looked.exit_code == 0, looked.output
    assert set(json.loads(looked.stdout)["bytes"]) == {"inbox", "hub"}
    again = CliRunner().invoke(main, ["demo", "--exit", "--database", url])
    assert again.exit_code == 1
    assert "needs an empty database" in again.output


def test_for_people_it_shows_the_totals_the_proof_and_what_to_try(short):
    """The table, the ledger's proof and the next steps are there."""
    result = CliRunner().invoke(demo, ["--exit"], catch_exceptions=False)
    for said in ("Purchases", "Members", "outstanding", "hub ledger verify:", "hub demo --keep", "hub init"):
        assert said in result.stdout


def test_a_webhook_that_the_hub_refuses_stops_the_demo(short, tmp_path):
    """Who signs with another key is told 401, and the demo does not go on as if nothing were."""
    with stage(tmp_path / "workspace", short) as playing:
        square = playing.hub.connections["square"]
        settings = square.connector.settings.read({"access_token": "x", "webhook_signature_key": "another"})
        forged = payloads.tell(shop.Happening(date(1997, 1, 1), 0, "payment", 1, date(1997, 1, 1), 1, 2933, 2))
        with (
            Poster(playing.url, {"square": replace(square, settings=settings)}, playing.clock) as forger,
            pytest.raises(HubError, match="answered 401 to a webhook at /hooks/square"),
        ):
            forger.post([(1, forged)])


def test_values_are_laid_over_a_sample_name_by_name():
    """Mappings are merged, None takes a name out, everything else is replaced, and the sample stays as it was."""
    under = {"a": {"b": 1, "c": 2}, "d": [1], "e": 3}
    assert laid_over(under, {"a": {"b": 9, "c": None}, "d": [], "f": {"g": 1}}) == {
        "a": {"b": 9},
        "d": [],
        "e": 3,
        "f": {"g": 1},
    }
    assert under == {"a": {"b": 1, "c": 2}, "d": [1], "e": 3}
