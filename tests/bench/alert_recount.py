"""Which alerts there should be, recounted from what was copied, and which were told.

Nothing of alerting's own arithmetic is used: levels and effects are summed from the
copied days, and judged by the sentences of the contract (DESIGN section 8).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import asyncpg

from shared.catalogue.model import Catalogue, LocalityKey, Target
from shared.events.alert_v1 import AlertV1

FIRST_DAYS: Final = 7
WINDOWS: Final = (7, 28)
FULL_BP: Final = 10_000
Days = Mapping[tuple[str, LocalityKey], Mapping[date, int]]


async def targets_that_lag(
    pool: asyncpg.Pool, catalogue: Catalogue, today: date
) -> set[str]:
    """Find the targets that are behind their path and too slow, on a straight path.

    Args:
        pool: Of alerting's database.
        catalogue: With stocks on straight paths only, of which nothing was stated.
        today: The local day.
    """
    days: dict[tuple[str, LocalityKey], dict[date, int]] = defaultdict(
        lambda: defaultdict(int)
    )
    above = {leaf.key: [*catalogue.tree.ancestors(leaf.key)] for leaf in catalogue.tree}
    rows = await pool.fetch(
        "SELECT indicator, locality, valid_from, day, count FROM alerting.daily_total"
    )
    for row in rows:
        for place in above[LocalityKey(row["locality"], row["valid_from"])]:
            days[row["indicator"], place][row["day"]] += int(row["count"])
    return {
        target.id
        for target in catalogue.targets.values()
        if _lags(target, days[target.indicator, target.locality], today)
    }


def _lags(target: Target, counts: Mapping[date, int], today: date) -> bool:
    run, gone = ((day - target.start_date).days for day in (target.due, today))
    if gone < FIRST_DAYS:
        return False
    level, way = sum(counts.values()), target.goal_value - target.start_value
    position = (level - target.start_value) / (way * Fraction(gone, run))
    needed = Fraction(target.goal_value - level, (target.due - today).days)
    paces = [
        Fraction(sum(counts.get(today - timedelta(days=n + 1), 0) for n in range(w)), w)
        / needed
        for w in WINDOWS
    ]
    return position < Fraction(target.behind.enter_bp, FULL_BP) and max(paces) < 1


def recount_notices(told: Iterable[AlertV1], expected: Mapping[str, set[str]]) -> int:
    """Check that each alert that should be raised was raised once, and no other.

    Args:
        told: All notices.
        expected: The targets, by kind of alert.

    Returns:
        Number of alerts that were raised.
    """
    notices = list(told)
    assert len({one.id for one in notices}) == len(notices), "a notice was told twice"
    raised = Counter(
        (one.data.kind.value, one.data.target)
        for one in notices
        if one.data.state.value == "firing"
    )
    wanted = {(kind, target) for kind, each in expected.items() for target in each}
    assert set(raised) == wanted, f"{len(set(raised) ^ wanted)} alerts differ"
    assert set(raised.values()) == {1}, "an alert was raised twice"
    return len(raised)
