"""With a rule of silence taken out of the code, its tests must fail.

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

UNITS = ("tests/unit/alerting/test_silence.py",)
LAWS = ("tests/property/test_silence_laws.py",)
SHUT = ("tests/integration/test_alerting_silence.py", "-k", "cannot_send")
DOOR = ("tests/integration/test_alerting_door.py",)
DUTIES = ("tests/unit/alerting/test_agency_alerts.py",)
STATUS_TESTS = ("tests/unit/alerting/test_status.py",)

SILENCE = "services/alerting/core/silence.py"
ALERTS = "services/alerting/core/agency_alerts.py"
STATUS = "services/alerting/core/status.py"

MUTATIONS: Mapping[str, Mutation] = {
    "silence of those who never reported": without(
        SILENCE,
        r"if reading - hearing\.mark > cadence:",
        "if hearing.heard_at and reading - hearing.mark > cadence:",
        UNITS,
    ),
    "report in time after exactly a cadence": without(
        SILENCE, r"hearing\.mark > cadence", "hearing.mark >= cadence", UNITS
    ),
    "clock that stands still while we are away": without(
        SILENCE,
        r"min\(max\(complete_until - seen, ZERO\), CREDIT_MAX\)",
        "max(complete_until - seen, ZERO)",
        UNITS,
    ),
    "clock that does not run backwards": without(
        SILENCE, r"max\(complete_until - seen, ZERO\)", "complete_until - seen", UNITS
    ),
    "bound on the age of a report after our absence": without(
        SILENCE,
        r"max\(hearing\.noted, clock\.reading - age\)",
        "clock.reading - age",
        UNITS,
    ),
    "date of a report by the log": without(
        SILENCE,
        r"max\(hearing\.noted, clock\.reading - age\)",
        "clock.reading",
        UNITS,
    ),
    "time to settle": without(
        SILENCE,
        r"return Voice\.HEARD if is_settled else Voice\.RETURNING",
        "return Voice.HEARD",
        UNITS,
    ),
    "nobody silent while we are behind": without(
        SILENCE, r"return Condition\.UNKNOWN", "pass", UNITS
    ),
    "share from which a target is unknown": without(
        SILENCE, r"gap\.share_bp >= limit_bp", "gap.share_bp > limit_bp", UNITS
    ),
    "required agency that never reported": without(
        SILENCE,
        r"Reason\.NEVER_REPORTED if gap\.is_required_unheard else None",
        "None",
        UNITS,
    ),
    "platform before silence": without(
        STATUS, r"        return Reason\.PLATFORM\n", "        pass\n", STATUS_TESTS
    ),
    "silence that makes a target unknown": without(
        STATUS, r"return reading\.silence", "return None", STATUS_TESTS
    ),
    "voices that stand still while we are behind": without(
        ALERTS, r"if not \(behind or duty\.is_removed\):", "if True:", DUTIES
    ),
    "end of an alert whose duty is gone": without(
        ALERTS,
        r"if duty\.is_removed:\n        told = ",
        "if False:\n        told = ",
        DUTIES,
    ),
    "clock that stands still while the door is closed": without(
        "services/alerting/store/silences.py",
        r"until if can_send else None",
        "until",
        SHUT,
    ),
    "answer of a door that is ready": without(
        "services/alerting/door.py",
        r"answer\.status == HTTPStatus\.OK",
        "answer.ok",
        DOOR,
    ),
    "first report as a turn": without(
        ALERTS, r"is_turned=is_first or ", "is_turned=", DUTIES
    ),
}


@pytest.mark.parametrize(
    "tests", [UNITS, LAWS, DUTIES, STATUS_TESTS, SHUT, DOOR], ids=" ".join
)
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
