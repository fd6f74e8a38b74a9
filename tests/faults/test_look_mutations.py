"""With a rule of what a look writes taken out of the code, its tests must fail.

As `test_mutations`.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.test_mutations import (
    SECONDS_MAX,
    Mutation,
    copy_tree,
    fail_with,
    run_tests,
)
from tests.faults.test_path_mutations import without

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded,
    pytest.mark.timeout(SECONDS_MAX + 60),
]

WORDS = ("tests/unit/alerting/test_standing.py",)
LIVES = (
    "tests/property/test_alert_life_cycle.py",
    "-k",
    "written_only or written_once",
)
LOOKS = ("tests/integration/test_alerting_looks.py",)

LIFE = "services/alerting/core/life_cycle.py"
STANDING = "services/alerting/core/standing.py"
ROWS = "services/alerting/store/rows.py"
COPY = "services/alerting/sql/copy.sql"

MUTATIONS: Mapping[str, Mutation] = {
    "time held between two writings": without(
        LIFE, r"life\.held \+ \(to - life\.seen_at\)", "life.held", LIVES
    ),
    "time clear between two writings": without(
        LIFE, r"life\.cleared \+ \(to - life\.seen_at\)", "life.cleared", LIVES
    ),
    "carrying on of what is written": without(
        ROWS,
        r"return life if seen_at is None else carry\(life, seen_at\)",
        "return life",
        LOOKS,
    ),
    "writing of an alert that moves": without(
        STANDING, r"if after != carry\(before, now\):", "if False:", WORDS
    ),
    "rest between two texts": without(
        STANDING, r"timedelta\(seconds=30\)", "timedelta(0)", WORDS
    ),
    "words for a new day": without(STANDING, r" or last\.day != today", "", WORDS),
    "words for a new forecast": without(
        STANDING,
        r"None if seen\.outlook is None else seen\.outlook\.made_at",
        "None",
        WORDS,
    ),
    "one look a second": without(
        COPY,
        r"greatest\(clock_timestamp\(\), t\.evaluated_at \+ interval '1 second'\)\n"
        r"WHERE",
        "clock_timestamp()\nWHERE",
        LOOKS,
    ),
}


@pytest.mark.parametrize("tests", [WORDS, LIVES, LOOKS], ids=" ".join)
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
