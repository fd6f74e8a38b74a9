"""Writing what a batch does to totals and last reports, and noting it to publish."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from asyncpg.pool import PoolConnectionProxy

from services.aggregation.core.judge import Judgement
from services.aggregation.core.record import LogRecord
from services.aggregation.sql import Generation
from services.aggregation.store.carry import StatedDay
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
    generation: Generation,
    judgement: Judgement,
    revisions: Revisions,
    numbers: Dictionary,
    *,
    stated: Sequence[StatedDay],
) -> None:
    """Add a batch's nets to the totals, and note what is to be published.

    Args:
        connection: In the batch's transaction.
        generation: Whose totals.
        judgement: Of the batch.
        revisions: Of the batch.
        numbers: Of the series.
        stated: Statements that came or went.
    """
    deltas = judgement.deltas
    if deltas:
        series = [numbers.series[delta.key[:4]] for delta in deltas]
        days = [delta.key.day for delta in deltas]
        nothing_left = await connection.fetch(
            generation.queries["add_to_totals"],
            series,
            days,
            [Decimal(delta.count) for delta in deltas],
            [Decimal(delta.amount) for delta in deltas],
        )
        if nothing_left:
            await connection.execute(
                generation.queries["drop_zero_totals"],
                *(list(column) for column in zip(*nothing_left, strict=True)),
            )
        await _mark(
            connection,
            generation,
            b"d",
            series=series,
            days=days,
            partitions=[delta.partition for delta in deltas],
            revisions=revisions,
        )
    if stated:
        await _mark(
            connection,
            generation,
            b"s",
            series=[number for number, _, _ in stated],
            days=[day for _, day, _ in stated],
            partitions=[partition for _, _, partition in stated],
            revisions=revisions,
        )


async def _mark(
    connection: Connection,
    generation: Generation,
    kind: bytes,
    *,
    series: Sequence[int],
    days: Sequence[date],
    partitions: Sequence[int],
    revisions: Revisions,
) -> None:
    """Note what is to be published, unless nobody is to see this generation yet."""
    if generation.publishes:
        await connection.execute(
            generation.queries["mark_totals"],
            kind,
            series,
            days,
            partitions,
            [revisions[partition] for partition in partitions],
        )


def stated_days(judgement: Judgement, numbers: Dictionary) -> list[StatedDay]:
    """Return which statements came or went."""
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
    generation: Generation,
    judgement: Judgement,
    revisions: Revisions,
    numbers: Dictionary,
) -> None:
    """Note when each agency last reported each indicator, in log time."""
    latest: dict[tuple[str, str], LogRecord] = {}
    for record, entry, _ in judgement.entered:
        if entry.indicator is not None:
            report = (entry.agency, entry.indicator)
            known = latest.get(report)
            # The broker's clock may step back, so the last need not be the latest; a
            # rebuild, which cuts the log otherwise, comes to the same instant.
            if known is None or known.logged_at < record.logged_at:
                latest[report] = record
    if not latest:
        return
    reports = sorted(latest)
    records = [latest[report] for report in reports]
    await connection.execute(
        generation.queries["note_reports"],
        [agency for agency, _ in reports],
        [indicator for _, indicator in reports],
        [record.logged_at for record in records],
    )
    await _mark(
        connection,
        generation,
        b"l",
        series=[numbers.series[report_series(*report)] for report in reports],
        days=[NO_DAY] * len(reports),
        partitions=[record.partition for record in records],
        revisions=revisions,
    )
