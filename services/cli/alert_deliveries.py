"""What of alerts was told to whom, from the public view of alerting."""

import asyncio
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.cli.reading import Snapshot, open_snapshot
from services.cli.render import WIDTH, Column, instant, print_table, to_csv, to_json
from shared.postgres.queries import load_queries
from shared.settings import PostgresSettings

ROWS_MAX: Final = 1_000
SHOWN_MAX: Final = 20
_SQL: Final = load_queries("services.cli", "sql/deliveries.sql")


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One row of `reporting.alert_delivery`."""

    channel: str
    receiver: str
    fingerprint: str
    kind: str | None
    target: str | None
    agency: str | None
    state: str
    since: datetime
    outcome: str
    queued_at: datetime
    tries: int
    tried_at: datetime | None
    next_at: datetime | None
    told_at: datetime | None
    dead_at: datetime | None
    reason: str


async def read_deliveries(
    snapshot: Snapshot,
    *,
    about: str | None = None,
    everything: bool,
    limit: int = ROWS_MAX,
) -> tuple[DeliveryRow, ...]:
    """Read the newest deliveries first.

    Args:
        snapshot: To read from.
        about: A target, a fingerprint, a receiver, or all.
        everything: Also what was told; else only what waits or was given up.
        limit: Most rows.
    """
    rows = await snapshot.fetch(_SQL["read_deliveries"], about, everything, limit)
    return tuple(DeliveryRow(**row) for row in rows)


def describe_delivery(row: DeliveryRow) -> str:
    """Say in one line what became of a delivery."""
    tries = f"{row.tries:,} {'try' if row.tries == 1 else 'tries'}"
    match row.outcome:
        case "told":
            return f"told {instant(row.told_at)}, {tries}"
        case "dead":
            return f"given up {instant(row.dead_at)}, {tries}: {row.reason}"
        case _ if row.tries == 0:
            return f"waits since {instant(row.queued_at)}"
        case _:
            why = f"{tries}: {row.reason}"
            return f"waits since {instant(row.queued_at)}, {why}"


def print_told(settings: PostgresSettings, about: str) -> None:
    """Print to whom the newest transitions of alerts were told."""
    rows = asyncio.run(_read(settings, about, everything=True, limit=SHOWN_MAX))
    for row in rows:
        kind = row.kind or row.fingerprint
        what = f"{kind} {row.state} since {instant(row.since)}"
        line = f"{row.receiver}   {what}: {describe_delivery(row)}"
        print(
            textwrap.fill(
                line, WIDTH, initial_indent="  ", subsequent_indent="             "
            )
        )


def print_deliveries(
    settings: PostgresSettings,
    about: str | None,
    *,
    everything: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print what waits and what was given up, and if asked what was told."""
    rows = asyncio.run(_read(settings, about, everything=everything))
    if as_json:
        print(to_json({"deliveries": rows}), end="")
    elif as_csv:
        print(to_csv(rows, DeliveryRow), end="")
    else:
        _print_table(rows)


async def _read(
    settings: PostgresSettings,
    about: str | None,
    *,
    everything: bool,
    limit: int = ROWS_MAX,
) -> tuple[DeliveryRow, ...]:
    async with open_snapshot(settings) as snapshot:
        return await read_deliveries(
            snapshot, about=about, everything=everything, limit=limit
        )


def _print_table(rows: Sequence[DeliveryRow]) -> None:
    if not rows:
        print("nothing waits and nothing was given up; --all shows what was told")
        return
    columns = (
        Column("receiver", is_code=True),
        Column("alert"),
        Column("state", is_code=True),
        Column("what became of it"),
    )
    lines = [
        (
            row.receiver,
            f"{row.kind or ''} {row.target or row.agency or row.fingerprint}".strip(),
            row.state,
            describe_delivery(row),
        )
        for row in rows
    ]
    print_table(columns, lines)
    if len(rows) == ROWS_MAX:
        print(f"the newest {ROWS_MAX:,} only")
