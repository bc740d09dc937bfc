"""hub.yaml, .env and the environment become Settings, or findings that say where and what to do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub import config
from hub.errors import ConfigError
from hub.log import redact

SMALL = "programme:\n  name: Corner Garage\n"
TWO = (
    SMALL
    + """connections:
  square:
    access_token: "${SQUARE_ACCESS_TOKEN}"
    webhook_signature_key: "${SQUARE_WEBHOOK_SIGNATURE_KEY}"
  shop2: {connector: shopify, shop: shop2, client_secret: ["${NEW}", "${OLD}"], allow_private: true, base_url: "http://localhost:${P}"}
"""
)


@pytest.fixture
def read(tmp_path: Path):
    """Writes hub.yaml and reads it, with an environment of its own."""

    def read(text: str, **environ: str) -> config.Settings:
        (tmp_path / "hub.yaml").write_text(text, "utf-8")
        return config.load(tmp_path, environ)

    return read


def findings(read, text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text, **environ)
    return [str(problem) for problem in caught.value.problems]


def test_a_small_file_is_enough(read, tmp_path):
    """A programme alone makes a workspace: an embedded database, local addresses, no connection."""
    settings = read(SMALL)
    assert settings.programme_node.plain() == {"name": "Corner Garage"}
    assert settings.data_folder == tmp_path / "data"
    assert settings.recipes_folder == tmp_path / "recipes"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert (settings.public_url, settings.is_public) == ("http://localhost:8000", False)
    assert settings.connections == ()


def test_variables_are_filled_in(read):
    """`${NAME}` is replaced by the environment's value, also within lists and longer texts."""
    environ = {"SQUARE_ACCESS_TOKEN": "sq-1", "SQUARE_WEBHOOK_SIGNATURE_KEY": "sq-2", "NEW": "n", "OLD": "o", "P": "9"}
    square, shop2 = read(TWO, **environ).connections
    assert dict(square.values) == {"access_token": "sq-1", "webhook_signature_key": "sq-2"}
    assert (square.connector, shop2.connector) == ("square", "shopify")
    assert dict(shop2.values) == {"shop": "shop2", "client_secret": ["n", "o"]}
    assert (shop2.base_url, shop2.allow_private, shop2.missing) == ("http://localhost:9", True, ())


def test_a_value_that_looks_like_yaml_stays_text(read):
    """What the environment says is text, whatever it looks like."""
    settings = read(SMALL + 'connections:\n  a:\n    key: "${K}"\n    more: ${L}\n', K="on: {", L="0012")
    assert dict(settings.connections[0].values) == {"key": "on: {", "more": "0012"}


def test_missing_variables_are_named_by_connection(read):
    """A variable that is not set, or empty, is noted with its connection; its setting is left out."""
    square, shop2 = read(TWO, SQUARE_ACCESS_TOKEN="sq-1", SQUARE_WEBHOOK_SIGNATURE_KEY="", OLD="o", P="9").connections
    assert square.missing == ("SQUARE_WEBHOOK_SIGNATURE_KEY",)
    assert dict(square.values) == {"access_token": "sq-1"}
    assert shop2.missing == ("NEW",)
    assert dict(shop2.values) == {"shop": "shop2"}


def test_the_programme_may_name_variables_too(read):
    """A variable in the programme is filled in; one that is not set is a finding there."""
    text = 'programme:\n  name: "${SHOP} Rewards"\n'
    assert read(text, SHOP="Ada's").programme_node.plain() == {"name": "Ada's Rewards"}
    assert "hub.yaml:2:3: error: `programme` needs `SHOP`" in findings(read, text)[0]


def test_secrets_do_not_show(read):
    """The repr of settings names no secret and no database password."""
    settings = read(TWO, SQUARE_ACCESS_TOKEN="sq-hunter2", NEW="hunter2", OLD="o-hunter2", P="1", HUB_SECRET_KEY="k-hunter2")
    assert "hunter2" not in repr(settings)
    assert "access_token" in repr(settings)
    assert settings.secret_key == "k-hunter2"


def test_the_environment_wins_over_the_env_file(read, tmp_path):
    """`.env` holds where the environment is silent; comments, quotes and `export` are understood."""
    (tmp_path / ".env").write_text("# ours\nexport A='one two'\n\nB = \"2\"\nC=c=d\n", "utf-8")
    settings = read(SMALL + 'connections: {x: {a: "${A}", b: "${B}", c: "${C}"}}\n', B="from outside")
    assert dict(settings.connections[0].values) == {"a": "one two", "b": "from outside", "c": "c=d"}


def test_a_broken_env_file_is_named_without_its_text(read, tmp_path):
    """A line of .env that is none is a finding that does not show the line: it may be a secret."""
    (tmp_path / ".env").write_text("A=1\nhunter2\n", "utf-8")
    (found,) = findings(read, SMALL)
    assert found.startswith(".env:2:1: error:")
    assert "hunter2" not in found


def test_the_database_can_come_from_outside(read, tmp_path):
    """DATABASE_URL wins over hub.yaml; four slashes make an absolute folder."""
    assert read(SMALL + "database: sqlite:///books\n").data_folder == tmp_path / "books"
    assert read(SMALL + "database: sqlite:///books\n", DATABASE_URL="sqlite:////var/hub").data_folder == Path("/var/hub")


def test_the_database_can_be_postgresql(read, tmp_path):
    """Its password is struck out of every log line; the key file still has its folder."""
    url = "postgresql://hub:correct%20horse@db.example.com:5433/points"
    settings = read(SMALL, DATABASE_URL=url)
    assert settings.database == url
    assert settings.data_folder == tmp_path / "data"
    assert "horse" not in repr(settings)
    assert "horse" not in redact("no route for correct horse or correct%20horse")
    assert read(SMALL + "database: postgres://hub@db/points\n").database == "postgres://hub@db/points"


@pytest.mark.parametrize("url", ["mysql://root:hunter2@db/x", "sqlite://", "sqlite:///", "books", "postgresql://"])
def test_another_database_is_refused(read, url):
    """A database that the hub does not know is a finding, which shows no password."""
    (found,) = findings(read, SMALL, DATABASE_URL=url)
    assert "sqlite:///data" in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ("0.0.0.0", 81)),
        ({"PORT": "5000"}, ("0.0.0.0", 5000)),
        ({"HUB_PORT": "6000", "PORT": "5000", "HUB_HOST": "::1"}, ("::1", 6000)),
    ],
)
def test_where_the_web_process_listens(read, environ, expected):
    """HUB_PORT wins over PORT, and both over hub.yaml."""
    settings = read(SMALL + "web: {host: 0.0.0.0, port: 81}\n", **environ)
    assert (settings.host, settings.port) == expected


def test_a_hosting_platform_is_heard_on_every_interface(read):
    """PORT, which hosting platforms set, opens the hub to the outside unless hub.yaml says where it listens."""
    assert read(SMALL, PORT="5000").host == "0.0.0.0"
    assert read(SMALL + "web: {host: 127.0.0.1}\n", PORT="5000").host == "127.0.0.1"


@pytest.mark.parametrize("port", ["eighty", "-1", "65536", "8_0", "٣"])
def test_a_port_is_a_small_number(read, port):
    """Anything else than a port is named."""
    (found,) = findings(read, SMALL, HUB_PORT=port)
    assert repr(port) in found


@pytest.mark.parametrize("url", ["points.example.com", "ftp://x", "https://", "https://x/?a=1", "https://u:p@x"])
def test_a_public_url_is_an_address_that_platforms_can_call(read, url):
    """Signatures cover the configured address: a wrong one is found before a platform finds it."""
    (found,) = findings(read, SMALL + f'public_url: "{url}"\n')
    assert found.startswith("hub.yaml:3:13: error: `public_url` is ")


def test_a_public_url_has_no_slash_at_its_end(read):
    """Paths are added to it."""
    settings = read(SMALL + "public_url: https://points.example.com/hub/\n")
    assert (settings.public_url, settings.is_public) == ("https://points.example.com/hub", True)


def test_every_finding_is_told_at_once(read):
    """Unknown keys are named with a suggestion, wrong shapes with their place, in the order of the file."""
    text = """programe: {name: x}
conections: {}
public_url: [a]
connections:
  Square: {}
  twilio: {allow_private: "yes", key: "${not a name}"}
  two: text
"""
    found = findings(read, text)
    assert [one.split(":")[1] for one in found] == ["1", "1", "2", "3", "5", "6", "6", "7"]
    assert "did you mean `programme`?" in "\n".join(found)
    assert "did you mean `connections`?" in "\n".join(found)


def test_a_missing_file_says_what_to_do(tmp_path):
    """A folder without hub.yaml is answered with `hub init`."""
    with pytest.raises(ConfigError, match="hub init"):
        config.load(tmp_path / "nowhere", {})


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a: b: c", b"- 1", b"programme: {name: x}\nprogramme: {}"])
def test_a_file_that_cannot_be_read_is_a_finding(tmp_path, content):
    """Broken YAML, other encodings and other shapes end in findings, never in a traceback."""
    (tmp_path / "hub.yaml").write_bytes(content)
    with pytest.raises(ConfigError):
        config.load(tmp_path, {})


def test_a_workspace_keeps_its_own_time(read, tmp_path):
    """A workspace that the demo left behind goes on in its own time; a broken note of it is a finding."""
    assert read(SMALL).clock_offset == timedelta(0)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "clock-offset").write_text("-890000000\n", "ascii")
    assert read(SMALL).clock_offset == timedelta(seconds=-890_000_000)
    (tmp_path / "data" / "clock-offset").write_text("yesterday", "ascii")
    assert "clock-offset" in findings(read, SMALL)[0]
