"""What the table of the scripted year says of what was told wrongly."""

from collections.abc import Sequence

import pytest

from tests.faults.year.account import (
    RIGHT,
    WRONG,
    Account,
    Notice,
    Outcome,
    render_table,
    settle,
)
from tests.faults.year.plan import Manner, Moment, make_plan
from tests.faults.year.receiver import Subject
from tests.support.hasty_truth import LONG_DAY, Look, looks_of
from tests.support.scripted_year import END, Province
from tests.support.year_truth import LAGGING, Told

PROVINCE = Province("01", "laggard", ())
PENDING = Told(7, "year-01", LAGGING, "pending", 1, 0)
FIRING = Told(7, "year-01", LAGGING, "firing", 1, 10)
KEPT = Told(9, "year-01", LAGGING, "kept", 1, 0)
RESOLVED = Told(9, "year-01", LAGGING, "resolved", 1, 10)
EXPECTED = (PENDING, FIRING, KEPT, RESOLVED)
RAISED = Look(7, 10)


def account(
    told: Sequence[Told],
    *more: Notice,
    raises: Sequence[Look] = (RAISED,),
    differences: Sequence[str] = (),
) -> Account:
    """Compare what was told, each under its own id, and more, with `EXPECTED`."""
    notices = [Notice(f"f/{each.episode}/{each.state}", each) for each in told]
    outcome = Outcome(
        notices=[*notices, *more],
        raises={Subject(LAGGING, "year-01"): list(raises)} if raises else {},
        differences=differences,
        statuses=0,
    )
    return settle([PROVINCE], {"01": EXPECTED}, outcome)


def test_all_as_expected_is_right() -> None:
    """A row with both instants, once for each state, once at Alertmanager."""
    found = account(EXPECTED)
    assert (found.right, found.expected) == (4, 4)
    assert (found.duplicates, found.repeats, found.differences) == (0, 0, [])
    (row,) = found.rows
    assert row[2:] == (
        *("2025-08-08 00:10",) * 2,
        *("2025-08-10 00:10",) * 2,
        *("4 of 4", "4", "1", RIGHT),
    )
    assert render_table(found.rows).splitlines()[1].endswith(RIGHT)


def test_an_alert_that_nobody_was_told_of_is_wrong() -> None:
    """The row says when it had to be."""
    found = account([], raises=[])
    assert (found.right, len(found.differences)) == (0, 4)
    assert found.rows[0][2:4] == ("2025-08-08 00:10", "-")
    assert found.rows[0][-1] == WRONG


def test_an_alert_in_vain_is_wrong() -> None:
    """Also when all that was expected came too."""
    again = Told(20, "year-01", LAGGING, "firing", 2, 10)
    found = account([*EXPECTED, again])
    assert found.right == 4
    assert len(found.differences) == 1
    assert [row[-1] for row in found.rows] == [RIGHT, WRONG]


def test_an_alert_five_minutes_late_is_wrong() -> None:
    """Whoever is late tells another thing, and not what was expected."""
    late = FIRING._replace(minute=15)
    found = account([PENDING, late, KEPT, RESOLVED])
    assert found.right == 3
    assert found.rows[0][-1] == WRONG


def test_the_same_under_another_id_is_a_duplicate() -> None:
    """Nobody could know that it is the same."""
    found = account(EXPECTED, Notice("other", FIRING))
    assert (found.duplicates, found.repeats) == (1, 0)


def test_the_same_under_its_id_is_a_repeat() -> None:
    """As promised: at least once, and told apart by its id."""
    found = account(EXPECTED, Notice("f/1/firing", FIRING))
    assert (found.duplicates, found.repeats) == (0, 1)
    assert not found.differences


def test_a_raise_that_only_alertmanager_heard_of_is_a_duplicate() -> None:
    """One alert that begins twice there is two to those on duty."""
    found = account(EXPECTED, raises=[RAISED, Look(8, 0)])
    assert found.duplicates == 1
    assert found.differences


def test_what_was_seen_on_the_way_is_a_difference() -> None:
    """E.g. a status."""
    assert account(EXPECTED, differences=["year-01 is met"]).differences


def test_a_province_of_which_nothing_is_expected_has_a_row() -> None:
    """So that nobody wonders where it is."""
    found = settle([PROVINCE], {"01": ()}, Outcome([], {}, [], 0))
    assert [(row[1], row[-1]) for row in found.rows] == [("none", RIGHT)]


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_kills_twenty_times_and_brings_alertmanager_back(seed: int) -> None:
    """Half of it where something is told; one absence is of more than an hour."""
    busy = [Look(day, 0) for day in range(10, 60)]
    waiting = range(40, END)
    plan = make_plan(seed, END, busy=busy, waiting=waiting, kills=20)
    assert plan == make_plan(seed, END, busy=busy, waiting=waiting, kills=20)
    assert len({kill.look for kill in plan.kills}) == 20
    assert sum(kill.look in busy for kill in plan.kills) >= 10
    for kill in plan.kills:
        if kill.moment is Moment.MIDNIGHT:
            assert kill.look.minute == 0
            assert kill.look.day not in waiting
    first, *others = plan.absences
    assert first.first.day == first.back.day == LONG_DAY
    assert first.back.minute - first.first.minute > 60
    assert {each.manner for each in others} == set(Manner)
    ends = [each.back for each in plan.absences]
    assert ends == sorted(ends)
    assert ends[-1] <= looks_of(END - 1)[-1]
