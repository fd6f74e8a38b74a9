"""Writing what a batch does to totals and last reports, and noting it to publish."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from asyncpg.pool import PoolConnectionProxy

from services.aggregation.core.judge import Judgement
from services.aggregation.sql import QUERIES
from services.aggregation.store.dictionary import (
    Dictionary,
    report_series,
    series_key,
)

Connection = PoolConnectionProxy
Revisions = Mapping[int, int]
"""Next offset after the batch, by partition."""
NO_DAY: Final = date.min
"""Stands for the day of a last report, which has none."""


async def write_totals(
    connection: Connection,
    judgement: Judgement,
    revisions: Revisions,
    numbers: Dictionary,
) -> None:
    """Add a batch's nets to the totals, and note what is to be published."""
    deltas = judgement.deltas
    if deltas:
        series = [numbers.series[delta.key[:4]] for delta in deltas]
        days = [delta.key.day for delta in deltas]
        nothing_left = await connection.fetch(
            QUERIES["add_to_totals"],
            series,
            days,
            [Decimal(delta.count) for delta in deltas],
            [Decimal(delta.amount) for delta in deltas],
        )
        if nothing_left:
            await connection.execute(
                QUERIES["drop_zero_totals"],
                *(list(column) for column in zip(*nothing_left, strict=True)),
            )
        await connection.execute(
            QUERIES["mark_totals"],
            b"d",
            series,
            days,
            [delta.partition for delta in deltas],
            [revisions[delta.partition] for delta in deltas],
        )
    stated = _stated_days(judgement, numbers)
    if stated:
        await connection.execute(
            QUERIES["mark_totals"],
            b"s",
            *(list(column) for column in zip(*stated, strict=True)),
            [revisions[partition] for _, _, partition in stated],
        )


def _stated_days(
    judgement: Judgement, numbers: Dictionary
) -> list[tuple[int, date, int]]:
    """Return (series, day, partition) of statements that came or went."""
    touched = {
        (series_key(entry), entry.data.day or entry.localday, record.partition)
        for record, entry, _ in judgement.entered
        if entry.effect == "state"
    }
    touched |= {
        (
            (row.indicator or "", row.agency, row.locality, row.valid_from),
            row.day,
            row.partition,
        )
        for row, _ in judgement.voids
        if row.kind == b"s"
    }
    return [
        (numbers.series[key], day, partition)
        for key, day, partition in touched
        if key is not None
    ]


async def write_reports(
    connection: Connection,
    judgement: Judgement,
    revisions: Revisions,
    numbers: Dictionary,
) -> None:
    """Note when each agency last reported each indicator, in log time."""
    latest = {
        (entry.agency, entry.indicator): record
        for record, entry, _ in judgement.entered
        if entry.indicator is not None
    }
    if not latest:
        return
    reports = sorted(latest)
    records = [latest[report] for report in reports]
    await connection.execute(
        QUERIES["note_reports"],
        [agency for agency, _ in reports],
        [indicator for _, indicator in reports],
        [record.logged_at for record in records],
    )
    await connection.execute(
        QUERIES["mark_totals"],
        b"l",
        [numbers.series[report_series(*report)] for report in reports],
        [NO_DAY] * len(reports),
        [record.partition for record in records],
        [revisions[record.partition] for record in records],
    )
