"""Laws of forgetting: no decision depends on when old rows are dropped."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.aggregation.core.record import LogRecord
from tests.support.ledger_model import LedgerModel
from tests.support.log_records import (
    NINE,
    Sent,
    control,
    counted,
    reversal,
    stated,
)

KEPT_FOR = timedelta(days=10)
FOR_EVER = timedelta(days=36_500)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
IDS = ("a", "b", "c")
Stream = list[LogRecord]

# Around the edges, to the microsecond, and far beyond them; some lie ahead.
DELAYS = (
    -KEPT_FOR,
    -timedelta(minutes=10),
    timedelta(0),
    HOUR,
    KEPT_FOR - TICK,
    KEPT_FOR,
    KEPT_FOR + TICK,
    2 * KEPT_FOR,
)
# The log's time goes on, now and then far, and it may step back.
STEPS = (timedelta(0), TICK, HOUR, KEPT_FOR - HOUR, KEPT_FOR, 3 * KEPT_FOR)
STEPS_BACK = (-HOUR, -KEPT_FOR)


def _kinds(id_: str, time: datetime) -> list[Sent]:
    """Make what may be sent under an id."""
    return [
        counted(id_, 1, time=time),
        counted(id_, 2, time=time),
        stated(id_, 5, time=time),
        control(id_, 5, time=time),
    ]


@st.composite
def wild_logs(draw: st.DrawFn) -> Stream:
    """Draw a log of events and reversals at any delay, ids borne again and again."""
    sent: list[Sent] = []
    records: Stream = []
    now = NINE
    for offset in range(draw(st.integers(1, 14))):
        now += draw(st.sampled_from((*STEPS, *STEPS_BACK)))
        if not sent or draw(st.integers(0, 2)):
            time = now - draw(st.sampled_from(DELAYS))
            event = draw(st.sampled_from(_kinds(draw(st.sampled_from(IDS)), time)))
            if draw(st.integers(0, 2)) == 0:
                named = draw(st.sampled_from([event, *sent]))
                own = now - draw(st.sampled_from(DELAYS))
                # What it names may still come.
                sent.append(event)
                event = reversal(draw(st.sampled_from(IDS)), named, time=own)
            sent.append(event)
        else:
            event = draw(st.sampled_from(sent))
        records.append(LogRecord(0, offset, now, event))
    return records


@st.composite
def timely_logs(draw: st.DrawFn) -> Stream:
    """Draw a log of copies and reversals, none of them older than the ledger.

    Every id has one content, and every original at most one reversal.
    """
    sent: list[tuple[datetime, Sent]] = []
    records: Stream = []
    now = NINE
    for offset in range(draw(st.integers(1, 20))):
        now += draw(st.sampled_from(STEPS))
        open_ = [event for oldest, event in sent if oldest >= now - KEPT_FOR]
        choice = draw(st.integers(0, 2)) if open_ else 0
        if choice == 0:
            time = now - draw(st.sampled_from(DELAYS[1:6]))
            event = draw(st.sampled_from(_kinds(f"e{offset}", time)))
            if draw(st.booleans()):
                sent.append((time, event))
        elif choice == 1:
            event = draw(st.sampled_from(open_))
        else:
            original = draw(st.sampled_from(open_))
            if original.effect == "reverse":
                original = counted(f"never{offset}", time=now)
            # The oldest of both instants decides how long the reversal may be copied.
            event = reversal(f"r-{original.id}", original, time=original.time)
        sent.append((event.time, event))
        records.append(LogRecord(0, offset, now, event))
    return records


def apply(
    records: Stream,
    cuts: Sequence[int] = (),
    *,
    kept_for: timedelta = KEPT_FOR,
    drops: bool = False,
) -> LedgerModel:
    """Apply a log cut into batches; where asked, drop old rows behind each."""
    model = LedgerModel(kept_for=kept_for)
    bounds = sorted({0, len(records), *(cut % len(records) for cut in cuts)})
    for low, high in pairwise(bounds):
        model.apply(records[low:high])
        if drops:
            model.drop_old_rows()
    return model


def decided(model: LedgerModel) -> tuple[object, ...]:
    """Return everything but the rows that may have gone."""
    return (
        model.totals,
        model.standing,
        model.class_sums(),
        model.rejects,
        model.kept_since,
    )


CUTS = st.lists(st.integers(0, 100), max_size=8)


@given(wild_logs(), CUTS)
def test_dropping_rows_at_any_moment_changes_no_decision(
    records: Stream, cuts: list[int]
) -> None:
    """Classes, totals, statements, rejects: the same as if no row ever went."""
    dropped = apply(records, cuts, drops=True)
    kept = apply(records, cuts)
    assert decided(dropped) == decided(kept)
    kept_rows = {(row.partition, row.log_offset): row for row in kept.every_row()}
    for row in dropped.every_row():
        assert kept_rows[row.partition, row.log_offset] == row
    kept.drop_old_rows()
    assert dropped.rows.keys() == kept.rows.keys()


@given(wild_logs(), CUTS)
def test_forgetting_does_not_depend_on_batches(
    records: Stream, cuts: list[int]
) -> None:
    """Nor does which rows bear their key: a rebuild cuts the log otherwise."""
    whole = apply(records)
    assert apply(records, cuts) == whole
    assert apply(records, range(len(records))) == whole


@given(wild_logs(), CUTS, st.lists(st.sampled_from((2, 10, 30)), min_size=9))
def test_event_is_counted_at_most_once_whatever_the_setting_becomes(
    records: Stream, cuts: list[int], settings: list[int]
) -> None:
    """Longer, shorter, longer: with rows dropped in between, by changing processes."""
    model = LedgerModel()
    counted_ever: set[tuple[str, str, datetime]] = set()
    bounds = sorted({0, len(records), *(cut % len(records) for cut in cuts)})
    for index, (low, high) in enumerate(pairwise(bounds)):
        model.kept_for = timedelta(days=settings[index % len(settings)])
        for row in model.apply(records[low:high]).rows:
            event = (row.source, row.id, row.occurred_at)
            assert event not in counted_ever, f"{event} is counted twice"
            counted_ever.add(event)
        model.drop_old_rows()


@given(timely_logs(), CUTS)
def test_nothing_timely_is_decided_otherwise_than_without_forgetting(
    records: Stream, cuts: list[int]
) -> None:
    """Where no copy is older than the ledger, dropping is not to be noticed."""
    forgetting = apply(records, cuts, drops=True)
    remembering = apply(records, cuts, kept_for=FOR_EVER)
    assert forgetting.rejects == remembering.rejects
    assert forgetting.totals == remembering.totals
    assert forgetting.standing == remembering.standing
    assert forgetting.class_sums() == remembering.class_sums()


@given(wild_logs(), CUTS)
def test_voided_row_stays_as_long_as_its_reversal(
    records: Stream, cuts: list[int]
) -> None:
    """Or what was known before the reversal could not be told any more."""
    model = apply(records, cuts, drops=True)
    since = model.kept_since.get(0, datetime.max.replace(tzinfo=NINE.tzinfo))
    offsets = {row.log_offset for row in model.every_row()}
    voids = {
        row.voided_by: row.log_offset
        for row in apply(records, cuts).every_row()
        if row.voided_by is not None
    }
    for row in model.every_row():
        if row.kind == b"r" and row.logged_at >= since and row.log_offset in voids:
            assert voids[row.log_offset] in offsets
