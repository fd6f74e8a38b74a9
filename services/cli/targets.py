"""`uptake targets`: where each target stands, from the public views."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final

import typer

from services.cli.reading import Snapshot, exact_values, open_snapshot
from services.cli.render import (
    Column,
    figure,
    print_table,
    ratio,
    to_csv,
    to_json,
)
from services.cli.target_silences import (
    SilenceRow,
    describe_silences,
    read_silences,
)
from shared.errors import FatalError
from shared.postgres.queries import load_queries
from shared.settings import PostgresSettings, load_settings

PERCENT_BP: Final = 100

_SQL: Final = load_queries("services.cli", "sql/targets.sql")


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One row of `reporting.target_status`, with the locality's name."""

    target: str
    indicator: str
    locality: str
    valid_from: date
    locality_name: str | None
    status: str
    reason: str | None
    actual: Decimal | int | None
    expected: Decimal | int | None
    start_value: Decimal | int
    goal: Decimal | int
    start_date: date
    due: date
    position_bp: int | None
    pace_7_bp: int | None
    pace_28_bp: int | None
    required_per_day: Decimal | int | None
    achieved_7_per_day: Decimal | int | None
    achieved_28_per_day: Decimal | int | None
    illustrative: bool
    status_since: datetime
    evaluated_at: datetime
    measure: str
    trajectory: str
    period: str | None
    goal_share_bp: int | None
    population_group: str | None
    population: Decimal | int | None
    population_as_of: date | None
    population_source: str | None
    population_illustrative: bool | None
    succeeds: str | None
    succeeded_by: str | None
    forecast_day: date | None
    p10: date | None
    p50: date | None
    p90: date | None
    miss_bp: int | None
    no_forecast: str | None


def targets(
    *,
    target: Annotated[
        str | None, typer.Argument(help="Only this one.", show_default=False)
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="Only those of a status, like lagging.")
    ] = None,
    locality: Annotated[str | None, typer.Option(help="Only this code.")] = None,
    with_past: Annotated[
        bool, typer.Option("--all", help="Also those that a successor took over from.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Show where each target stands; reads UPTAKE_POSTGRES_DSN."""
    settings = load_settings(PostgresSettings)
    rows, silences = asyncio.run(_read(settings, target, status, locality))
    if target is not None and not rows and status is None and locality is None:
        raise FatalError(f"no target {target}; `uptake targets` lists them")
    if as_json:
        print(to_json({"targets": rows}), end="")
    elif as_csv:
        print(to_csv(rows, TargetRow), end="")
    else:
        is_whole = with_past or any((target, status, locality))
        _print(rows if is_whole else without_past(rows), of=len(rows))
        if target is not None:
            for row in rows:
                lines = [*describe_goal(row), *describe_forecast(row)]
                print("\n".join([*lines, *describe_silences(silences)]))


async def _read(
    settings: PostgresSettings,
    target: str | None,
    status: str | None,
    locality: str | None,
) -> tuple[tuple[TargetRow, ...], tuple[SilenceRow, ...]]:
    async with open_snapshot(settings) as snapshot:
        rows = await read_targets(snapshot, target, status, locality)
        silences = await read_silences(snapshot, target) if target else ()
    return rows, silences


async def read_targets(
    snapshot: Snapshot,
    target: str | None = None,
    status: str | None = None,
    locality: str | None = None,
) -> tuple[TargetRow, ...]:
    """Read targets, by id; None does not narrow."""
    rows = await snapshot.fetch(_SQL["read_targets"], target, status, locality)
    return tuple(TargetRow(**exact_values(row)) for row in rows)


def without_past(rows: Sequence[TargetRow]) -> tuple[TargetRow, ...]:
    """Leave out targets that are over and whose successor has started."""
    started = {row.target for row in rows if row.status != "not_started"}
    return tuple(
        row
        for row in rows
        if row.status not in {"met", "missed"} or row.succeeded_by not in started
    )


def describe_goal(row: TargetRow) -> list[str]:
    """Say what a target asks for: its goal, what that is measured by, its path."""
    goal = figure(row.goal)
    if row.population_group is not None:
        people = f"{figure(row.population)} {row.population_group}"
        of = f"{people} ({row.population_as_of}: {row.population_source})"
        if row.goal_share_bp is None:
            goal = f"{goal} of {of}"
        else:
            goal = f"{_percent(row.goal_share_bp)} % of {of} = {goal}"
    start = f"{figure(row.start_value)} on {row.start_date}"
    lines = [f"  goal       {goal} by {row.due}"]
    path = f"{row.trajectory} from {start}"
    if row.measure == "flow":
        path += f", plus what came since{f' ({row.period})' if row.period else ''}"
    lines.append(f"  path       {path}")
    if row.succeeds is not None:
        lines.append(f"  succeeds   {row.succeeds}")
    if row.succeeded_by is not None:
        lines.append(f"  successor  {row.succeeded_by}")
    return lines


def describe_forecast(row: TargetRow) -> list[str]:
    """Tell what is forecast of one target, or why nothing is, in lines."""
    if row.forecast_day is None:
        return ["  forecast   none was made yet"]
    made = f"from the days up to {row.forecast_day}"
    if row.no_forecast is not None:
        return [f"  forecast   none ({row.no_forecast}), {made}"]
    p10, p50, p90 = (day or "beyond ten years" for day in (row.p10, row.p50, row.p90))
    return [
        f"  forecast   P10 {p10}, P50 {p50}, P90 {p90}",
        f"             chance of missing {ratio(row.miss_bp)}, {made}",
    ]


def _percent(share_bp: int) -> str:
    whole, rest = divmod(share_bp, PERCENT_BP)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


def _print(rows: Sequence[TargetRow], *, of: int) -> None:
    if not rows:
        print("no target has been evaluated")
        return
    columns = (
        Column("target", is_code=True),
        Column("status", is_code=True),
        Column("actual", is_figure=True),
        Column("due by now", is_figure=True),
        Column("position", is_figure=True),
        Column("pace 7 d", is_figure=True),
        Column("risk", is_figure=True),
    )
    lines = [
        (
            f"{row.target}{' *' if row.illustrative else ''}",
            row.status,
            figure(row.actual),
            figure(row.expected),
            ratio(row.position_bp),
            ratio(row.pace_7_bp),
            ratio(row.miss_bp),
        )
        for row in rows
    ]
    print_table(columns, lines)
    for row in rows:
        if row.reason:
            print(f"{row.target}: {row.status} because of {row.reason}")
    if len(rows) < of:
        print(f"{of - len(rows)} over and succeeded by another: --all shows them too")
    if any(row.illustrative for row in rows):
        print("* illustrative: not a target that anybody has set")
