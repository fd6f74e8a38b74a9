"""Writing what a batch does to totals and last reports, and noting it to publish."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from asyncpg.pool import PoolConnectionProxy

from services.aggregation.core.judge import Judgement
from services.aggregation.core.ledger import KIND_OF_EFFECT
from services.aggregation.core.record import Effect, LogRecord
from services.aggregation.sql import Generation
from services.aggregation.store.carry import StatedDay
from services.aggregation.store.dictionary import (
    Dictionary,
    report_series,
    series_key,
)

Connection = PoolConnectionProxy
NO_DAY: Final = date.min
"""Stands for the day of a last report, which has none."""
CHANGE_KEYS_MAX: Final = 5_000
"""Most keys that one row of the outbox holds."""


async def write_totals(
    connection: Connection,
    generation: Generation,
    judgement: Judgement,
    numbers: Dictionary,
    *,
    stated: Sequence[StatedDay],
) -> None:
    """Add a batch's nets to the totals, and note what is to be published.

    Args:
        connection: In the batch's transaction.
        generation: Whose totals.
        judgement: Of the batch.
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
        partitions = [delta.partition for delta in deltas]
        await _note(
            connection, generation, b"d", zip(partitions, series, days, strict=True)
        )
    stated_keys = ((partition, number, day) for number, day, partition in stated)
    await _note(connection, generation, b"s", stated_keys)
    claimed = _days_touched(judgement, numbers, effect="control")
    claimed_keys = ((partition, number, day) for number, day, partition in claimed)
    await _note(connection, generation, b"k", claimed_keys)


async def _note(
    connection: Connection,
    generation: Generation,
    kind: bytes,
    changed: Iterable[tuple[int, int, date]],
) -> None:
    """Note what is to be published, unless nobody is to see this generation yet.

    Args:
        connection: In the batch's transaction.
        generation: Whose totals changed.
        kind: Of the totals: b"d", b"s", b"k" or b"l".
        changed: (partition, series, day) of each.
    """
    if not generation.publishes:
        return
    keys: dict[int, tuple[list[int], list[date]]] = {}
    for partition, number, day in changed:
        series, days = keys.setdefault(partition, ([], []))
        series.append(number)
        days.append(day)
    for partition, (series, days) in keys.items():
        for start in range(0, len(series), CHANGE_KEYS_MAX):
            end = start + CHANGE_KEYS_MAX
            await connection.execute(
                generation.queries["note_changes"],
                kind,
                partition,
                series[start:end],
                days[start:end],
            )


def stated_days(judgement: Judgement, numbers: Dictionary) -> list[StatedDay]:
    """Return which statements came or went."""
    return _days_touched(judgement, numbers, effect="state")


def _days_touched(
    judgement: Judgement, numbers: Dictionary, *, effect: Effect
) -> list[StatedDay]:
    """Return the days of which a statement, or a control, came or went."""
    touched = {
        (series_key(entry), entry.data.day or entry.localday, record.partition)
        for record, entry, _ in judgement.apart
        if entry.effect == effect
    }
    touched |= {
        (
            (row.indicator or "", row.agency, row.locality, row.valid_from),
            row.day,
            row.partition,
        )
        for row, _ in judgement.voids
        if row.kind == KIND_OF_EFFECT[effect]
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
    numbers: Dictionary,
) -> None:
    """Note when each agency last reported each indicator, in log time."""
    latest: dict[tuple[str, str], LogRecord] = {}
    noted: tuple[object, ...] = ()
    for record, entry, _ in judgement.entered:
        indicator = entry.indicator
        # The broker stamps a whole request at once: one look serves most of it.
        if indicator is None or noted == (entry.agency, indicator, record.logged_at):
            continue
        noted = (entry.agency, indicator, record.logged_at)
        report = (entry.agency, indicator)
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
    series = [numbers.series[report_series(*report)] for report in reports]
    partitions = [record.partition for record in records]
    no_days = [NO_DAY] * len(reports)
    await _note(
        connection, generation, b"l", zip(partitions, series, no_days, strict=True)
    )
