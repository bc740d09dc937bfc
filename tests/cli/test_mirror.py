"""`hub mirror`: what platforms show of members' points, and how to have them compared."""

from __future__ import annotations

from pathlib import Path

import pytest

AWAY = 'base_url: "http://127.0.0.1:9", allow_private: true'
CONNECTIONS = (
    'connections:\n  crm: {connector: activecampaign, api_url: "https://example.api-us1.com", api_token: t, '
    f'{AWAY}, mirror: {{balance: "7", tier: TIER}}}}\n'
)


@pytest.fixture
def mirroring(shop: Path) -> Path:
    """A workspace that mirrors into a platform that does not answer, with a member."""
    text = (shop / "hub.yaml").read_text("utf-8")
    (shop / "hub.yaml").write_text(text + CONNECTIONS, "utf-8")
    return shop


@pytest.fixture
def sold(mirroring: Path, hub, tmp_path: Path) -> Path:
    """The same, in which somebody has bought something."""
    file = tmp_path / "sales.csv"
    file.write_text("email,amount,occurred_at\nada@example.com,12.50,2026-01-02\n", "utf-8")
    hub("import", "sales", file, "-w", mirroring)
    return mirroring


def test_what_a_platform_shows_is_told_with_its_last_comparison(hub, ask, sold):
    """Which fields show what, how many are known, unknown, waiting and held."""
    (crm,) = ask("mirror", "-w", sold)
    assert crm["fields"] == {"balance": "7", "tier": "TIER"}
    assert (crm["connection"], crm["known"], crm["unknown"], crm["waiting"], crm["held"]) == ("crm", 0, 0, 1, 0)
    assert crm["comparison"]["finished_at"] is None and crm["comparison"]["compared"] == 0
    shown = hub("mirror", "-w", sold).stdout
    assert "crm" in shown and "TIER" in shown


def test_a_comparison_that_is_under_way_is_not_begun_again(hub, sold):
    """It says since when, and what can be compared."""
    assert "is being compared since" in hub("mirror", "compare", "crm", "-w", sold, code=1).stderr
    assert "there are: `crm`" in hub("mirror", "compare", "till", "-w", sold, code=1).stderr


def test_drift_is_listed_for_those_who_mirror(hub, ask, sold):
    """Nothing was found yet; a connection that mirrors nothing is named as such."""
    assert ask("mirror", "drift", "-w", sold) == ask("mirror", "drift", "crm", "-w", sold) == []
    assert "Nothing was found changed" in hub("mirror", "drift", "-w", sold).stdout
    assert "'till' mirrors nothing; there are: crm" in hub("mirror", "drift", "till", "-w", sold, code=1).stderr


def test_a_workspace_that_mirrors_nothing_says_so(hub, ask, shop, tmp_path):
    """Not an error."""
    file = tmp_path / "sales.csv"
    file.write_text("email,amount,occurred_at\nada@example.com,12.50,2026-01-02\n", "utf-8")
    hub("import", "sales", file, "-w", shop)
    assert ask("mirror", "-w", shop) == []
    assert "mirrors anything" in hub("mirror", "-w", shop).stdout
