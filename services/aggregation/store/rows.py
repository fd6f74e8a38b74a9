"""Writing what enters the ledger: rows, reversals, statements and controls."""

from datetime import datetime
from typing import Final
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from services.aggregation.core.judge import Entered, Judgement
from services.aggregation.core.ledger import KIND_OF_EFFECT, map_entry_to_row
from services.aggregation.sql import Generation
from services.aggregation.store.dictionary import Dictionary, series_key
from services.aggregation.store.keys import ledger_key, retired_key

Connection = PoolConnectionProxy
LEDGER_COLUMNS: Final = (
    "key",
    "logged_at",
    "occurred_at",
    "log_offset",
    "count",
    "amount",
    "voided_by",
    "origin_id",
    "series_id",
    "day",
    "partition",
    "type_id",
    "kind",
    "id",
)


def map_entered_to_columns(entered: Entered, numbers: Dictionary) -> tuple[object, ...]:
    """Build a ledger row in the order of `LEDGER_COLUMNS`."""
    record, entry, voided_by = entered
    data = entry.data
    count: int | None = data.count
    amount: int | None = data.amount
    effect = entry.effect
    if effect == "count":
        count, amount = entry.sign * data.count, entry.sign * data.amount
    elif effect == "amount":
        count, amount = 0, entry.sign * data.amount
    elif effect == "reverse":
        count = amount = None
    key = series_key(entry)
    return (
        record.key,
        record.logged_at,
        entry.time,
        record.offset,
        count,
        amount,
        voided_by,
        numbers.origins[entry.source],
        None if key is None else numbers.series[key],
        data.day or entry.localday,
        record.partition,
        numbers.types[entry.type],
        KIND_OF_EFFECT[effect],
        entry.id,
    )


async def write_rows(
    connection: Connection,
    generation: Generation,
    judgement: Judgement,
    numbers: Dictionary,
) -> None:
    """Enter a batch in the ledger and void what its reversals name."""
    # Before any key is given up: what is voided has the key that the judge saw.
    await _void(connection, generation, judgement)
    entered, apart = judgement.entered, judgement.apart
    freed = _freed_keys(judgement)
    if freed:
        await connection.execute(generation.queries["hold_off_retention"])
        # A key may have been borne by a row of the ledger and then within the batch.
        there = [column[: len(judgement.retired)] for column in freed[:2]]
        await connection.execute(generation.queries["retire_rows"], *there)
        await connection.execute(generation.queries["retire_reversals"], *there)
        entered = tuple(_with_own_key(each, judgement) for each in entered)
        apart = tuple(_with_own_key(each, judgement) for each in apart)
    await connection.copy_records_to_table(
        "ledger",
        schema_name=generation.schema,
        columns=LEDGER_COLUMNS,
        records=[map_entered_to_columns(each, numbers) for each in entered],
    )
    reversals = [
        (
            record.key,
            ledger_key(data.source, data.id),
            data.time,
            record.offset,
            data.source,
            data.id,
        )
        for record, entry, _ in apart
        if (data := entry.data).source is not None and data.id is not None
    ]
    if reversals:
        await connection.copy_records_to_table(
            "reversal", schema_name=generation.schema, records=reversals
        )
    if freed:
        await connection.execute(generation.queries["follow_retired"], *freed)
    await _write_stated(connection, generation, judgement)


def _freed_keys(
    judgement: Judgement,
) -> tuple[list[UUID], list[UUID], list[datetime]] | None:
    """Return (keys given up, keys instead, instants of their events), or None.

    Those of rows that were in the ledger come first.
    """
    bearers = [
        (row.source, row.id, row.log_offset, row.occurred_at)
        for row in judgement.retired
    ]
    bearers += [
        (entry.source, entry.id, record.offset, entry.time)
        for record, entry, _ in judgement.entered[: len(judgement.faded)]
    ]
    if not bearers:
        return None
    return (
        [ledger_key(source, id_) for source, id_, _, _ in bearers],
        [retired_key(source, id_, offset) for source, id_, offset, _ in bearers],
        [occurred_at for _, _, _, occurred_at in bearers],
    )


def _with_own_key(entered: Entered, judgement: Judgement) -> Entered:
    """Give an entry whose source and id are borne anew in its batch another key."""
    record, entry, voided_by = entered
    if (record.partition, record.offset) not in judgement.faded:
        return entered
    key = retired_key(entry.source, entry.id, record.offset)
    return (record._replace(key=key), entry, voided_by)


async def _void(
    connection: Connection, generation: Generation, judgement: Judgement
) -> None:
    if judgement.voids:
        status = await connection.execute(
            generation.queries["void_rows"],
            [ledger_key(row.source, row.id) for row, _ in judgement.voids],
            [offset for _, offset in judgement.voids],
        )
        assert status == f"UPDATE {len(judgement.voids)}", status


async def _write_stated(
    connection: Connection, generation: Generation, judgement: Judgement
) -> None:
    """Keep statements and controls that hold, drop those that were voided."""
    standing = [
        map_entry_to_row(*each)
        for each in judgement.apart
        if each[2] is None and each[1].effect in ("state", "control")
    ]
    statements = [
        (
            row.source,
            row.id,
            row.indicator,
            row.agency,
            row.locality,
            row.valid_from,
            row.day,
            row.occurred_at,
            row.net_count,
            row.logged_at,
        )
        for row in standing
        if row.kind == b"s"
    ]
    controls = [
        (
            row.source,
            row.id,
            row.indicator,
            row.agency,
            row.day,
            row.occurred_at,
            row.net_count,
        )
        for row in standing
        if row.kind == b"k"
    ]
    if statements:
        await connection.copy_records_to_table(
            "statement", schema_name=generation.schema, records=statements
        )
    if controls:
        await connection.copy_records_to_table(
            "control", schema_name=generation.schema, records=controls
        )
    for kind, query in ((b"s", "drop_statements"), (b"k", "drop_controls")):
        gone = [row for row, _ in judgement.voids if row.kind == kind]
        if gone:
            await connection.execute(
                generation.queries[query],
                [row.source for row in gone],
                [row.id for row in gone],
                [row.occurred_at for row in gone],
            )
