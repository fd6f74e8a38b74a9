"""What the ledger forgets, and that nothing forgotten is ever counted again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from services.aggregation.core.record import LogRecord
from services.aggregation.core.retention import keeping_time
from shared.errors import FatalError
from tests.support.ledger_model import KEPT_FOR, LedgerModel
from tests.support.log_records import NINE, Sent, counted, reversal, stated

TICK = timedelta(microseconds=1)
LATE = "too_late"


class Log:
    """A partition's log: what is sent at which instant of log time."""

    def __init__(self, model: LedgerModel | None = None, partition: int = 0) -> None:
        self.model = LedgerModel() if model is None else model
        self._partition = partition
        self._offsets: Iterator[int] = count()

    def send(self, sent: Sent, at: datetime) -> str:
        """Apply one record; return its class, or the code of its rejection."""
        record = LogRecord(self._partition, next(self._offsets), at, sent)
        judgement = self.model.apply([record])
        if judgement.rejects:
            return judgement.rejects[0].code.value
        found = judgement.classes[self._partition]
        for name in ("counted", "duplicates", "reversed"):
            if getattr(found, name):
                return name
        raise AssertionError(found)

    def total(self) -> int:
        """Return what all totals add up to."""
        return sum(total for total, _ in self.model.totals.values())


def at(id_: str, instant: datetime, number: int = 1) -> Sent:
    """Make an event of an instant."""
    return counted(id_, number, time=instant)


def test_event_is_counted_up_to_the_last_instant_and_not_after_it() -> None:
    """To the microsecond; the end of the ledger belongs to it."""
    log = Log()
    assert log.send(at("a", NINE), NINE + KEPT_FOR) == "counted"
    assert log.send(at("b", NINE), NINE + KEPT_FOR + TICK) == LATE
    assert log.total() == 1


def test_row_goes_one_instant_after_its_last_copy_could_be_a_duplicate() -> None:
    """While a copy is judged, the row is there; once it may go, no copy is judged."""
    log = Log()
    event = at("a", NINE)
    assert log.send(event, NINE) == "counted"
    assert log.send(event, NINE + KEPT_FOR) == "duplicates"
    assert log.model.drop_old_rows() == 0
    assert log.send(at("b", NINE + TICK), NINE + KEPT_FOR + TICK) == "counted"
    assert log.model.drop_old_rows() == 1
    assert log.send(event, NINE + KEPT_FOR + TICK) == LATE
    assert log.total() == 2


def test_broker_whose_clock_steps_back_brings_nothing_back() -> None:
    """The distance is to the latest log time that was seen, not to the record's."""
    log, event = Log(), at("a", NINE)
    log.send(event, NINE)
    later = NINE + KEPT_FOR + timedelta(days=3)
    log.send(at("b", later), later)
    assert log.model.drop_old_rows() == 1
    assert log.send(event, later - timedelta(days=200)) == LATE


def test_sender_ahead_of_the_log_is_remembered_by_its_own_time() -> None:
    """Logged first, dated later: the row stays until its copies are too late."""
    ahead = NINE + timedelta(minutes=10)
    log, event = Log(), at("a", ahead)
    log.send(event, NINE)
    log.send(at("b", ahead), ahead + KEPT_FOR)
    assert log.model.drop_old_rows() == 0
    assert log.send(event, ahead + KEPT_FOR) == "duplicates"


def test_stamp_far_ahead_closes_nothing() -> None:
    """A broker years ahead for a moment: its records are late, the next are not."""
    log = Log()
    log.send(at("a", NINE), NINE)
    assert log.send(at("b", NINE), NINE + 3 * KEPT_FOR) == LATE
    assert log.send(at("c", NINE), NINE) == "counted"
    assert log.model.drop_old_rows() == 0


def test_sender_far_ahead_closes_nothing() -> None:
    """An admission years ahead of the log is remembered until then."""
    log, event = Log(), at("a", NINE + 3 * KEPT_FOR)
    assert log.send(event, NINE) == "counted"
    assert log.send(at("b", NINE), NINE) == "counted"
    later = NINE + 2 * KEPT_FOR
    log.send(at("c", later), later)
    assert log.model.drop_old_rows() == 1
    assert log.send(event, later) == "duplicates"


def test_longer_setting_does_not_reopen_what_was_forgotten() -> None:
    """Rows that are gone do not come back with it."""
    log, event = Log(LedgerModel(kept_for=timedelta(days=10))), at("a", NINE)
    log.send(event, NINE)
    later = NINE + timedelta(days=11)
    log.send(at("b", later), later)
    assert log.model.drop_old_rows() == 1
    log.model.kept_for = timedelta(days=400)
    assert log.send(event, later + timedelta(days=1)) == LATE


def test_shorter_setting_forgets_sooner_and_counts_nothing_twice() -> None:
    """Also before a single row has gone."""
    log, event = Log(), at("a", NINE)
    log.send(event, NINE)
    log.model.kept_for = timedelta(days=10)
    assert log.send(event, NINE + timedelta(days=11)) == LATE
    assert log.total() == 1


def test_partitions_forget_each_by_their_own_log() -> None:
    """One that gets nothing keeps what it has; copies come where the first one came."""
    model = LedgerModel()
    busy, idle = Log(model), Log(model, partition=1)
    event = replace(at("a", NINE), agency="shop", source="/shop")
    idle.send(event, NINE)
    later = NINE + 2 * KEPT_FOR
    busy.send(at("b", later), later)
    assert model.drop_old_rows() == 0
    assert idle.send(event, NINE + KEPT_FOR) == "duplicates"
    assert idle.send(event, later) == LATE


@pytest.mark.parametrize("is_dropped", [False, True])
def test_reversal_of_a_forgotten_event_is_too_late(is_dropped: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    """Whether the row has gone already must not matter."""
    log, event = Log(), at("a", NINE, 5)
    log.send(event, NINE)
    later = NINE + KEPT_FOR + TICK
    log.send(at("b", later), later)
    if is_dropped:
        assert log.model.drop_old_rows() == 1
    assert log.send(reversal("r", event, time=later), later) == LATE
    assert log.total() == 6


def test_reversal_at_the_last_instant_finds_its_original() -> None:
    """And the voided row stays while its reversal says from when on it was void."""
    log, event = Log(), at("a", NINE, 5)
    log.send(event, NINE)
    last = NINE + KEPT_FOR
    assert log.send(reversal("r", event, time=last), last) == "reversed"
    assert log.total() == 0
    log.send(at("b", last), last + KEPT_FOR)
    assert log.model.drop_old_rows() == 0
    log.send(at("c", last + TICK), last + KEPT_FOR + TICK)
    assert log.model.drop_old_rows() == 2
    assert log.send(event, last + KEPT_FOR + TICK) == LATE


def test_waiting_reversal_is_remembered_while_its_original_may_come() -> None:
    """One whose original never comes goes too, when it could not be counted."""
    log, event = Log(), at("a", NINE)
    undo = reversal("r", event, time=NINE)
    assert log.send(undo, NINE) == "reversed"
    assert log.send(at("b", NINE), NINE + KEPT_FOR) == "counted"
    assert log.model.drop_old_rows() == 0
    assert log.send(event, NINE + KEPT_FOR) == "counted"
    assert log.total() == 1
    later = NINE + KEPT_FOR + TICK
    log.send(at("c", later), later)
    assert log.model.drop_old_rows() == 1
    assert log.send(undo, later) == LATE


def test_reversal_of_what_lies_ahead_waits_for_it() -> None:
    """Its own instant is forgotten long before that of its original."""
    log, event = Log(), at("a", NINE + 2 * KEPT_FOR)
    assert log.send(reversal("r", event, time=NINE), NINE) == "reversed"
    later = NINE + KEPT_FOR + TICK
    log.send(at("b", later), later)
    assert log.model.drop_old_rows() == 0
    assert log.send(event, later) == "counted"
    assert log.total() == 1


@pytest.mark.parametrize("is_dropped", [False, True])
def test_forgotten_id_may_be_borne_by_another_event(is_dropped: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    """Numbers that begin again each year: the same end whenever rows are dropped."""
    log = Log()
    log.send(at("1", NINE, 5), NINE)
    later = NINE + KEPT_FOR + TICK
    log.send(at("b", later), later)
    if is_dropped:
        assert log.model.drop_old_rows() == 1
    assert log.send(at("1", later, 7), later) == "counted"
    assert log.send(at("1", later, 7), later) == "duplicates"
    assert log.send(at("1", later, 8), later) == "conflicting_duplicate"
    assert log.total() == 13
    assert log.send(reversal("r", at("1", later), time=later), later) == "reversed"
    assert log.total() == 6


def test_forgotten_id_within_one_batch_is_another_event_too() -> None:
    """As when a backlog of years is read at once."""
    later = NINE + KEPT_FOR + TICK
    first, second = stated("1", 5, time=NINE), stated("1", 7, time=later)
    model = LedgerModel()
    judgement = model.apply(
        [
            LogRecord(0, 0, NINE, first),
            LogRecord(0, 1, NINE, reversal("1r", first, time=NINE)),
            LogRecord(0, 2, later, second),
            LogRecord(0, 3, later, second),
        ]
    )
    found = judgement.classes[0]
    assert (found.counted, found.reversed, found.duplicates) == (2, 1, 1)
    assert judgement.faded == {(0, 0)}
    assert [key for key, _ in model.standing] == [("/bank", "1")]
    assert model.drop_old_rows() == 2


def test_late_record_is_rejected_before_any_look_up() -> None:
    """A copy, a conflict, another agency's: the row may be gone, so none is asked."""
    log, event = Log(), at("a", NINE)
    log.send(event, NINE)
    later = NINE + KEPT_FOR + TICK
    for copy in (event, at("a", NINE, 9), replace(event, agency="shop")):
        assert log.send(copy, later) == LATE


def test_ledger_outlives_the_window() -> None:
    """By a day at least, or a line says what to set."""
    assert keeping_time(63, 62) == timedelta(days=63)
    with pytest.raises(FatalError) as raised:
        keeping_time(62, 62)
    (line,) = str(raised.value).splitlines()
    assert line.startswith("UPTAKE_LEDGER_DAYS is 62, but the catalogue takes events")
    assert "at least 63" in line


def test_oldest_instant_that_the_door_admits_is_never_too_late() -> None:
    """The first of 62 open days, reported in the last second of the last."""
    midnight = datetime(2026, 9, 20, 17, tzinfo=UTC)
    admitted_at = midnight + timedelta(days=62) - TICK
    model = LedgerModel(kept_for=keeping_time(63, 62))
    logged_at = admitted_at + timedelta(hours=23)
    assert Log(model).send(at("a", midnight), logged_at) == "counted"
