"""Writing what enters the ledger: rows, reversals, statements and controls."""

from typing import Final

from asyncpg.pool import PoolConnectionProxy

from services.aggregation.core.judge import Entered, Judgement
from services.aggregation.core.ledger import KIND_OF_EFFECT, map_entry_to_row
from services.aggregation.sql import Generation
from services.aggregation.store.dictionary import Dictionary, series_key
from services.aggregation.store.keys import ledger_key

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
    await connection.copy_records_to_table(
        "ledger",
        schema_name=generation.schema,
        columns=LEDGER_COLUMNS,
        records=[map_entered_to_columns(each, numbers) for each in judgement.entered],
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
        for record, entry, _ in judgement.apart
        if (data := entry.data).source is not None and data.id is not None
    ]
    if reversals:
        await connection.copy_records_to_table(
            "reversal", schema_name=generation.schema, records=reversals
        )
    if judgement.voids:
        status = await connection.execute(
            generation.queries["void_rows"],
            [ledger_key(row.source, row.id) for row, _ in judgement.voids],
            [offset for _, offset in judgement.voids],
        )
        assert status == f"UPDATE {len(judgement.voids)}", status
    await _write_stated(connection, generation, judgement)


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
        gone = [row.key for row, _ in judgement.voids if row.kind == kind]
        if gone:
            await connection.execute(
                generation.queries[query],
                [key[0] for key in gone],
                [key[1] for key in gone],
            )
