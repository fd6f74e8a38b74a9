"""What each record does, given log and ledger."""

from datetime import timedelta

import pytest

from services.aggregation.core.judge import Judgement, Known, TotalKey, judge
from services.aggregation.core.record import LogRecord
from tests.support.ledger_model import KEPT_FOR, LedgerModel
from tests.support.log_records import (
    NINE,
    REFORM,
    TODAY,
    Sent,
    closed,
    control,
    counted,
    log,
    refunded,
    reversal,
    stated,
)

KEY = TotalKey("accounts", "bank", "15961", REFORM, TODAY)
NOTHING = Known({}, {})


def judge_all(*entries: Sent | None) -> Judgement:
    """Judge events as one batch on an empty ledger."""
    return judge(log(entries), NOTHING, KEPT_FOR)


def sums(judgement: Judgement) -> tuple[int, int]:
    """Return what a batch adds to the one total that these tests touch."""
    assert {delta.key for delta in judgement.deltas} <= {KEY}
    return (
        sum(delta.count for delta in judgement.deltas),
        sum(delta.amount for delta in judgement.deltas),
    )


def classes(judgement: Judgement) -> tuple[int, int, int, int]:
    """Return counted, duplicates, reversed, rejected of partition 0."""
    found = judgement.classes[0]
    return found.counted, found.duplicates, found.reversed, found.rejected


def codes(judgement: Judgement) -> list[tuple[int, str]]:
    """Return offset and code of every reject."""
    return [(reject.offset, reject.code.value) for reject in judgement.rejects]


def test_batch_of_nothing_does_nothing() -> None:
    """Neither classes nor rows nor deltas."""
    assert judge([], NOTHING, KEPT_FOR) == Judgement({}, (), (), (), (), ())


def test_event_is_counted_with_its_sign() -> None:
    """Opened three, closed one: two more."""
    judgement = judge_all(counted("a", 3), closed("b", 1))
    assert sums(judgement) == (2, 0)
    assert classes(judgement) == (2, 0, 0, 0)
    assert [row.id for row in judgement.rows] == ["a", "b"]


def test_refund_takes_back_the_amount_and_leaves_the_count() -> None:
    """The sale has still taken place."""
    judgement = judge_all(counted("a", 1, 500), refunded("b", 200))
    assert sums(judgement) == (1, 300)
    assert judgement.rows[1].net_count == 0


def test_deltas_that_cancel_out_are_dropped() -> None:
    """A rebuild must not leave rows of zeros behind."""
    judgement = judge_all(counted("a", 3), closed("b", 3))
    assert judgement.deltas == ()
    assert classes(judgement) == (2, 0, 0, 0)


def test_deltas_ascend_by_key() -> None:
    """Every writer locks in the same order."""
    judgement = judge_all(
        counted("a", localday=TODAY),
        counted("b", localday=TODAY - timedelta(days=1)),
        counted("c", locality="00001"),
        counted("d", indicator="a"),
    )
    keys = [delta.key for delta in judgement.deltas]
    assert keys == sorted(keys)
    assert len(keys) == 4


def test_same_content_under_the_same_id_is_a_duplicate() -> None:
    """Within a batch and across batches; the total moves once."""
    model = LedgerModel()
    model.apply(log([counted("a", 5), counted("a", 5)]))
    again = model.apply(log([counted("a", 5)], first_offset=2))
    assert classes(again) == (0, 1, 0, 0)
    assert again.rows == ()
    assert model.class_sums() == (1, 2, 0, 0)
    assert model.totals == {KEY: (5, 0)}


def test_same_id_under_another_source_is_another_event() -> None:
    """Identity is the pair."""
    judgement = judge_all(counted("a"), counted("a", source="/bank/2"))
    assert classes(judgement) == (2, 0, 0, 0)


@pytest.mark.parametrize(
    "other",
    [
        counted("a", 6),
        counted("a", 5, 1),
        closed("a", 5),
        counted("a", 5, type="counted"),
        counted("a", 5, indicator="cards"),
        counted("a", 5, locality="16000"),
        counted("a", 5, time=NINE + timedelta(microseconds=1)),
        counted("a", 5, localday=TODAY - timedelta(days=1)),
        stated("a", 5),
        control("a", 5),
        reversal("a", counted("b")),
    ],
    ids=lambda sent: sent.type,
)
def test_other_content_under_the_same_id_is_a_conflict(other: Sent) -> None:
    """The first one stays; the second is kept as rejected."""
    first = counted("a", 5)
    judgement = judge_all(first, other)
    assert codes(judgement) == [(1, "conflicting_duplicate")]
    assert "offset 0" in judgement.rejects[0].detail
    assert sums(judgement) == (5, 0)
    model = LedgerModel()
    model.apply(log([first]))
    assert codes(model.apply(log([other], first_offset=1))) == codes(judgement)


def test_valid_from_is_no_part_of_the_content() -> None:
    """It follows from code and day; a catalogue mended meanwhile makes no conflict."""
    moved = counted("a", validfrom=TODAY)
    assert classes(judge_all(counted("a"), moved)) == (1, 1, 0, 0)


def test_statement_of_another_level_or_day_is_a_conflict() -> None:
    """Both belong to its content."""
    earlier = TODAY - timedelta(days=1)
    for other in (stated("a", 6), stated("a", 5, earlier)):
        judgement = judge_all(stated("a", 5), other)
        assert codes(judgement) == [(1, "conflicting_duplicate")]


def test_statements_and_controls_change_no_total() -> None:
    """They are counted, and stand beside the effects."""
    judgement = judge_all(stated("a", 500), control("b", 7))
    assert judgement.deltas == ()
    assert classes(judgement) == (2, 0, 0, 0)
    assert [row.kind for row in judgement.rows] == [b"s", b"k"]


def test_reversal_in_the_same_batch_takes_the_effect_out_again() -> None:
    """The original's row says who voided it."""
    original = counted("a", 5, 100)
    judgement = judge_all(original, reversal("r", original))
    assert judgement.deltas == ()
    assert classes(judgement) == (1, 0, 1, 0)
    assert [row.voided_by for row in judgement.rows] == [1, None]
    assert judgement.voids == ()


def test_reversal_in_a_later_batch_voids_the_row_in_the_ledger() -> None:
    """On the original's own day, whenever the reversal came."""
    model = LedgerModel()
    original = counted("a", 5)
    model.apply(log([original, counted("b", 2)]))
    judgement = model.apply(
        log(
            [reversal("r", original, localday=TODAY + timedelta(days=3))],
            first_offset=2,
        )
    )
    assert [(row.id, offset) for row, offset in judgement.voids] == [("a", 2)]
    assert sums(judgement) == (-5, 0)
    assert model.totals == {KEY: (2, 0)}


def test_reversal_may_come_before_its_original() -> None:
    """The original is counted, and voided from the start."""
    original = counted("a", 5)
    for batches in (
        [log([reversal("r", original), original])],
        [log([reversal("r", original)]), log([original], first_offset=1)],
    ):
        model = LedgerModel()
        for batch in batches:
            model.apply(batch)
        assert model.totals == {}
        assert model.class_sums() == (1, 0, 1, 0)
        assert model.rows[("/bank", "a")].voided_by == 0


def test_voided_statement_does_not_stand() -> None:
    """Whichever of the two came first."""
    original = stated("a", 500)
    undo = reversal("r", original)
    for entries in ((original, undo), (undo, original)):
        model = LedgerModel()
        for offset, entry in enumerate(entries):
            model.apply(log([entry], first_offset=offset))
        assert model.standing == {}


def test_repeat_of_a_voided_event_is_a_duplicate() -> None:
    """It does not come back to life."""
    original = counted("a", 5)
    judgement = judge_all(original, reversal("r", original), original)
    assert classes(judgement) == (1, 1, 1, 0)
    assert judgement.deltas == ()


def test_repeat_of_a_reversal_is_a_duplicate() -> None:
    """Also across batches, and while its original is still to come."""
    original = counted("a", 5)
    undo = reversal("r", original)
    assert classes(judge_all(original, undo, undo)) == (1, 1, 1, 0)
    model = LedgerModel()
    for offset, entry in enumerate((undo, undo, original, undo)):
        model.apply(log([entry], first_offset=offset))
    assert model.class_sums() == (1, 2, 1, 0)
    assert model.totals == {}


def test_second_reversal_of_one_event_is_rejected() -> None:
    """In one batch, across batches, and while the original is still to come."""
    original = counted("a", 5)
    first, second = reversal("r1", original), reversal("r2", original)
    for entries in (
        (original, first, second),
        (first, original, second),
        (first, second, original),
    ):
        model = LedgerModel()
        assert [reject.code for reject in judge_all(*entries).rejects] == [
            "already_reversed"
        ]
        for offset, entry in enumerate(entries):
            model.apply(log([entry], first_offset=offset))
        assert model.class_sums() == (1, 0, 1, 1)
        assert model.totals == {}


def test_reversal_of_a_reversal_is_rejected() -> None:
    """What was taken back is sent anew, under an id of its own."""
    original = counted("a", 5)
    undo = reversal("r", original)
    judgement = judge_all(original, undo, reversal("rr", undo))
    assert codes(judgement) == [(2, "reversal_of_reversal")]
    assert judgement.deltas == ()


def test_reversal_with_another_time_is_rejected() -> None:
    """It was meant for something else."""
    original = counted("a", 5)
    wrong = reversal("r", counted("a", time=NINE + timedelta(seconds=1)))
    judgement = judge_all(original, wrong)
    assert codes(judgement) == [(1, "reversal_mismatch")]
    assert sums(judgement) == (5, 0)


def test_waiting_reversal_with_another_time_voids_nothing() -> None:
    """The right one, which comes later, does."""
    original = counted("a", 5)
    wrong = reversal("r1", counted("a", time=NINE + timedelta(seconds=1)))
    assert sums(judge_all(wrong, original)) == (5, 0)
    judgement = judge_all(wrong, original, reversal("r2", original))
    assert sums(judgement) == (0, 0)
    assert classes(judgement) == (1, 0, 2, 0)


def test_rejected_record_leaves_its_id_free() -> None:
    """The sender may correct it under the same id."""
    original = counted("a", 5)
    wrong = reversal("r", counted("a", time=NINE + timedelta(seconds=1)))
    judgement = judge_all(original, wrong, reversal("r", original))
    assert classes(judgement) == (1, 0, 1, 1)
    assert judgement.deltas == ()


def test_unreadable_record_is_rejected_and_the_next_one_counted() -> None:
    """A bad record never blocks a good one."""
    judgement = judge_all(None, counted("a"), None)
    assert codes(judgement) == [(0, "unreadable"), (2, "unreadable")]
    assert classes(judgement) == (1, 0, 0, 2)


def test_classes_are_kept_by_partition() -> None:
    """The progress row of each says what became of its records."""
    other = counted("a", source="/shop", agency="shop")
    records: list[LogRecord] = [
        *log([counted("a"), counted("a")]),
        *log([other, None], partition=3),
    ]
    judgement = judge(records, NOTHING, KEPT_FOR)
    assert {
        partition: (found.counted, found.duplicates, found.rejected, found.total)
        for partition, found in judgement.classes.items()
    } == {0: (1, 1, 0, 2), 3: (1, 0, 1, 2)}
    assert {delta.key.agency: delta.partition for delta in judgement.deltas} == {
        "bank": 0,
        "shop": 3,
    }


def test_largest_figures_add_up_exactly() -> None:
    """Ten thousand of the largest amounts leave what 64 bits hold, and no digit."""
    judgement = judge_all(*(counted(str(n), 10**9, 10**15) for n in range(10_000)))
    assert sums(judgement) == (10**13, 10**19)
