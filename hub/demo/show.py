"""Show: what people see of the demo: the bar, the table, one member's story, and what to try next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from hub.demo.figures import Figures, queries
from hub.demo.play import Progress as Played
from hub.demo.play import Stage, Watch
from hub.insight.lineage import find
from hub.insight.stories import MemberStory
from hub.insight.telling import KINDS, equation, sentences
from hub.ledger import StatementLine, Verification, statement


@contextmanager
def progress_bar(console: Console) -> Iterator[Watch]:
    """A bar with the figures beside it while the block lasts; silent where nobody watches."""
    if not console.is_terminal:
        yield lambda played: None
        return
    bar = Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        console=console,
    )
    task = bar.add_task("1997-01-01", total=None)
    with Live(bar, console=console, transient=True, refresh_per_second=8) as live:

        def watch(played: Played) -> None:
            bar.update(task, description=played.day.isoformat(), completed=played.days_done, total=played.days)
            live.update(Group(bar, Text(_line(played), style="dim")))

        yield watch


def _line(played: Played) -> str:
    now = played.figures
    points = now.points
    tiers = ", ".join(f"{name} {number:,}" for name, number in now.tiers.items())
    gone = f"redeemed {points.redeemed:,}, expired {points.expired:,}"
    return f"{played.events_per_second:,} events/s · points issued {points.issued:,}, {gone} · {tiers}"


def summary(console: Console, played: Played, verification: Verification, stage: Stage) -> None:
    """The totals: what is real, what is derived, what became of the points, and whether the books balance."""
    now, points = played.figures, played.figures.points
    speed = f"{played.events_per_second:,} a second, {played.seconds:.1f} seconds in all"
    table = Table(title="Eighteen months of Diesel Rewards", box=SIMPLE_HEAD, show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    rows = [
        ("Purchases", now.purchases, "real: the CDNOW sample, each a signed Square webhook"),
        ("Members", now.members, "made by their first purchase or record"),
        *((f"  {name}", number, "") for name, number in now.tiers.items()),
        ("Refunds", now.refunds, "derived, as all that follows: docs/demo.md has the rules"),
        ("Texts from members", now.texts, "JOIN, BALANCE, REDEEM, CLAIM, HELP, STOP, START"),
        ("Texts to members", len(stage.stand_in.messages()), "accepted by the stand-in that plays Twilio"),
        ("Points issued", points.issued, ""),
        *((f"  {recipe}", number, "") for recipe, number in sorted(points.by_recipe.items())),
        ("  redeemed", points.redeemed, ""),
        ("  expired", points.expired, "6 months after earning"),
        ("  clawed back", points.clawed_back, "taken back by refunds"),
        ("  outstanding", points.outstanding, ""),
        ("Webhooks posted", played.posted, "every 50th twice, some late or out of order"),
        ("Events worked", now.events, speed),
    ]
    for name, number, note in rows:
        table.add_row(name, f"{number:,}", note)
    console.print(table)
    console.print(_proof(now, verification))


def _proof(now: Figures, verification: Verification) -> Text:
    points = now.points
    balanced = points.issued == points.redeemed + points.expired + points.clawed_back + points.outstanding
    if not verification.ok or not balanced:
        found = "\n".join(verification.findings) or "issued is not redeemed + expired + clawed back + outstanding"
        return Text(f"hub ledger verify: the books are wrong.\n{found}", style="bold red")
    read = f"{verification.txns:,} transactions, {verification.entries:,} entries, {verification.members:,} members"
    return Text(f"hub ledger verify: {read}; issued = redeemed + expired + clawed back + outstanding.", style="green")


def story(console: Console, stage: Stage, zone: tzinfo) -> None:
    """One member's postings, why the balance is what it is, and the whole way of one award in it."""
    with stage.reading() as session:
        found = session.row(queries.full_story)
        if found is None:
            return
        (member,) = find(session, found["member_id"])
        assert isinstance(member, MemberStory)
        lines = statement(session, member.member_id)
    spendable = member.balance.spendable
    title = f"\n{member.name or 'A member'}, {member.tier}: why {spendable}?"
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left")
    for column, justify in (("Day", "left"), ("What", "left"), ("Why", "left"), ("Points", "right"), ("Balance", "right")):
        table.add_column(column, justify="right" if justify == "right" else "left")
    for line in lines:
        day = line.effective_at.astimezone(zone).date().isoformat()
        table.add_row(day, KINDS.get(line.kind, line.kind), _why(line), f"{line.points:+,}", f"{line.balance.spendable:,}")
    console.print(table)
    console.print(Text(equation(member)))
    for award in member.holding[-1:]:
        console.print(Text("\n" + "\n".join(sentences(award, zone)), style="dim"))


def _why(line: StatementLine) -> str:
    if line.source.recipe:
        return f"{line.source.reason} ({line.source.recipe} {line.source.version})"
    drawn = ", ".join(dict.fromkeys(draw.source.reason for draw in line.drawn if draw.source.reason))
    return line.source.reason or drawn


def what_next(console: Console, kept: Path | None) -> None:
    """Where to look and what to try."""
    place = f" -w {kept}" if kept else ""
    console.print()
    if kept:
        console.print(Text(f"The workspace is in {kept}. Try:"))
        for command in ("members", "events", "why o000131", "ledger verify", "check"):
            console.print(Text(f"  hub {command}{place}"))
    else:
        console.print(Text("To keep the workspace and look into it: hub demo --keep shop"))
    console.print(Text("A programme of your own: hub init -w my-shop, then hub check -w my-shop and hub run -w my-shop."))


def where(console: Console, stage: Stage) -> None:
    """The addresses that can be opened while the demo goes on serving."""
    console.print(Text(f"\nServing on {stage.url} (try /healthz); what the vendors got: {stage.stand_in.url}. Ctrl-C ends it."))
