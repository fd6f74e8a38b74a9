"""Claims of agencies beside what was counted of theirs."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.alerting.core.control import (
    NAMED_DAYS_MAX,
    Control,
    Verdict,
    judge_controls,
)
from services.alerting.core.life_cycle import Condition

EVENING = datetime(2026, 11, 21, 16, 59, tzinfo=UTC)
"""A minute before midnight in Vietnam."""
TODAY = date(2026, 11, 21)
DAY = timedelta(days=1)
ZONE = "Asia/Ho_Chi_Minh"

controls = st.dictionaries(
    st.integers(min_value=-2, max_value=80),
    st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.integers(-1, 3)),
    max_size=40,
).map(
    lambda found: [
        Control(TODAY - ago * DAY, claimed, counted)
        for ago, (claimed, counted) in found.items()
    ]
)


def judge(
    *found: Control, at: datetime = EVENING, open_days: int = 62, behind: bool = False
) -> Verdict:
    """Judge controls at an instant."""
    return judge_controls(found, at, ZONE, open_days=open_days, behind=behind)


def test_claim_that_differs_is_told_with_its_sign() -> None:
    """Claimed minus counted: what is missing is positive."""
    yesterday = TODAY - DAY
    assert judge(Control(yesterday, 12, 10)) == Verdict(
        Condition.HOLDS, ((yesterday, 2),), 1
    )
    assert judge(Control(yesterday, 10, 12)).days == ((yesterday, -2),)


def test_claim_that_agrees_is_clear() -> None:
    """Zero is a figure, and nothing came."""
    assert judge(Control(TODAY - DAY, 0, 0)).condition is Condition.CLEAR
    assert judge().condition is Condition.CLEAR


def test_day_without_a_claim_is_never_told() -> None:
    """All its controls were voided, or none was made."""
    assert judge(Control(TODAY - DAY, None, 12)).condition is Condition.CLEAR


def test_day_is_judged_once_it_is_over_where_the_catalogue_is() -> None:
    """A minute before midnight it is not, at midnight it is."""
    claim = Control(TODAY, 12, 10)
    assert judge(claim).condition is Condition.CLEAR
    midnight = EVENING + timedelta(minutes=1)
    assert judge(claim, at=midnight).condition is Condition.HOLDS


def test_closed_day_is_told_no_more() -> None:
    """Nobody could mend it, and an alert that cannot end is switched off."""
    claim = Control(TODAY - 62 * DAY, 12, 10)
    assert judge(claim).condition is Condition.HOLDS
    assert judge(claim, open_days=61).condition is Condition.CLEAR


def test_nothing_is_claimed_while_we_are_behind() -> None:
    """What differs may be what we have not counted yet."""
    verdict = judge(Control(TODAY - DAY, 12, 10), behind=True)
    assert verdict.condition is Condition.UNKNOWN
    assert judge(behind=True).condition is Condition.UNKNOWN


@given(controls)
def test_order_does_not_matter_and_few_days_are_named(found: list[Control]) -> None:
    """The latest ones, descending; the number is of all."""
    verdict = judge(*found)
    assert verdict == judge(*reversed(found))
    days = [day for day, _ in verdict.days]
    assert days == sorted(set(days), reverse=True)
    assert len(days) == min(verdict.differing, NAMED_DAYS_MAX)
    assert all(difference != 0 for _, difference in verdict.days)
    assert (verdict.condition is Condition.HOLDS) == (verdict.differing > 0)
