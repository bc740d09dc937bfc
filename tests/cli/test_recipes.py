"""`hub recipes` finds ready recipes, and takes one into a workspace without ever leaving it broken."""

from __future__ import annotations

import pytest

from hub import library

TILL = "connections: {till: {connector: square, access_token: x, webhook_signature_key: y}}\n"


def test_the_list_has_all_and_narrows_by_platform_and_trigger(ask):
    """By the platform that a recipe needs, and by a word of what it waits for."""
    assert [one["name"] for one in ask("recipes")] == [one.name for one in library.singles()]
    square = ask("recipes", "--platform", "Square")
    assert square and all("square" in one["needs"] for one in square)
    reviews = {one["name"] for one in ask("recipes", "--trigger", "review")}
    assert {"review-points", "review-answer-trustpilot", "ask-for-a-review"} <= reviews and "birthday" not in reviews
    both = ask("recipes", "--platform", "twilio", "--trigger", "review")
    assert {"referral-prompt"} <= {one["name"] for one in both} < reviews


def test_the_list_is_for_people_too(hub):
    """A table with what each waits for, does and needs; and where there is nothing, what there is."""
    said = hub("recipes", "--platform", "judgeme").stdout
    assert "review-pictures-judgeme" in said and "judgeme.pictures_added" in said and "hub recipes add" in said
    assert "Platforms: activecampaign," in hub("recipes", "--platform", "faxmachine").stdout


def test_a_recipe_is_copied_and_works(hub, ask, shop):
    """What needs no platform is there at once, as it ships; its examples come out."""
    said = hub("recipes", "add", "first-purchase", "-w", shop).stdout
    assert "A present for the first purchase" in said
    assert (shop / "recipes" / "first-purchase.yaml").read_text("utf-8") == library.find("first-purchase").text
    assert ask("check", "-w", shop)["recipes"] == ["first-purchase", "points"]
    assert ask("test", "-w", shop)["ok"]


def test_a_connection_that_is_there_is_named(hub, ask, shop):
    """By its own name, whatever it is called."""
    (shop / "hub.yaml").write_text((shop / "hub.yaml").read_text("utf-8") + TILL, "utf-8")
    assert "It needs square: connected as till." in hub("recipes", "add", "till-loyalty-points", "-w", shop).stdout
    added = ask("recipes", "add", "square-loyalty-follows", "-w", shop)
    assert (added["path"], added["needs"]) == (str(shop / "recipes" / "square-loyalty-follows.yaml"), {"square": ["till"]})


def test_a_connection_that_is_missing_is_said_and_nothing_is_copied(hub, shop):
    """A recipe that cannot be checked would keep the hub from starting; who wants it all the same says so."""
    said = hub("recipes", "add", "sms-balance", "-w", shop, code=1).stderr
    assert "needs twilio" in said and "hub connections setup twilio" in said
    assert not (shop / "recipes" / "sms-balance.yaml").exists()
    assert "not connected" in hub("recipes", "add", "sms-balance", "--anyway", "-w", shop).stdout
    assert (shop / "recipes" / "sms-balance.yaml").exists()


def test_a_recipe_that_does_not_fit_is_taken_away_again(hub, shop):
    """With two tills nobody can say which one it means; the finding says what to write."""
    two = TILL.replace("}}", "}, other: {connector: square, access_token: x, webhook_signature_key: y}}")
    (shop / "hub.yaml").write_text((shop / "hub.yaml").read_text("utf-8") + two, "utf-8")
    assert "could go to several connections" in hub("recipes", "add", "square-loyalty-follows", "-w", shop, code=1).stderr
    assert not (shop / "recipes" / "square-loyalty-follows.yaml").exists()


def test_a_name_that_another_file_has_is_said(hub, shop):
    """Wherever the finding stands; the workspace is as it was."""
    (shop / "recipes" / "own.yaml").write_text("recipe: birthday\ntitle: x\nwhen: birthday\ndo: [{tag: {name: x}}]\n", "utf-8")
    assert "the name `birthday` is taken" in hub("recipes", "add", "birthday", "-w", shop, code=1).stderr
    assert not (shop / "recipes" / "birthday.yaml").exists()


@pytest.mark.parametrize(("name", "said"), [("birthdy", "did you mean `birthday`?"), ("points", "There is no ready recipe")])
def test_an_unknown_name_is_said(hub, shop, name, said):
    """With what was probably meant."""
    assert said in hub("recipes", "add", name, "-w", shop, code=1).stderr


def test_what_is_there_is_never_written_over(hub, shop):
    """The admin's own file of that name stays."""
    (shop / "recipes" / "birthday.yaml").write_text(
        "recipe: birthday\ntitle: mine\nwhen: birthday\ndo: [{tag: {name: x}}]\n", "utf-8"
    )
    before = (shop / "recipes" / "birthday.yaml").read_text("utf-8")
    assert "is there already" in hub("recipes", "add", "birthday", "-w", shop, code=1).stderr
    assert (shop / "recipes" / "birthday.yaml").read_text("utf-8") == before
