"""What a batch rejected: told to whoever publishes it, and noted for receipts.

Part of the transaction that counts a record as rejected, so at every moment a record
is either in flight or has its answer (ADR 0018).
"""

from collections.abc import Callable, Mapping, Sequence

from asyncpg.pool import PoolConnectionProxy

from services.aggregation.core.judge import Reject
from services.aggregation.core.record import Entry, LogRecord
from services.aggregation.sql import Generation

Raw = Callable[[int], tuple[bytes | None, bytes | None]]


async def write_rejects(
    connection: PoolConnectionProxy,
    generation: Generation,
    rejects: Sequence[Reject],
    *,
    records: Sequence[LogRecord],
    raw: Mapping[int, Raw],
) -> None:
    """Put rejected records into the outbox, and note them by source and id.

    Args:
        connection: In the batch's transaction, before progress is moved on.
        generation: The one that publishes.
        rejects: In each partition by ascending offset.
        records: Of the batch.
        raw: By partition, gives key and value of the record at an offset.
    """
    if not rejects:
        return
    record_of = {(each.partition, each.offset): each for each in records}
    rejected = [
        (reject, record_of[(reject.partition, reject.offset)]) for reject in rejects
    ]
    await connection.copy_records_to_table(
        "outbox_rejected",
        schema_name="aggregation",
        records=[
            (
                *(reject.partition, reject.offset, reject.code, reject.detail),
                record.logged_at,
                *raw[reject.partition](reject.offset),
            )
            for reject, record in rejected
        ],
    )
    await _note(connection, generation, rejected)


async def _note(
    connection: PoolConnectionProxy,
    generation: Generation,
    rejected: Sequence[tuple[Reject, LogRecord]],
) -> None:
    """Keep the latest rejection of each agency's source and id."""
    latest: dict[tuple[str, str, str], tuple[Reject, LogRecord]] = {}
    for reject, record in rejected:
        # What cannot be read has no id that anybody could ask for.
        if record.entry is not None:
            latest[_name(record.entry)] = reject, record
    if not latest:
        return
    await connection.execute(
        generation.queries["note_rejections"],
        [agency for agency, _, _ in latest],
        [source for _, source, _ in latest],
        [id_ for _, _, id_ in latest],
        [reject.partition for reject, _ in latest.values()],
        [reject.offset for reject, _ in latest.values()],
        [record.logged_at for _, record in latest.values()],
        [reject.code for reject, _ in latest.values()],
        [reject.detail for reject, _ in latest.values()],
    )
    # Two for each that came, so that their number has a bound.
    await connection.execute(
        generation.queries["forget_rejections"],
        sorted({reject.partition for reject, _ in latest.values()}),
        2 * len(latest),
    )


def _name(entry: Entry) -> tuple[str, str, str]:
    return entry.agency, entry.source, entry.id
