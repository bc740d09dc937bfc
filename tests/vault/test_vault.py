"""The vault's own parts: what is sealed opens only in its place, and the key file is for its owner alone."""

from __future__ import annotations

import base64
import stat
import threading
from pathlib import Path

import pytest

from hub.errors import HubError
from hub.vault.key_file import KeyFile
from hub.vault.keys import Key, Keyring, Sealed, Unopened, new_key
from hub.vault.vault import Vault

PLAIN = "sq0-very-secret"


def _key() -> Key:
    return Key.parse(new_key(), "a test")


def test_what_is_sealed_for_a_place_opens_there_and_nowhere_else() -> None:
    """A ciphertext that is moved to another row is of no use there."""
    key = _key()
    sealed = key.seal("secret:square/access_token", PLAIN)
    assert key.open("secret:square/access_token", sealed) == PLAIN
    with pytest.raises(Unopened, match="secret:shop/access_token does not open"):
        key.open("secret:shop/access_token", sealed)


def test_the_same_text_is_never_sealed_alike() -> None:
    """Nobody sees that two connections have the same secret."""
    key = _key()
    assert key.seal("a", PLAIN).text != key.seal("a", PLAIN).text


@pytest.mark.parametrize("change", [lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), lambda raw: raw[:8], lambda raw: b""])
def test_a_changed_row_does_not_open(change) -> None:
    """One bit is enough; what is cut short says the same."""
    key = _key()
    sealed = key.seal("a", PLAIN)
    raw = base64.b64decode(sealed.text)
    with pytest.raises(Unopened):
        key.open("a", Sealed(key.id, base64.b64encode(change(raw)).decode()))


def test_a_lost_key_is_named_with_what_it_locks() -> None:
    """So that a person knows what has to be set again."""
    sealed = _key().seal("secret:square/access_token", PLAIN)
    with pytest.raises(Unopened, match=rf"secret:square/access_token .* the key {sealed.key_id}, which is not here"):
        Keyring([_key()]).open("secret:square/access_token", sealed)


@pytest.mark.parametrize(
    "text", ["too-short", "ü" * 32, base64.b64encode(b"x" * 31).decode(), "hunter2hunter2hunter2hunter2hunter2"]
)
def test_what_is_no_key_is_refused_and_not_shown(text: str) -> None:
    """A pass phrase is no key; the message says how to make one, and does not repeat what was given."""
    with pytest.raises(HubError, match="openssl rand") as refused:
        Vault(text, KeyFile(Path("none"))).ready()
    assert text not in str(refused.value)


def test_either_alphabet_of_base64_makes_the_same_key() -> None:
    """What `openssl` prints is taken like what the hub writes."""
    raw = bytes(range(224, 256))
    written = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    assert len({Key.parse(text, "a test").id for text in written}) == 1


def test_a_key_does_not_show_itself() -> None:
    """Only its id, which is made of it and says nothing about it."""
    text = new_key()
    assert text not in repr(Key.parse(text, "a test"))


def test_the_first_use_makes_one_key_whoever_is_first(tmp_path: Path) -> None:
    """Many processes may start at once; all of them have the same key, and only the owner may read it."""
    vaults = [Vault(None, KeyFile(tmp_path / "data" / "secret.key")) for _ in range(8)]
    threads = [threading.Thread(target=vault.ready) for vault in vaults]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({vault.ring.ids for vault in vaults}) == 1
    assert stat.S_IMODE(vaults[0].file.path.stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """With what to do about it."""
    file = KeyFile(tmp_path / "secret.key")
    file.make()
    file.path.chmod(mode)
    with pytest.raises(HubError, match="chmod 600"):
        Vault(None, file).read()


def test_keys_of_the_environment_go_before_those_of_the_file(tmp_path: Path) -> None:
    """Several stand there with commas between them, the newest first; the file's still open what they sealed."""
    file = KeyFile(tmp_path / "secret.key")
    file.make()
    newer, older = new_key(), new_key()
    [in_file] = Vault(None, file).ready().ids
    ids = [Key.parse(text, "a test").id for text in (newer, older)]
    assert list(Vault(f"{newer}, {older}", file).ring.ids) == [*ids, in_file]
