"""With a rule of the backtest taken out of the code, its tests must fail.

As `test_mutations`; all but what was known is shown by tests without servers.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.test_mutations import (
    SECONDS_MAX,
    Edit,
    Mutation,
    copy_tree,
    fail_with,
    run_tests,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded,
    pytest.mark.timeout(SECONDS_MAX + 60),
]

YEAR = ("tests/unit/alerting/test_scripted_year.py",)
LAWS = ("tests/property/test_backtest_laws.py",)
LEDGER = ("tests/integration/test_backtest.py",)

REPLAY = "services/alerting/core/backtest/replay.py"
KNOWLEDGE = "services/alerting/core/backtest/knowledge.py"
SQL = "services/alerting/sql/backtest.sql"


def without(
    place: str, fragment: str, replacement: str, tests: tuple[str, ...]
) -> Mutation:
    """Take one thing out of one file."""
    return Mutation((Edit(place, fragment, replacement),), tests)


MUTATIONS: Mapping[str, Mutation] = {
    "credit of the looks between": without(
        REPLAY, r"life\.seen_at < last:", "life.seen_at > now:", YEAR
    ),
    "look when a wait is over": without(
        REPLAY, r"yield now \+ rest", "yield now", LAWS
    ),
    "look when a target has been met for long enough": without(
        REPLAY, r"yield memory\.status_since \+ MET_TOLD", "yield now", LAWS
    ),
    "look when figures are too old": without(
        REPLAY, r"yield known\.complete_until \+ _STALE", "yield now", LAWS
    ),
    "level of the due day": without(
        KNOWLEDGE,
        r"if days_left\(target, today\) < 0 else None",
        "if False else None",
        YEAR,
    ),
    "days that are complete": without(
        KNOWLEDGE, r"for each in range\(1, days \+ 1\)", "for each in range(days)", YEAR
    ),
    "days as known then": without(
        SQL,
        r"reporting\.daily_total_known_at\(\$7\)",
        "(SELECT * FROM reporting.daily_total WHERE $7::timestamptz IS NOT NULL)",
        LEDGER,
    ),
    "levels as known then": without(
        SQL,
        r"running_total_known_at\(\$4, \$5\)",
        "running_total_known_at($4, $5 + interval '3 days')",
        LEDGER,
    ),
}


@pytest.mark.parametrize("tests", [YEAR, LAWS, LEDGER], ids=" ".join)
async def test_copied_tree_passes_as_it_is(
    tests: tuple[str, ...], tmp_path: Path
) -> None:
    """Or a failure after a mutation would mean nothing."""
    status, said = await run_tests(copy_tree(tmp_path / "tree"), tests)
    assert status == 0, said


@pytest.mark.parametrize("name", MUTATIONS)
async def test_tests_fail_without(name: str, tmp_path: Path) -> None:
    """Whoever takes this rule out of the code hears of it."""
    await fail_with(MUTATIONS[name], tmp_path)
