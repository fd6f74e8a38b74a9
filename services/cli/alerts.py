"""`uptake alerts`: what is firing, and one alert in full, from the public views."""

import asyncio
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

import typer

from services.cli.alert_deliveries import print_deliveries, print_told
from services.cli.reading import exact_values, open_snapshot
from services.cli.render import (
    WIDTH,
    Column,
    figure,
    instant,
    plain,
    print_table,
    ratio,
    to_csv,
    to_json,
)
from services.cli.targets import TargetRow, read_targets
from shared.errors import FatalError
from shared.postgres.queries import load_queries
from shared.settings import PostgresSettings, load_settings

_SQL: Final = load_queries("services.cli", "sql/targets.sql")


class AlertsVerb(StrEnum):
    """What to do with alerts."""

    LIST = "list"
    SHOW = "show"
    DELIVERIES = "deliveries"


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One row of `reporting.alert`, with where its target stands and what is next."""

    fingerprint: str
    kind: str
    target: str | None
    indicator: str | None
    locality: str | None
    state: str
    episode: int
    state_since: datetime
    pending_since: datetime | None
    firing_since: datetime | None
    resolved_at: datetime | None
    summary_en: str
    summary_vi: str
    evaluated_at: datetime
    agency: str | None
    status: str | None
    reason: str | None
    trajectory: str | None
    actual: Decimal | int | None
    expected: Decimal | int | None
    position_bp: int | None
    pace_7_bp: int | None
    pace_28_bp: int | None
    looked_at: datetime | None
    next_look_at: datetime | None
    enter_bp: int | None
    leave_bp: int | None
    waited_seconds: int | None
    wait_seconds: int | None


def alerts(
    *,
    verb: Annotated[
        AlertsVerb,
        typer.Argument(help="List alerts, show one in full, or what was told."),
    ] = AlertsVerb.LIST,
    target: Annotated[
        str | None,
        typer.Argument(
            help="Target, agency or fingerprint to show.", show_default=False
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also resolved and quiet ones.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Show alerts; reads UPTAKE_POSTGRES_DSN."""
    is_show = verb is AlertsVerb.SHOW
    if is_show and target is None:
        raise FatalError("say which: uptake alerts show TARGET")
    settings = load_settings(PostgresSettings)
    if verb is AlertsVerb.DELIVERIES:
        print_deliveries(
            settings, target, everything=everything, as_json=as_json, as_csv=as_csv
        )
        return
    found, status = asyncio.run(_read(settings, target, everything or is_show))
    if is_show and not found:
        raise FatalError(f"no alert of {target}; `uptake alerts --all` lists them")
    if as_json:
        print(to_json({"alerts": found}), end="")
    elif as_csv:
        print(to_csv(found, AlertRow), end="")
    elif is_show:
        print("\n".join(line for row in found for line in describe(row, status)))
        print_told(settings, str(target))
    else:
        print_list(found)


async def _read(
    settings: PostgresSettings, target: str | None, everything: bool
) -> tuple[tuple[AlertRow, ...], TargetRow | None]:
    async with open_snapshot(settings) as snapshot:
        rows = await snapshot.fetch(_SQL["read_alerts"], target, everything)
        found = tuple(AlertRow(**exact_values(row)) for row in rows)
        named = found[0].target if target and found else None
        statuses = await read_targets(snapshot, named) if named else ()
    return found, statuses[0] if statuses else None


def print_list(rows: Sequence[AlertRow]) -> None:
    """Print alerts as a table, and below it why each of them is on."""
    if not rows:
        print("no alert is on")
        return
    columns = (
        Column("state", is_code=True),
        Column("kind", is_code=True),
        Column("about"),
        Column("since", is_code=True),
        Column("next look", is_code=True),
    )
    lines = [
        (
            row.state,
            row.kind,
            _about(row),
            instant(row.state_since),
            instant(row.next_look_at),
        )
        for row in rows
    ]
    print_table(columns, lines)
    for row in rows:
        print("\n".join(_wrap(f"{_about(row)}: {why(row)}", indent="")))
    print(
        "uptake alerts show TARGET says more, uptake targets explain TARGET all of it"
    )


def why(row: AlertRow) -> str:
    """Say in a line what an alert rests on: figures, path, windows."""
    if row.status is None:
        return "its target is not kept any more"
    said = row.status
    if row.reason is not None:
        said += f" because of {row.reason}, so neither on pace nor behind"
    return (
        f"{said}, {figure(row.actual)} of {figure(row.expected)} due now "
        f"({row.trajectory}), position {ratio(row.position_bp)}; pace 7 d "
        f"{ratio(row.pace_7_bp)}, 28 d {ratio(row.pace_28_bp)}"
    )


def waiting(row: AlertRow) -> str | None:
    """Say how long a pending or kept alert has waited; None of others."""
    if row.waited_seconds is None or row.wait_seconds is None:
        return None
    waited, wait = _clock(row.waited_seconds), _clock(row.wait_seconds)
    then = "fires" if row.state == "pending" else "is resolved"
    return f"  waited     {waited} of {wait} that it could be judged; then it {then}"


def _about(row: AlertRow) -> str:
    if row.agency is not None:
        return f"{row.agency} {row.indicator}"
    return row.target or row.locality or row.fingerprint


def describe(row: AlertRow, status: TargetRow | None) -> list[str]:
    """Say everything about an alert, at most 80 columns wide.

    Args:
        row: The alert.
        status: Where its target stands; None if it has none.
    """
    lines = [
        f"{row.kind}   {_about(row)}   {row.state} since {instant(row.state_since)}",
        *_wrap(row.summary_en),
        *_wrap(row.summary_vi),
    ]
    if status is not None:
        lines += _describe_target(status)
    if row.enter_bp is not None:
        behind = f"below {ratio(row.enter_bp)}, until {ratio(row.leave_bp)}"
        lines.append(f"  behind     {behind} or until both paces are enough")
    if (waited := waiting(row)) is not None:
        lines.append(waited)
    if row.looked_at is not None:
        looked, again = instant(row.looked_at), instant(row.next_look_at)
        lines.append(f"  looked at  {looked}, next {again} or when a total changes")
    lines += [
        f"  pending    since {instant(row.pending_since)}",
        f"  firing     since {instant(row.firing_since)}",
        f"  resolved   {instant(row.resolved_at)}",
        f"  episode    {row.episode}, fingerprint {row.fingerprint}",
    ]
    return lines


def _describe_target(status: TargetRow) -> list[str]:
    now = f"{figure(status.actual)}, due by now {figure(status.expected)}"
    start = f"{figure(status.start_value)} on {status.start_date}"
    paces = f"7 d {ratio(status.pace_7_bp)}, 28 d {ratio(status.pace_28_bp)}"
    lines = [
        f"  actual     {now}, position {ratio(status.position_bp)}",
        f"  goal       {figure(status.goal)} by {status.due}, from {start}",
        f"  pace       {paces}; {figure(status.required_per_day)} a day are needed",
    ]
    if status.illustrative:
        lines.append("  illustrative: not a target that anybody has set")
    return lines


def _clock(seconds: int) -> str:
    """Write a length of time as hours, minutes and seconds."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _wrap(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        plain(text), WIDTH, initial_indent=indent, subsequent_indent="  "
    )
