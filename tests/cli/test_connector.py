"""`hub connector`: a new one keeps every promise, a broken one is shown with what is broken."""

from __future__ import annotations

import pytest


@pytest.fixture
def my_till(hub, tmp_path):
    """A connector as `hub connector new` writes it."""
    hub("connector", "new", "my_till", "--folder", tmp_path)
    return tmp_path / "my_till.py"


def test_a_new_connector_keeps_every_promise(hub, ask, my_till):
    """What is written can be tried at once, and nothing is broken."""
    told = ask("connector", "test", my_till)
    assert (told["ok"], told["connectors"], told["broken"]) == (True, ["my_till"], [])
    assert told["tried"] > 20
    assert "promises are kept" in hub("connector", "test", my_till).stdout


def test_a_broken_promise_is_shown(hub, ask, my_till):
    """A sample that no longer fits is told with the promise, whom it is about and why; exit code 1."""
    text = my_till.read_text("utf-8")
    my_till.write_text(text.replace('"response_id": "rsp_1"}', '"response_id": "rsp_2"}'), "utf-8")
    assert ask("connector", "test", my_till, code=1)["broken"]
    assert "broken" in hub("connector", "test", my_till, code=1).stdout


def test_nothing_is_written_over(hub, my_till, tmp_path):
    """A file that is there stays."""
    before = my_till.read_text("utf-8")
    assert "already" in hub("connector", "new", "my_till", "--folder", tmp_path, code=1).stderr
    assert my_till.read_text("utf-8") == before
    assert "not a name" in hub("connector", "new", "My Till", "--folder", tmp_path, code=2).stderr


def test_what_is_no_connector_is_said(hub, tmp_path):
    """A file that is missing, broken or holds no connector is named; so is a name that nobody has."""
    (tmp_path / "empty.py").write_text("", "utf-8")
    (tmp_path / "torn.py").write_text("def", "utf-8")
    assert "no Connector" in hub("connector", "test", tmp_path / "empty.py", code=1).stderr
    assert "SyntaxError" in hub("connector", "test", tmp_path / "torn.py", code=1).stderr
    assert "no file" in hub("connector", "test", tmp_path / "none.py", code=1).stderr
    assert "did you mean `square`?" in hub("connector", "test", "sqare", code=1).stderr


def test_setup_says_what_to_click(hub, shop):
    """The setup text of a connector comes with the webhook address filled in, and the settings that it needs."""
    (shop / "hub.yaml").write_text((shop / "hub.yaml").read_text("utf-8") + "public_url: https://p.example\n", "utf-8")
    shown = hub("connections", "setup", "square", "-w", shop).stdout
    assert "https://p.example/hooks/square" in shown
    assert "{webhook_url}" not in shown
    assert "access_token" in shown
    assert "no connection or connector 'sqare'" in hub("connections", "setup", "sqare", "-w", shop, code=1).stderr


def test_all_connectors_are_listed(hub, ask):
    """For people, for programs, and for the docs."""
    listed = {one["name"]: one for one in ask("connector", "list")}
    assert listed["square"]["auth"] == "bearer token" and listed["square"]["proof"] == "HMAC SHA-256"
    assert "payment_completed" in listed["square"]["triggers"] and "hub" not in listed
    assert "| **Square** `square` |" in hub("connector", "list", "--markdown").stdout
    assert "Square" in hub("connector", "list").stdout
