"""`hub check`, `hub test` and `hub schema`: what an admin sees of a workspace that is right, and of one that is not."""

from __future__ import annotations

import json

import jsonschema
import pytest

BROKEN = """recipe: broken
when: sale
if: event.amout > 20
do:
  - awrd: {points: 5}
  - twilio.send_sms: {to: "x", body: "y"}
"""
CONNECTIONS = 'connections:\n  twilio: {account_sid: "${SID}", auth_token: "${TOKEN}", sender: "+15005550006"}\n'
TEXTING = """recipe: texting
when: hub.points_awarded
do:
  - twilio.send_sms: {to: "+15005550006", body: "Hello"}
"""


def test_what_is_right_is_said(hub, shop):
    """A right workspace ends with 0 and a sentence."""
    assert "1 recipe" in hub("check", "-w", shop).stdout


def test_every_problem_is_told_with_its_place(hub, ask, shop, recipe):
    """Several problems at once, each with file, line and column, and what could be meant; exit code 1."""
    recipe(BROKEN)
    shown = hub("check", "-w", shop, code=1).stdout
    assert "recipes/broken.yaml:3:" in shown
    assert "did you mean `event.amount`?" in shown
    assert "did you mean `award`?" in shown
    problems = ask("check", "-w", shop, code=1)["problems"]
    assert [problem["line"] for problem in problems] == [3, 5, 6]


def test_hub_yaml_is_checked_by_its_owners(ask, shop):
    """The programme, the connectors and the settings of connections are checked too, at their places."""
    text = (shop / "hub.yaml").read_text("utf-8").replace("USD", "dollars")
    text += "connections:\n  squar: {}\n  twilio: {acount_sid: AC1, auth_token: t, sender: s}\n"
    (shop / "hub.yaml").write_text(text, "utf-8")
    said = json.dumps(ask("check", "-w", shop, code=1)["problems"])
    assert "there is no connector `squar`" in said
    assert "did you mean `account_sid`?" in said
    assert '"line": 1' in said


def test_a_mirror_is_checked_against_its_connector(hub, ask, shop):
    """What cannot be mirrored, a field that is none or taken, a platform without fields: each at its line and column."""
    head = (shop / "hub.yaml").read_text("utf-8")
    campaign = "activecampaign:\n    api_url: https://example.api-us1.com\n    api_token: t\n    mirror:\n"
    fields = "      balanse: POINTS\n      tier: [TIER]\n      balance: A\n      expires: A\n"
    till = "  twilio: {account_sid: AC1, auth_token: t, sender: s, mirror: {balance: x}}\n"
    (shop / "hub.yaml").write_text(f"{head}connections:\n  {campaign}{fields}{till}", "utf-8")
    problems = ask("check", "-w", shop, code=1)["problems"]
    assert [(one["line"], one["column"]) for one in problems] == [(7, 7), (8, 13), (10, 16), (11, 64)]
    assert "did you mean `balance`?" in problems[0]["hint"] and "no fields" in problems[3]["message"]
    right = "      balance: POINTS\n      expires: 12\n"
    (shop / "hub.yaml").write_text(f"{head}connections:\n  {campaign}{right}", "utf-8")
    hub("check", "-w", shop)


def test_missing_variables_are_named_with_what_they_stop(ask, shop, recipe):
    """A variable that is not set is a warning with its connection and the recipes that stop; the recipes are checked anyway."""
    (shop / "hub.yaml").write_text((shop / "hub.yaml").read_text("utf-8") + CONNECTIONS, "utf-8")
    recipe(TEXTING)
    checked = ask("check", "-w", shop)
    (waits,) = [warning for warning in checked["warnings"] if "waits" in warning]
    assert "SID, TOKEN" in waits
    assert waits.endswith("recipes that stop: texting")
    (shop / ".env").write_text("SID=AC1\nTOKEN=t\n", "utf-8")
    assert not [warning for warning in ask("check", "-w", shop)["warnings"] if "waits" in warning]


@pytest.mark.parametrize(
    ("when", "till", "named"),
    [
        ("sale", True, True),
        ("square.payment_completed", True, True),
        ("till.payment_completed", True, True),
        ("till.loyalty_event", True, False),
        ("sale", False, False),
    ],
)
def test_who_would_award_what_the_platform_awards_is_warned(ask, shop, when, till, named):
    """Recipes that hear its sales; those that hear what it gave itself are right."""
    said = f"connections:\n  till: {{connector: square, access_token: x, till_loyalty: {str(till).lower()}}}\n"
    (shop / "hub.yaml").write_text((shop / "hub.yaml").read_text("utf-8") + said, "utf-8")
    ours = f"recipe: ours\nwhen: {when}\ndo:\n  - award: {{points: 5, reason: thanks}}\n"
    (shop / "recipes" / "ours.yaml").write_text(ours, "utf-8")
    warnings = [one for one in ask("check", "-w", shop)["warnings"] if "Square Loyalty (`till_loyalty`)" in one]
    assert [("ours" in one, "connection till" in one) for one in warnings] == ([(named, True)] if till else [])


def test_a_failing_example_is_told_with_its_line(hub, ask, shop, recipe):
    """An example that comes out otherwise is named with its place; exit code 1."""
    recipe(
        (shop / "recipes" / "points.yaml").read_text("utf-8").replace("recipe: points", "recipe: other").replace("29}", "30}")
    )
    assert "recipes/other.yaml:7: " in hub("test", "-w", shop, code=1).stdout
    (failed,) = ask("test", "-w", shop, code=1)["failed"]
    assert failed["recipe"] == "other"
    assert ask("test", "points", "-w", shop) == {"ok": True, "examples": 1, "failed": []}
    assert "no recipe" in hub("test", "nothing", "-w", shop, code=1).stderr


def test_the_schema_knows_what_there_is(hub, shop, tmp_path):
    """The JSON Schema is one, names the live triggers and actions, and can be written to a file."""
    shown = json.loads(hub("schema", "-w", shop).stdout)
    jsonschema.Draft202012Validator.check_schema(shown)
    assert "award" in json.dumps(shown)
    hub("schema", "-w", shop, "-o", tmp_path / "recipe.schema.json")
    assert json.loads((tmp_path / "recipe.schema.json").read_text("utf-8")) == shown


def test_check_says_how_the_owner_is_told(hub, shop):
    """And an owner whom nothing can reach is an error."""
    path = shop / "hub.yaml"
    text = path.read_text("utf-8")
    path.write_text(text + 'owner: {phone: "+14155550199"}\n', "utf-8")
    assert "no connection can send to a `phone`" in hub("check", "-w", shop, code=1).stdout
    twilio = "connections:\n  twilio: {account_sid: AC1, auth_token: t0ken, sender: '+14155550100'}\n"
    path.write_text(text + twilio + 'owner: {phone: "+14155550199"}\n', "utf-8")
    assert "told of trouble at +14155550199 through twilio.send_sms" in hub("check", "-w", shop).stdout
