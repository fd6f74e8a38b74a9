"""`uptake totals`: levels of localities, from the public views."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final

import typer

from services.cli.known_at import KnownRange, check_known, parse_instant
from services.cli.reading import exact_values, open_snapshot
from services.cli.render import (
    LOCAL_TIME,
    Column,
    figure,
    instant,
    print_table,
    to_csv,
    to_json,
)
from shared.catalogue.model import UNALLOCATED_SUFFIX, LocalityKind
from shared.clock import SystemClock
from shared.errors import FatalError
from shared.postgres.queries import load_queries
from shared.settings import PostgresSettings, load_settings

_SQL: Final = load_queries("services.cli", "sql/totals.sql")


@dataclass(frozen=True, slots=True)
class TotalsQuestion:
    """What is asked.

    Attributes:
        locality: A code; the nation when None.
        indicator: One of them; all when None.
        day: Up to this day; all that has been counted when None.
        borders_on: The day on which a code means its unit.
        with_children: Also what lies directly under the unit.
        known_at: Only what was logged up to this instant.
    """

    locality: str | None
    indicator: str | None
    day: date | None
    borders_on: date
    with_children: bool
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A locality that was asked for."""

    code: str
    valid_from: date
    name: str
    kind: str

    @property
    def title(self) -> str:
        """Its name for people."""
        tail = ", unallocated" if self.kind == LocalityKind.UNALLOCATED else ""
        return f"{self.name}{tail}"


@dataclass(frozen=True, slots=True)
class TotalRow:
    """The level of a unit; exact figures, the amount in VND."""

    indicator: str
    locality: str
    valid_from: date
    name: str
    kind: str
    count: int | Decimal
    amount: int | Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """The answer.

    Attributes:
        units: The unit asked for, then its children by code.
        rows: By indicator, then in the order of `units`; exact figures.
        newest: Log time of the newest record that has been counted.
        complete_up_to: Up to which log time everything is counted; None while a
            partition has not said so.
    """

    units: tuple[Unit, ...]
    rows: tuple[TotalRow, ...]
    newest: datetime | None
    complete_up_to: datetime | None


def totals(
    *,
    locality: Annotated[
        str | None, typer.Option(help="Code, like 38; the nation without it.")
    ] = None,
    indicator: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="As of the end of this day."),
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="As known then, like 2026-11-21T09:00:00+07:00; local time without "
            "offset.",
        ),
    ] = None,
    children: Annotated[
        bool, typer.Option("--children", help="And what lies directly under it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Show totals; reads UPTAKE_POSTGRES_DSN.

    Figures known at an instant stay what they are once everything up to it is counted
    (complete_up_to). It can be asked for as far back as the ledger is kept.
    """
    until = None if day is None else day.date()
    today = SystemClock().now().astimezone(LOCAL_TIME).date()
    then = None if known_at is None else parse_instant(known_at)
    borders_on = until or today
    question = TotalsQuestion(locality, indicator, until, borders_on, children, then)
    settings = load_settings(PostgresSettings)
    answer = asyncio.run(read_totals(settings, question))
    if as_json:
        head = {
            "day": until,
            "known_at": then,
            "complete_up_to": answer.complete_up_to,
            "newest_record_at": answer.newest,
        }
        print(to_json({**head, "totals": answer.rows}), end="")
    elif as_csv:
        print(to_csv(answer.rows, TotalRow), end="")
    else:
        _print(answer, question)


async def read_totals(settings: PostgresSettings, question: TotalsQuestion) -> Totals:
    """Ask for totals; all of them are of one snapshot.

    Raises:
        FatalError: No unit bears the code on that day, the instant cannot be asked,
            or the views are missing.
        TransientError: Postgres is away.
    """
    async with open_snapshot(settings) as snapshot:
        on = question.borders_on
        found = await snapshot.fetchrow(_SQL["find_unit"], question.locality, on)
        if found is None:
            what = f"locality {question.locality}" if question.locality else "nation"
            raise FatalError(f"no {what} on {on}; is the tree of localities loaded?")
        units = [Unit(**found)]
        if question.with_children:
            top = units[0]
            below = await snapshot.fetch(
                _SQL["find_children"], top.code, top.valid_from, on, top.kind
            )
            units += [Unit(**row) for row in below]
        then = question.known_at
        if then is not None:
            known = await snapshot.fetchrow(_SQL["read_known_range"], then)
            assert known is not None, "a query without FROM has one row"
            check_known(then, KnownRange(**known))
        rows = await snapshot.fetch(
            _SQL["read_totals" if then is None else "read_totals_known_at"],
            question.day,
            [unit.code for unit in units],
            [unit.valid_from for unit in units],
            question.indicator,
            *(() if then is None else (then,)),
        )
        state = await snapshot.fetchrow(_SQL["read_newest"])
    assert state is not None, "a query without FROM has one row"
    place = {(unit.code, unit.valid_from): at for at, unit in enumerate(units)}
    made = [TotalRow(**exact_values(row)) for row in rows]
    made.sort(key=lambda row: (row.indicator, place[row.locality, row.valid_from]))
    return Totals(tuple(units), tuple(made), **state)


def _print(answer: Totals, question: TotalsQuestion) -> None:
    top = answer.units[0]
    when = f"up to {question.day}" if question.day else "all that has been counted"
    print(f"{top.title} ({top.code}), {when}; newest record {instant(answer.newest)}")
    complete = answer.complete_up_to
    said = "not known yet" if complete is None else instant(complete)
    print(f"complete up to {said}")
    if question.known_at is not None:
        is_final = complete is not None and question.known_at <= complete
        tail = "" if is_final else "; may still change"
        print(f"as known at {instant(question.known_at)}{tail}")
    if not answer.rows:
        print("nothing is counted here")
        return
    print_table(*_table(answer, with_locality=len(answer.units) > 1))


def _table(
    answer: Totals, *, with_locality: bool
) -> tuple[Sequence[Column], Sequence[Sequence[str]]]:
    has_amounts = any(row.amount for row in answer.rows)
    columns = [Column("indicator", is_code=True)]
    if with_locality:
        columns += [Column("code", is_code=True), Column("locality")]
    columns.append(Column("count", is_figure=True))
    if has_amounts:
        columns.append(Column("amount, VND", is_figure=True))
    titles = {(unit.code, unit.valid_from): unit.title for unit in answer.units}
    lines = []
    shown = ""
    for row in answer.rows:
        line = ["" if row.indicator == shown else row.indicator]
        shown = row.indicator
        if with_locality:
            title = titles[row.locality, row.valid_from]
            line += [row.locality.removesuffix(UNALLOCATED_SUFFIX), title]
        line.append(figure(row.count))
        if has_amounts:
            line.append(figure(row.amount) if row.amount else "")
        lines.append(line)
    return columns, lines
