"""Config: hub.yaml, .env and the environment become Settings; nothing else reads the environment.

The sections of hub.yaml belong to their owners: the programme to `hub.programme`, a connection's settings to its connector.
Here stands what is everybody's: which sections there are, `${NAME}`, the database, the addresses.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from hub import document
from hub.document import Node
from hub.errors import ConfigError, Problem
from hub.log import redact

WORKSPACE_FILE = "hub.yaml"
ENV_FILE = ".env"
CLOCK_OFFSET_FILE = "clock-offset"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
DEFAULT_DATABASE = "sqlite:///data"

_SECTIONS = ("programme", "database", "public_url", "web", "retention", "owner", "connections")
_WEB = ("host", "port")
_PORT_MOST = 65_535
_OF_THE_HUB = ("connector", "base_url", "allow_private", "mirror", "shared")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ENV_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")


class Values(Mapping[str, Any]):
    """The settings of a connection as hub.yaml gives them, `${NAME}` filled in. Its repr shows names alone."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Values({', '.join(self._values)})"


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """One connection of hub.yaml.

    lacking: the settings that are left out of `values`, each with the variables of the environment that it names and that are
    not set; with any, the connection cannot be used. node: its place in hub.yaml, for its owner's findings. mirror: what it
    says of the platform's fields that follow a member's points. shared: whether others buy with the account too.
    """

    name: str
    connector: str
    values: Values
    base_url: str | None
    allow_private: bool
    lacking: Mapping[str, tuple[str, ...]]
    node: Node = field(repr=False)
    mirror: Node | None = field(default=None, repr=False)
    shared: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """What has to be set before it can be used: names of variables, or of settings that nothing says."""
        return tuple(dict.fromkeys(word for words in self.lacking.values() for word in words))


@dataclass(frozen=True, slots=True)
class Settings:
    """What an admin has decided about one workspace.

    data_folder: where the embedded database, its lock and its key file live; with PostgreSQL, the key file alone. public_url:
    without a slash at its end; where the platforms reach the hub, or the local address when hub.yaml names none (then
    `is_public` is False: polling alone).
    owner_node: who is told when something is the matter; None when nobody is.
    metrics_token: opens /metrics from other machines. clock_offset: by how much the workspace's time differs from the
    machine's, where the demo left it in a time of its own.
    """

    folder: Path
    path: Path
    programme_node: Node = field(repr=False)
    database: str = field(repr=False)
    data_folder: Path
    recipes_folder: Path
    public_url: str
    is_public: bool
    host: str
    port: int
    owner_node: Node | None = field(repr=False)
    connections: tuple[ConnectionConfig, ...]
    secret_key: str | None = field(repr=False)
    metrics_token: str | None = field(repr=False)
    clock_offset: timedelta = timedelta(0)
    retention_node: Node | None = field(default=None, repr=False)

    def connection(self, name: str) -> ConnectionConfig | None:
        """The connection of that name, or None."""
        return next((connection for connection in self.connections if connection.name == name), None)

    def said_of(self, name: str) -> Mapping[str, Any]:
        """What these settings say of a connection; nothing when they do not name it."""
        connection = self.connection(name)
        return connection.values if connection is not None else {}


def is_connection_name(text: str) -> bool:
    """Whether a connection may be called so."""
    return _NAME.fullmatch(text) is not None


def load(folder: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the workspace in `folder`.

    environ: the environment, the process's own when None; what `.env` in the folder says holds where it is silent.
    ConfigError names every problem that was found, with its place.
    """
    folder = folder.absolute()
    path = folder / WORKSPACE_FILE
    if not path.exists():
        hint = "`hub init` makes a workspace; --workspace names the folder of one that there is"
        raise ConfigError([Problem(str(path), 0, 0, "there is no such file", hint)])
    variables = {**_env_file(folder / ENV_FILE), **(os.environ if environ is None else environ)}
    root = document.load(document.read(path, WORKSPACE_FILE), WORKSPACE_FILE)
    return _Reader(folder, variables).settings(root)


class _Reader:
    """Reads one hub.yaml and gathers everything that is wrong with it."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._folder = folder
        self._variables = variables
        self._problems: list[Problem] = []

    def settings(self, root: Node) -> Settings:
        """The whole file; ConfigError when anything in it is wrong."""
        top = document.Section(self._filled_but_connections(root), WORKSPACE_FILE, _SECTIONS, self._problems)
        programme = top.get("programme")
        if programme is None:
            top.say("programme", "hub.yaml has no section `programme`", "it says the name, the time zone and the currency")
        host, port = self._web(top.section("web", _WEB))
        database = self._database(top)
        public_url = self._public_url(top)
        owner = top.section("owner", None)
        connections = self._connections(top.section("connections", None))
        if self._problems or programme is None:
            raise ConfigError(sorted(self._problems, key=lambda problem: (problem.line, problem.column)))
        return Settings(
            folder=self._folder,
            path=self._folder / WORKSPACE_FILE,
            programme_node=programme,
            database=database,
            data_folder=self._folder / (database.removeprefix("sqlite:///") if database.startswith("sqlite:") else "data"),
            recipes_folder=self._folder / "recipes",
            public_url=public_url or f"http://localhost:{port}",
            is_public=bool(public_url),
            host=host,
            port=port,
            owner_node=owner.node if owner is not None else None,
            connections=connections,
            secret_key=self._secret("HUB_SECRET_KEY"),
            metrics_token=self._secret("HUB_METRICS_TOKEN"),
            clock_offset=_clock_offset(self._folder / database.removeprefix("sqlite:///")),
            retention_node=top.get("retention"),
        )

    def _web(self, section: document.Section | None) -> tuple[str, int]:
        """Where the web process listens. PORT is what hosting platforms set; then it listens on every interface."""
        host = section.text("host") if section else ""
        port = section.integer("port", DEFAULT_PORT, least=0, most=_PORT_MOST) if section else DEFAULT_PORT
        everywhere = "0.0.0.0" if "PORT" in self._variables else DEFAULT_HOST  # noqa: S104  the platform asks for it
        for name in ("PORT", "HUB_PORT"):
            given = self._variables.get(name)
            if given and given.isascii() and given.isdigit() and int(given) <= _PORT_MOST:
                port = int(given)
            elif given:
                self._problems.append(Problem(name, 0, 0, f"{given!r} is not a port", f"a whole number up to {_PORT_MOST}"))
        return self._variables.get("HUB_HOST") or host or everywhere, port

    def _database(self, top: document.Section) -> str:
        """`sqlite:///folder` or `postgresql://…`; DATABASE_URL wins over hub.yaml."""
        url = self._variables.get("DATABASE_URL") or top.text("database") or DEFAULT_DATABASE
        scheme, _, rest = url.partition("://")
        hint = "write `sqlite:///data`, the folder of inbox.db and hub.db, or `postgresql://…` (look at DATABASE_URL too)"
        if scheme in ("postgresql", "postgres") and rest:
            self._hide_password(url)
        elif scheme != "sqlite" or not rest.startswith("/") or len(rest) < 2:
            shown = f"{scheme}://…" if "://" in url else repr(url)
            top.say("database", f"`database` is {shown}, which is no database that the hub knows", hint)
        return url

    def _hide_password(self, url: str) -> None:
        password = urlsplit(url).password
        for secret in {password, unquote(password)} if password else ():
            redact.add(secret)

    def _public_url(self, top: document.Section) -> str:
        url = top.text("public_url")
        parts = urlsplit(url)
        strange = parts.scheme not in ("http", "https") or not parts.hostname
        if url and (strange or parts.query or parts.fragment or parts.username):
            hint = "write the address at which platforms reach the hub, such as https://points.example.com"
            top.say("public_url", f"`public_url` is {url!r}", hint)
        return url.rstrip("/")

    def _connections(self, section: document.Section | None) -> tuple[ConnectionConfig, ...]:
        found = []
        for key in section.keys() if section else []:
            if not is_connection_name(key.text):
                hint = "a name has small letters, digits, - and _, and begins with a letter"
                self._problems.append(key.problem(f"`{key.text}` cannot be the name of a connection", hint))
            node = section.get(key.text) if section else None
            if node is not None:
                found.append(self._connection(key.text, node))
        return tuple(found)

    def _connection(self, name: str, node: Node) -> ConnectionConfig:
        if isinstance(node, document.Scalar) and node.value is None:
            node = document.Mapping(node.source, (node.line, node.column, node.start))
        lacking: dict[str, tuple[str, ...]] = {}
        filled = document.Mapping(node.source, (node.line, node.column, node.start))
        for key, child in node.items() if isinstance(node, document.Mapping) else ():
            missing: list[str] = []
            value = self._fill(child, missing)
            if missing:
                lacking[key.text] = tuple(missing)
            else:
                filled.keys[key.text], filled.values[key.text] = key, value
        given = document.Section(filled if isinstance(node, document.Mapping) else node, name, None, self._problems)
        return ConnectionConfig(
            name=name,
            connector=given.text("connector", name),
            values=Values(
                {key: value for key, value in filled.plain().items() if key not in _OF_THE_HUB and value is not None}
            ),
            base_url=given.text("base_url") or None,
            allow_private=given.boolean("allow_private"),
            lacking=lacking,
            node=node,
            mirror=filled.get("mirror"),
            shared=given.boolean("shared"),
        )

    def _secret(self, name: str) -> str | None:
        value = self._variables.get(name) or None
        if value:
            redact.add(value)
        return value

    def _filled_but_connections(self, root: Node) -> Node:
        """The file with its variables filled in, but for those of connections, where one may be missing."""
        if not isinstance(root, document.Mapping):
            return root
        filled = document.Mapping(root.source, (root.line, root.column, root.start))
        filled.keys = dict(root.keys)
        for name, node in root.values.items():
            missing: list[str] = []
            filled.values[name] = node if name == "connections" else self._fill(node, missing)
            if missing:
                names = " and ".join(f"`{variable}`" for variable in dict.fromkeys(missing))
                message = f"`{name}` needs {names}, which the environment does not have"
                self._problems.append(node.problem(message, f"set it there, or in {ENV_FILE}"))
        return filled

    def _fill(self, node: Node, missing: list[str]) -> Node:
        """The node with every `${NAME}` in it replaced; the names that are not set are added to `missing`."""
        place = (node.source, (node.line, node.column, node.start))
        if isinstance(node, document.Mapping):
            mapping = document.Mapping(*place)
            mapping.keys = dict(node.keys)
            mapping.values = {key: self._fill(child, missing) for key, child in node.values.items()}
            return mapping
        if isinstance(node, document.Sequence):
            sequence = document.Sequence(*place)
            sequence.items = [self._fill(child, missing) for child in node.items]
            return sequence
        if isinstance(node, document.Scalar) and "${" in node.text:
            text = _VARIABLE.sub(lambda found: self._variable(node, found[1], missing), node.text)
            return document.Scalar(*place, text, text, node.style)
        return node

    def _variable(self, node: Node, name: str, missing: list[str]) -> str:
        value = self._variables.get(name, "")
        if not _VARIABLE_NAME.fullmatch(name):
            self._problems.append(
                node.problem(f"`${{{name}}}` does not name a variable", "write `${NAME}`: letters, digits and _")
            )
        elif not value:  # an empty one counts as not set: an empty secret would accept everybody's signature
            missing.append(name)
        return value


def _clock_offset(data_folder: Path) -> timedelta:
    """What the demo wrote down when it left; nothing, and so no offset, in every other workspace."""
    path = data_folder / CLOCK_OFFSET_FILE
    try:
        return timedelta(seconds=int(document.read(path))) if path.exists() else timedelta(0)
    except (ValueError, OverflowError):
        hint = "take the file away, and the workspace has the time of the machine"
        raise ConfigError([Problem(str(path), 0, 0, "it does not hold a number of seconds", hint)]) from None


def _env_file(path: Path) -> dict[str, str]:
    """The variables of a .env file: `NAME=value` a line, quotes around the value if need be, # begins a comment line."""
    if not path.exists():
        return {}
    found, problems = {}, []
    for number, line in enumerate(document.read(path, ENV_FILE).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _ENV_LINE.fullmatch(line)
        if match is None:
            problems.append(Problem(ENV_FILE, number, 1, "this line is not `NAME=value`", "a comment begins with #"))
            continue
        value = match[2]
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        found[match[1]] = value[1:-1] if quoted else value
    if problems:
        raise ConfigError(problems)
    return found
