"""With a rule of claims taken out of the code, its tests must fail.

As `test_mutations`; all of it is shown by tests without servers.
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

RULES = ("tests/unit/alerting/test_control.py",)
LOOKS = ("tests/unit/alerting/test_control_alerts.py",)
WIRE = ("tests/contract/test_golden_wire.py",)

CONTROL = "services/alerting/core/control.py"
ALERTS = "services/alerting/core/control_alerts.py"
TEXTS = "services/alerting/core/control_texts.py"
RELAY = "services/aggregation/relay.py"

MUTATIONS: Mapping[str, Mutation] = {
    "voided claims are not compared": without(
        CONTROL,
        r"control\.claimed is not None\n            and control\.claimed != ",
        "(control.claimed or 0) != ",
        RULES,
    ),
    "a day is compared once it is over": without(
        CONTROL, r"and 0 < \(today", "and 0 <= (today", RULES
    ),
    "a closed day is compared no more": without(
        CONTROL, r"\.days <= open_days", ".days < 9999", RULES
    ),
    "the day ends where the catalogue is": without(
        CONTROL,
        r"local_day\(complete_until, timezone\)",
        "complete_until.date()",
        RULES,
    ),
    "nothing is claimed while we are behind": without(
        CONTROL, r"Condition\.UNKNOWN if behind else condition", "condition", RULES
    ),
    "sign of a difference": without(
        CONTROL, r"control\.claimed - control\.counted\)", "0)", RULES
    ),
    "nothing is claimed while nothing tells how far we are": without(
        ALERTS, r"behind or complete_until is None", "behind", LOOKS
    ),
    "text that stands while we are behind": without(
        ALERTS,
        r"if is_unknown and not duty\.is_removed and told is not None:",
        "if False:",
        LOOKS,
    ),
    "end of an alert whose agency may send no more": without(
        ALERTS,
        r"if duty\.is_removed:\n        stepped = ",
        "if False:\n        stepped = ",
        LOOKS,
    ),
    "look at midnight": without(
        ALERTS, r"soon if is_unknown else max\(midnight, soon\)", "soon", LOOKS
    ),
    "look again while an alert waits": without(
        ALERTS, r"if waiting is not None:", "if False:", LOOKS
    ),
    "text when all agree": without(TEXTS, r"elif verdict\.differing:", "else:", LOOKS),
    "claim in the message": without(
        RELAY, r'figures = \{"claimed": total\.claimed\}', "figures = {}", WIRE
    ),
}


@pytest.mark.parametrize("tests", [RULES, LOOKS, WIRE], ids=" ".join)
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
