"""Secrets in the database: connections live by them, keys take turns, and what is lost is named."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import HubError, Unavailable
from hub.vault import kept_secrets, key_in_use, place_of, rotation
from tests.databases import ask
from tests.engine.platforms import KEY
from tests.engine.world import POINTS, World

OPEN = f"public_url: https://points.example.com\nconnections:\n  till: {{}}\n  letters: {{key: {KEY}}}\n"


def keep(world: World, connection: str = "till", name: str = "key", value: str = KEY) -> dict[str, Any]:
    """What `hub connections set` does."""
    with world.hub.store.read() as session:
        sealed = world.hub.vault.seal(session, place_of(connection, name), value)
    return world.do("keep_secret", connection=connection, name=name, key_id=sealed.key_id, sealed=sealed.text, by="ada")


def in_use(world: World) -> str | None:
    with world.hub.store.read() as session:
        return key_in_use(session)


def sealed_with(world: World) -> set[str]:
    """The ids of the keys that some secret needs."""
    with world.hub.store.read() as session:
        return {kept.sealed.key_id for kept in kept_secrets(session)}


def rotate(world: World) -> None:
    """What `hub keys rotate` does."""
    key_id = rotation.begin(world.hub.vault, in_use(world))
    world.do("rotate_keys", key_id=key_id)
    rotation.end(world.hub.vault, in_use(world))


@pytest.fixture
def world(make: Any) -> World:
    """A hub whose till has its key from the database."""
    made: World = make(POINTS, connections=OPEN)
    keep(made)
    made.restart()
    return made


def test_a_connection_without_its_secret_waits_until_it_is_kept(make: Any) -> None:
    """The platform is told to come again; with the secret its deliveries are let in."""
    world = make(POINTS, connections=OPEN)
    assert world.hub.unusable == {"till"}
    with pytest.raises(Unavailable):
        world.hub.door._connection_of(type("Knock", (), {"connection": "till"}))
    keep(world)
    world.restart()
    world.pay("p1", "10.00")
    world.work()
    assert world.balance() == 10


def test_what_hub_yaml_says_wins(world: World) -> None:
    """The database fills in what is left open there, and nothing else."""
    other = "another-key-9x"
    world.restart(edit=lambda: world.configure(connections=OPEN.replace("till: {}", f"till: {{key: {other}}}")))
    assert world.hub.connections["till"].settings["key"].reveal() == other


def test_no_table_and_no_command_holds_the_secret_itself(world: World) -> None:
    """It is encrypted before it reaches the inbox."""
    body = world.hub.inbox.after(0, 10)[0].body
    assert b"keep_secret" not in body
    assert KEY.encode() not in body
    assert KEY not in str(world.rows("SELECT * FROM secret"))


def test_everything_is_sealed_anew_and_the_old_key_goes(world: World) -> None:
    """The connection works with the new key alone."""
    before = in_use(world)
    rotate(world)
    after = in_use(world)
    assert after != before
    assert sealed_with(world) == {after}
    assert world.hub.vault.read().ids == (after,)
    world.restart()
    world.pay("p1", "10.00")
    world.work()
    assert world.balance() == 10


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_rotation_that_was_broken_off_goes_on(world: World, steps: int) -> None:
    """After any step everything can be read, and one more rotation ends with one key, not with three."""
    if steps > 0:
        key_id = rotation.begin(world.hub.vault, in_use(world))
    if steps > 1:
        world.do("rotate_keys", key_id=key_id)
    world.restart()
    assert world.hub.connections["till"].settings["key"].reveal() == KEY
    rotate(world)
    world.restart()
    assert world.hub.connections["till"].settings["key"].reveal() == KEY
    assert world.hub.vault.read().ids == (in_use(world),) == tuple(sealed_with(world))


def test_a_rotation_that_is_killed_while_the_file_is_written_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is there as it was, whole."""
    before = world.hub.vault.read().ids

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            rotation.begin(world.hub.vault, in_use(world))
    assert world.hub.vault.read().ids == before


def test_a_secret_under_a_key_that_has_gone_out_of_use_is_not_kept(world: World) -> None:
    """Somebody sealed it before a rotation, and it arrives after: nothing may need the old key again."""
    with world.hub.store.read() as session:
        late = world.hub.vault.seal(session, place_of("till", "key"), "late")
    key_id = rotation.begin(world.hub.vault, in_use(world))
    world.do("rotate_keys", key_id=key_id)
    with pytest.raises(HubError, match=r"the key was changed in the meantime\. Set it again"):
        world.do("keep_secret", connection="till", name="key", key_id=late.key_id, sealed=late.text, by="ada")
    assert sealed_with(world) == {key_id}


def test_a_rotation_with_another_key_than_the_workers_is_refused(world: World) -> None:
    """The environment of the worker may be another than that of the command line."""
    with pytest.raises(HubError, match="another HUB_SECRET_KEY"):
        world.do("rotate_keys", key_id="00000000")


def test_a_lost_key_stops_its_connection_and_says_so(world: World) -> None:
    """The other connections and their recipes go on; setting the secret again mends it."""
    old = in_use(world)
    world.restart(edit=world.hub.vault.file.path.unlink)
    assert world.hub.unusable == {"till"}
    [why] = world.hub.settings.connection("till").missing
    assert "secret:till/key" in why
    assert f"key {old}, which is not here" in why
    keep(world)
    world.restart()
    assert world.hub.unusable == frozenset()


def test_a_rotation_leaves_what_cannot_be_read_and_names_it(world: World) -> None:
    """What is lost does not hold up the rest."""
    world.restart(edit=world.hub.vault.file.path.unlink)
    keep(world, "letters", "key", "another")
    told = world.do("rotate_keys", key_id=rotation.begin(world.hub.vault, in_use(world)))
    assert (told["secrets"], told["unread"]) == (1, ["secret:till/key"])


def test_a_secret_that_was_moved_to_another_row_is_not_used(world: World) -> None:
    """Whoever can write to the database cannot give one connection the secret of another."""
    keep(world, "letters", "key", "letters-own")
    with world.hub.store.write() as session:
        [(moved,)] = ask(session, "SELECT sealed FROM secret WHERE connection = ?", "letters")
        ask(session, "UPDATE secret SET sealed = ? WHERE connection = ?", moved, "till")
    world.restart()
    assert world.hub.unusable == {"till"}
    assert "was changed or moved" in world.hub.settings.connection("till").missing[0]


def test_a_connection_can_be_kept_whole(world: World) -> None:
    """hub.yaml need not name it: its connector is a setting like the others."""
    keep(world, "till2", "connector", "till")
    keep(world, "till2", "key", "till2-key")
    world.restart()
    assert world.hub.connections["till2"].connector.name == "till"
    assert world.hub.connections["till2"].settings["key"].reveal() == "till2-key"


def test_what_is_dropped_is_gone(world: World) -> None:
    """And what is not there cannot be dropped."""
    world.do("drop_secret", connection="till", name="key")
    with pytest.raises(HubError, match="keeps no `key` of till"):
        world.do("drop_secret", connection="till", name="key")
    world.restart()
    assert world.hub.unusable == {"till"}
