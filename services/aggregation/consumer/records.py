"""From fetched records to a slice that can be applied."""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from services.aggregation.core.place import Place
from services.aggregation.core.record import LogRecord
from services.aggregation.store.keys import ledger_key
from services.aggregation.store.ledger import Slice
from shared.events.adoption_v1_decode import decode_entry


def slice_records(place: Place, records: Sequence[ConsumerRecord]) -> Slice | None:
    """Cut what is to be applied out of what was fetched.

    Args:
        place: Where the partition stands; proved.
        records: Fetched of it, ascending.

    Returns:
        None where nothing of it is to be applied.

    Raises:
        FatalError: Records are missing from the log.
    """
    first_offset = place.next_offset
    fresh = [record for record in records if record.offset >= first_offset]
    if not fresh:
        return None
    place.check_gap(fresh[0].offset)
    last = fresh[-1]
    # Offsets ascend, so one that is missing shows in the last.
    place.check_gap(last.offset - len(fresh) + 1)
    return Slice(
        partition=place.partition,
        first_offset=first_offset,
        next_offset=last.offset + 1,
        last_record_hash=hash_record(last),
        records=decode_records(place.partition, fresh),
        raw=lambda offset: _raw(fresh[offset - first_offset]),
    )


def _raw(record: ConsumerRecord) -> tuple[bytes | None, bytes | None]:
    return record.key, record.value


def hash_record(record: ConsumerRecord) -> bytes:
    """Hash what identifies a record: key, value and timestamp."""
    key, value = record.key or b"", record.value or b""
    head = struct.pack(">qII", record.timestamp, len(key), len(value))
    return hashlib.sha256(head + key + value).digest()


def decode_records(
    partition: int, records: Iterable[ConsumerRecord]
) -> list[LogRecord]:
    """Decode fetched records; one that is not an admitted event has no entry."""
    decoded = []
    timestamp, logged_at = -1, datetime.fromtimestamp(0, UTC)
    for record in records:
        if record.timestamp != timestamp:
            # The broker stamps a whole batch at once, so one conversion serves many.
            timestamp = record.timestamp
            logged_at = datetime.fromtimestamp(timestamp / 1000, UTC)
        entry = None if record.value is None else decode_entry(record.value)
        if entry is not None and entry.agency.encode() != record.key:
            entry = None
        key = ledger_key(entry.source, entry.id) if entry is not None else None
        decoded.append(LogRecord(partition, record.offset, logged_at, entry, key))
    return decoded
