"""Laws of counting: what no order, no cut and no repetition may change.

A *sound* stream is one in which every id has one content and every original at most
one reversal; a *wild* one holds whatever an agency, or a bug, might send.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.aggregation.core.record import LogRecord
from tests.support.ledger_model import (
    LedgerModel,
    Totals,
    apply_in_batches,
    recount,
)
from tests.support.log_records import (
    LOGGED_AT,
    NINE,
    TODAY,
    Sent,
    closed,
    control,
    counted,
    refunded,
    reversal,
    stated,
)

AGENCIES = ("bank", "shop")
Stream = list[Sent | None]

YESTERDAY = TODAY - timedelta(days=1)
INSTANTS = (NINE, NINE + timedelta(microseconds=1))
IDS = ("a", "b", "c", "d")


def variants(id_: str) -> list[Sent]:
    """Make what may be sent under an id; few values, so that things meet."""
    made = [
        *(counted(id_, 1, amount) for amount in (0, 1)),
        counted(id_, 2, 3, locality="16000"),
        counted(id_, 3, localday=YESTERDAY),
        *(closed(id_, count) for count in (1, 2)),
        refunded(id_, 3),
        *(stated(id_, 5, day) for day in (TODAY, YESTERDAY)),
        control(id_, 5),
    ]
    return [
        replace(sent, agency=agency, source=f"/{agency}", time=instant)
        for sent in made
        for agency in AGENCIES
        for instant in INSTANTS
    ]


def wild_reversals() -> list[Sent]:
    """Make reversals of anything, themselves included, some with a wrong time."""
    return [
        reversal(id_, counted(named, agency=agency, source=f"/{agency}", time=instant))
        for id_ in ("r", *IDS)
        for named in ("r", *IDS)
        for agency in AGENCIES
        for instant in INSTANTS
    ]


# One draw for each record keeps the laws quick; reversals are half of all draws.
wild_streams: st.SearchStrategy[Stream] = st.lists(
    st.sampled_from(
        [*(sent for id_ in IDS for sent in variants(id_)), *wild_reversals() * 2, None]
    ),
    min_size=1,
    max_size=20,
)
FIRST = counted("first")
ORIGINALS = [variants(f"e{index}") for index in range(8)]


@st.composite
def sound_streams(draw: st.DrawFn) -> list[Sent]:
    """Draw records of distinct content, some with their reversal, in any order.

    The originals of some reversals never come.
    """
    number = draw(st.integers(1, len(ORIGINALS)))
    stream: list[Sent] = []
    for index, choices in enumerate(ORIGINALS[:number]):
        original = draw(st.sampled_from(choices))
        parts = draw(st.sampled_from(("original", "both", "reversal")))
        if parts != "reversal":
            stream.append(original)
        if parts != "original":
            stream.append(reversal(f"r{index}", original))
    return list(draw(st.permutations(stream)))


@st.composite
def crossed_streams(draw: st.DrawFn) -> list[Sent]:
    """Draw streams whose ids have one content each, with reversals of all kinds."""
    stream: dict[tuple[str, str], Sent] = {}
    for sent in [*draw(wild_streams), FIRST]:
        if sent is not None:
            stream.setdefault((sent.source, sent.id), sent)
    return list(stream.values())


def log_of(stream: Sequence[Sent | None]) -> list[LogRecord]:
    """Write a stream to the log: one partition for each agency."""
    offsets = dict.fromkeys(range(len(AGENCIES)), 0)
    records: list[LogRecord] = []
    for sent in stream:
        partition = 0 if sent is None else AGENCIES.index(sent.agency)
        offset = offsets[partition]
        offsets[partition] += 1
        logged_at = LOGGED_AT + timedelta(seconds=len(records))
        records.append(LogRecord(partition, offset, logged_at, sent))
    return records


def apply_whole(stream: Sequence[Sent | None]) -> LedgerModel:
    """Apply a stream as one batch."""
    return apply_in_batches([log_of(stream)])


def cut(
    records: Sequence[LogRecord], places: Sequence[int]
) -> list[Sequence[LogRecord]]:
    """Cut a log into batches."""
    bounds = [0, *sorted({place % len(records) for place in places} - {0})]
    ends = [*bounds[1:], len(records)]
    return [records[low:high] for low, high in zip(bounds, ends, strict=True)]


def sum_of_rows(model: LedgerModel) -> Totals:
    """Add up the ledger's rows that are not voided."""
    totals: Totals = {}
    for row in model.rows.values():
        if row.kind != b"c" or row.voided_by is not None:
            continue
        key = (row.indicator, row.agency, row.locality, row.valid_from, row.day)
        count, amount = totals.get(key, (0, 0))  # type: ignore[call-overload] # plain
        totals[key] = (  # type: ignore[index] # a plain tuple equals a TotalKey
            count + (row.net_count or 0),
            amount + (row.net_amount or 0),
        )
    return {key: sums for key, sums in totals.items() if sums != (0, 0)}


@given(sound_streams(), st.data())
def test_order_changes_neither_ledger_nor_totals_nor_classes(
    stream: list[Sent], data: st.DataObject
) -> None:
    """A reversal before its original does what it does after it."""
    model = apply_whole(stream)
    turned = apply_whole(data.draw(st.permutations(stream)))
    assert turned.effects() == model.effects()
    assert turned.totals == model.totals
    assert turned.class_sums() == model.class_sums()
    assert model.rejects == []
    assert turned.standing.keys() == model.standing.keys()


@given(crossed_streams(), st.data())
def test_order_never_changes_totals_where_ids_have_one_content(
    stream: list[Sent], data: st.DataObject
) -> None:
    """Reversals twice over, with a wrong time or of reversals change who is taken."""
    turned = apply_whole(data.draw(st.permutations(stream)))
    assert turned.totals == apply_whole(stream).totals


@given(wild_streams, st.lists(st.integers(0, 100), max_size=8))
def test_cut_into_batches_changes_nothing(stream: Stream, places: list[int]) -> None:
    """The same log gives the same ledger, however it was fetched."""
    records = log_of(stream)
    whole = apply_in_batches([records])
    assert apply_in_batches(cut(records, places)) == whole
    assert apply_in_batches([record] for record in records) == whole


@given(wild_streams)
def test_order_of_partitions_in_a_batch_changes_nothing(stream: Stream) -> None:
    """Only the order within a partition is the log's."""
    records = log_of(stream)
    whole = apply_in_batches([records])
    sorted_ = apply_in_batches([sorted(records, key=lambda each: each.partition)])
    assert sorted_.rows == whole.rows
    assert sorted_.totals == whole.totals
    assert sorted_.classes == whole.classes


@given(sound_streams(), st.data())
def test_repetition_is_duplicates_and_nothing_else(
    stream: list[Sent], data: st.DataObject
) -> None:
    """Whatever is sent again, as often and wherever, totals stay."""
    again = data.draw(st.lists(st.sampled_from(stream), min_size=1, max_size=10))
    model = apply_whole(stream)
    repeated = apply_whole(data.draw(st.permutations([*stream, *again])))
    counted_, duplicates, reversed_, rejected = model.class_sums()
    assert (duplicates, rejected) == (0, 0)
    assert repeated.class_sums() == (counted_, len(again), reversed_, 0)
    assert repeated.effects() == model.effects()
    assert repeated.totals == model.totals


@given(wild_streams, st.data())
def test_wild_stream_sent_again_leaves_ledger_and_totals_alone(
    stream: Stream, data: st.DataObject
) -> None:
    """Each record has had its end; a second copy counts nothing more.

    Rejected reversals are left out: their id is free, and what they name may have
    come since.
    """
    model = apply_whole(stream)
    gone = {(reject.partition, reject.offset) for reject in model.rejects}
    taken = [
        sent
        for sent, record in zip(stream, log_of(stream), strict=True)
        if sent is None or (record.partition, record.offset) not in gone
    ]
    again = data.draw(st.lists(st.sampled_from(taken), max_size=10)) if taken else []
    repeated = apply_whole([*stream, *again])
    assert repeated.rows == model.rows
    assert repeated.totals == model.totals
    unreadable = sum(entry is None for entry in again)
    duplicates = repeated.class_sums()[1] - model.class_sums()[1]
    assert duplicates == len(again) - unreadable


@given(wild_streams)
def test_every_record_has_one_class_and_every_id_one_end(stream: Stream) -> None:
    """Classes add up to the records; a row for each id that was ever taken."""
    records = log_of(stream)
    model = LedgerModel()
    taken: set[tuple[str, str]] = set()
    for record in records:
        classes = model.apply([record]).classes[record.partition]
        assert classes.total == 1
        if record.entry is not None and classes.counted + classes.reversed:
            key = (record.entry.source, record.entry.id)
            assert key not in taken
            taken.add(key)
    assert model.rows.keys() == taken
    assert sum(model.class_sums()) == len(records)
    assert len(model.rejects) == model.class_sums()[3]
    for partition, sums in model.classes.items():
        assert sums.total == sum(record.partition == partition for record in records)


@given(wild_streams)
def test_totals_are_the_sum_of_rows_that_are_not_voided(stream: Stream) -> None:
    """Totals and ledger are two views of one thing; no row of zeros stands."""
    model = apply_whole(stream)
    assert model.totals == sum_of_rows(model)
    assert (0, 0) not in model.totals.values()


@given(wild_streams)
def test_voided_rows_are_those_whose_reversal_was_taken(stream: Stream) -> None:
    """Neither more nor fewer, and the row names the reversal's offset."""
    model = apply_whole(stream)
    taken = {
        (row.reversed_source, row.reversed_id, row.reversed_occurred_at): row.log_offset
        for row in model.rows.values()
        if row.kind == b"r"
    }
    for row in model.rows.values():
        expected = taken.get((row.source, row.id, row.occurred_at))
        if row.kind != b"r":
            assert row.voided_by == expected
            is_standing = row.kind in (b"s", b"k") and row.voided_by is None
            assert ((row.key, row.occurred_at) in model.standing) == is_standing


@given(crossed_streams(), st.lists(st.integers(0, 100), max_size=8), st.data())
def test_totals_equal_an_independent_recount(
    stream: list[Sent], places: list[int], data: st.DataObject
) -> None:
    """The auditor knows sets only: no order, no ledger, no batches."""
    again = data.draw(st.lists(st.sampled_from(stream), max_size=10))
    sent = data.draw(st.permutations([*stream, *again]))
    model = apply_in_batches(cut(log_of(sent), places))
    assert model.totals == recount(stream)
