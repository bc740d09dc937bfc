"""Init: makes a workspace from one of the programmes that ship with the hub. `hub init`."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import TZPATH, available_timezones

import click

from hub import bootstrap, document, library
from hub.cli.checking import look_at
from hub.cli.output import say
from hub.cli.workspace import workspace_option
from hub.config import ENV_FILE, WORKSPACE_FILE, load
from hub.engine.catalogue import BUILT_IN
from hub.errors import ConfigError, HubError
from hub.sdk import Connector, Setting

_PLAIN_YAML = re.compile(r"[A-Za-z][A-Za-z0-9 ._/'&-]*[A-Za-z0-9.]")
_CURRENCY = re.compile(r"[A-Z]{3}")
_IGNORED = "# Secrets and the database stay on this machine.\n.env\ndata/\n"
_HEAD = re.compile(r"^connections:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the admin has decided."""

    programme: str
    name: str
    currency: str
    timezone: str
    region: str
    public_url: str
    connections: tuple[str, ...]


@click.command()
@click.option("--programme", type=click.Choice(library.PROGRAMMES), help="Which of the ready programmes to start from.")
@click.option("--name", help="What members call the programme.")
@click.option("--currency", help="ISO code, such as USD.")
@click.option("--timezone", help="Where days begin, such as America/Chicago.")
@click.option("--region", help="The country in which phone numbers without a + are at home, such as US.")
@click.option("--public-url", help="Where platforms reach the hub; without one it asks them by polling.")
@click.option(
    "--connection",
    "connections",
    multiple=True,
    metavar="CONNECTOR",
    help="A platform to connect, or - for none; can be repeated.",
)
@workspace_option
def init(
    *,
    programme: str | None,
    name: str | None,
    currency: str | None,
    timezone: str | None,
    region: str | None,
    public_url: str | None,
    connections: tuple[str, ...],
    folder: Path,
) -> None:
    """Make a workspace: hub.yaml, recipes with examples, .env.example. Asks what the options do not say."""
    if (folder / WORKSPACE_FILE).exists():
        raise HubError(f"{folder.absolute()} is a workspace already. Name another folder with --workspace.")
    connectors = {known: one for known, one in bootstrap.discover().items() if known != BUILT_IN}
    asking = sys.stdin.isatty()

    def wish(given: str | None, question: str, usual: str, choices: Sequence[str] = ()) -> str:
        if given is not None or not asking:
            return usual if given is None else given
        answer: str = click.prompt(question, default=usual, type=click.Choice(choices) if choices else str, err=True)
        return answer.strip()

    chosen = wish(programme, "Programme", library.PROGRAMMES[0], library.PROGRAMMES)
    usual = _usual(chosen)
    there = " ".join(one for one in usual["connections"].split() if one in connectors)
    zone = wish(timezone, "Time zone", usual["timezone"])
    wishes = Wishes(
        programme=chosen,
        name=wish(name, "Name of the programme", usual["name"]),
        currency=wish(currency, "Currency", usual["currency"]).upper(),
        timezone=zone,
        region=wish(region, "Country of phone numbers without a +", country_of(zone) or usual["region"]).upper(),
        public_url=wish(public_url, "Public address (empty: by polling)", ""),
        connections=_split(" ".join(connections) or wish(None, f"Connections ({', '.join(connectors)}; - for none)", there)),
    )
    _refuse_unknown(wishes, connectors)
    left_out = write(folder, wishes, connectors)
    _tell(folder, wishes, left_out)


def write(folder: Path, wishes: Wishes, connectors: Mapping[str, Connector]) -> list[tuple[str, str]]:
    """Write the workspace; gives the recipes that were left out, each with the connections that it would need."""
    (folder / "recipes").mkdir(parents=True, exist_ok=True)
    kept, left_out = library.fitting(wishes.programme, wishes.connections)
    for recipe in kept:
        (folder / "recipes" / recipe.path.name).write_text(recipe.text, "utf-8")
    chosen = {name: connectors[name] for name in wishes.connections}
    (folder / WORKSPACE_FILE).write_text(_hub_yaml(library.settings_of(wishes.programme), wishes, chosen), "utf-8")
    (folder / f"{ENV_FILE}.example").write_text(_env_example(chosen, public=bool(wishes.public_url)), "utf-8")
    (folder / ".gitignore").write_text(_IGNORED, "utf-8")
    checked = look_at(load(folder, {}))
    if checked.problems:
        raise ConfigError(checked.problems)
    return [(recipe.path.name, ", ".join(lacking)) for recipe, lacking in left_out]


def country_of(zone: str) -> str:
    """The country of a time zone by the machine's zone.tab; empty when it does not say."""
    for folder in TZPATH:
        table = Path(folder) / "zone.tab"
        if table.is_file():
            rows = (line.split("\t") for line in table.read_text("utf-8").splitlines() if not line.startswith("#"))
            return next((row[0] for row in rows if len(row) > 2 and row[2] == zone), "")
    return ""


def _split(answer: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in re.split(r"[\s,]+", answer) if name not in ("", "-")))


def _usual(programme: str) -> dict[str, str]:
    """What the ready programme says itself; connections separated by spaces."""
    root = document.load(library.settings_of(programme), WORKSPACE_FILE).plain()
    said = {name: str(root["programme"][name]) for name in ("name", "currency", "timezone", "region")}
    return {**said, "connections": " ".join(root.get("connections") or {})}


def _refuse_unknown(wishes: Wishes, connectors: Mapping[str, Connector]) -> None:
    for name in wishes.connections:
        if name not in connectors:
            hint = document.did_you_mean(name, connectors)
            raise HubError(f"There is no connector {name!r}; there are {', '.join(connectors)}. {hint}".rstrip())
    if not _CURRENCY.fullmatch(wishes.currency):
        raise HubError(f"{wishes.currency!r} is not a currency's three letters, such as USD.")
    if wishes.timezone not in available_timezones():
        hint = document.did_you_mean(wishes.timezone, available_timezones())
        raise HubError(f"{wishes.timezone!r} is not the name of a time zone, such as America/Chicago. {hint}".rstrip())


def _hub_yaml(text: str, wishes: Wishes, chosen: Mapping[str, Connector]) -> str:
    """The programme's own hub.yaml with the admin's words in the places of its own, and the chosen connections."""
    head = _HEAD.search(text)
    text = (text[: head.start()] if head else text).rstrip() + "\n"
    root = document.load(text, WORKSPACE_FILE)
    programme = root.get("programme") if isinstance(root, document.Mapping) else None
    said = {"name": wishes.name, "currency": wishes.currency, "timezone": wishes.timezone, "region": wishes.region}
    places = [(programme.get(key), value) for key, value in said.items()] if isinstance(programme, document.Mapping) else []
    scalars = [(node, value) for node, value in places if isinstance(node, document.Scalar)]
    for node, value in sorted(scalars, key=lambda pair: -pair[0].start):
        width = len(node.text) + (2 if node.style else 0)
        text = text[: node.start] + _yaml(value) + text[node.start + width :]
    url = f"public_url: {_yaml(wishes.public_url)}" if wishes.public_url else "# public_url: https://points.example.com"
    text += f"{url}   # where platforms reach the hub; without it they are asked by polling\n"
    text += '# owner: {phone: "+14155550100"}   # who is told of what is held, parked, failing or silent\n'
    return text + _connections_yaml(chosen, public=bool(wishes.public_url))


def _connections_yaml(chosen: Mapping[str, Connector], *, public: bool) -> str:
    if not chosen:
        return "connections: {}\n"
    lines = ["connections:"]
    for name, connector in chosen.items():
        lines.append(f"  {name}:   # `hub connections setup {name}` says where to find these")
        for one in connector.settings:
            if _is_needed(one, connector, public=public):
                lines.append(f'    {one.name}: "${{{_variable(name, one)}}}"')
            else:
                lines.append(f"    # {one.name}: …   # {_first_sentence(one.doc)}".rstrip(" #"))
    return "\n".join(lines) + "\n"


def _is_needed(one: Setting, connector: Connector, *, public: bool) -> bool:
    """What must be set: what shows who we are too, and with a public address what proves that a webhook is genuine."""
    shows = connector.auth is not None and one.name in connector.auth.needs
    proves = connector.signature is not None and one.name in connector.signature.examples()
    return one.required or shows or (public and proves)


def _env_example(chosen: Mapping[str, Connector], *, public: bool) -> str:
    lines = [f"# Copy this file to {ENV_FILE} and fill it in. Nobody else needs to see it."]
    for name, connector in chosen.items():
        lines += ["", f"# {connector.title}"]
        for one in connector.settings:
            if _is_needed(one, connector, public=public):
                lines += [f"# {_first_sentence(one.doc)}"] if one.doc else []
                lines.append(f"{_variable(name, one)}=")
    return "\n".join(lines) + "\n"


def _variable(connection: str, one: Setting) -> str:
    return f"{connection}_{one.name}".upper().replace("-", "_")


def _first_sentence(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _yaml(text: str) -> str:
    """A text as a YAML scalar that is nothing else than this text."""
    read = document.parse(text, "")
    if _PLAIN_YAML.fullmatch(text) and not read.problems and read.root is not None and read.root.plain() == text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _tell(folder: Path, wishes: Wishes, left_out: Sequence[tuple[str, str]]) -> None:
    place = f" --workspace {folder}" if folder != Path() else ""
    say(f"A workspace for {wishes.name} is in {folder.absolute()}.", "green")
    if left_out:
        lacking = ", ".join(dict.fromkeys(connection for _, connection in left_out))
        say(f"{len(left_out)} recipes were left out, for they need {lacking}: {', '.join(name for name, _ in left_out)}")
    say("Next:")
    if wishes.connections:
        say(f"  cp {folder / '.env.example'} {folder / '.env'}   and fill it in (`hub connections setup NAME{place}` says how)")
    say(f"  hub check{place}")
    say(f"  hub run{place}")
