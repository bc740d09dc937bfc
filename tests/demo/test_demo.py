"""The demo: what the running hub comes to is what the plain model computes, to the point and to the text."""

import csv
import gzip
import io
from collections import Counter

import pytest

from hub import config
from hub.clock import SystemClock
from hub.demo import shop
from hub.demo.play import stage
from hub.errors import HubError
from hub.store import Query

CUSTOMERS = 150
SENT = Query(
    "sent",
    "Texts that went out, by recipe.",
    "SELECT r.recipe, COUNT(*) AS number FROM call c JOIN run r ON r.id = c.run_id WHERE c.state = 2 GROUP BY r.recipe",
    (),
)
LEFT = Query(
    "left",
    "What is not settled.",
    "SELECT (SELECT COUNT(*) FROM event WHERE state <> 1) + (SELECT COUNT(*) FROM run WHERE state <> 2)"
    " + (SELECT COUNT(*) FROM call WHERE state NOT IN (2, 4)) AS number",
    (),
)


@pytest.fixture(scope="module")
def few(data, tmp_path_factory):
    """The file with the first customers only."""
    with gzip.open(data, "rt", encoding="ascii", newline="") as lines:
        rows = [row for row in csv.reader(lines) if row[1] == "customer" or int(row[1][1:]) <= CUSTOMERS]
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    path = tmp_path_factory.mktemp("few") / "few.csv.gz"
    path.write_bytes(gzip.compress(written.getvalue().encode("ascii")))
    return path


@pytest.fixture(scope="module")
def played(few, tmp_path_factory):
    """The first customers' eighteen months through a whole hub: its figures, texts by recipe, leftovers, texts, settings."""
    purchases = shop.read_purchases(gzip.decompress(few.read_bytes()).decode("ascii"))
    folder = tmp_path_factory.mktemp("shop") / "workspace"
    with stage(folder, purchases) as playing:
        progress = playing.play(shop.script(purchases), lambda progress: None)
        with playing.reading() as session:
            sent = {row["recipe"]: row["number"] for row in session.rows(SENT)}
            left = session.row(LEFT)["number"]
        shown = progress.figures.as_json(verified=playing.verify().ok)
        texts = [text.body for text in playing.stand_in.messages()]
    return shown, sent, left, texts, config.load(folder, {})


def test_the_hub_comes_to_what_the_plain_model_computes(played, model, few):
    """Purchases, refunds, members, points by kind and recipe, and tiers are equal, and the ledger proves itself."""
    computed = {**model.totals(few), "verified": True}
    assert model.differences(played[0], computed) == []
    assert computed["purchases"] > 400
    assert all(computed["points"][kind] for kind in ("redeemed", "expired", "clawed_back", "outstanding"))


def test_every_text_reaches_who_agreed_and_nobody_else(played, model, few):
    """Each recipe sends as many texts as the plain model says, and the stand-in got as many."""
    _, sent, _, texts, _ = played
    assert sent == model.texts_sent(few)
    assert sum(sent.values()) == len(texts)
    assert len({text["To"] for text in texts}) == len([c for c in range(1, CUSTOMERS + 1) if shop.joins(c)])


def test_nothing_is_left_undone(played):
    """No event, run or call waits for anything at the end."""
    assert played[2] == 0


def test_a_text_says_what_the_recipe_promises(played):
    """Names and numbers stand in the texts, and no template does."""
    bodies = Counter(text["Body"].split("!")[0].split(",")[0].split(" ")[0] for text in played[3])
    assert {"Thanks", "Welcome", "Congratulations", "Enjoy:"} <= set(bodies)
    assert not any("{{" in text["Body"] or "None" in text["Body"] for text in played[3])


def test_a_workspace_that_is_left_behind_stays_in_its_own_time(played):
    """Whoever opens it later goes on in the summer of 1998, so that its points do not all expire at once."""
    now = SystemClock(played[4].clock_offset).now()
    assert (now.year, now.month, now.day) == (1998, 7, 1)


def test_a_workspace_is_not_written_over(tmp_path):
    """A folder that holds a workspace is refused, and stays as it was."""
    (tmp_path / "hub.yaml").write_text("mine", "utf-8")
    with pytest.raises(HubError, match="holds a workspace already"), stage(tmp_path, []):
        pass
    assert (tmp_path / "hub.yaml").read_text("utf-8") == "mine"
