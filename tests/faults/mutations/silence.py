"""Rules of silence."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

UNITS = ("tests/unit/alerting/test_silence.py",)
LAWS = ("tests/property/test_silence_laws.py",)
SHUT = ("tests/integration/test_alerting_silence.py", "-k", "cannot_send")
DOOR = ("tests/integration/test_alerting_door.py",)
DUTIES = ("tests/unit/alerting/test_agency_alerts.py",)
STATUS_TESTS = ("tests/unit/alerting/test_status.py",)

SILENCE = "services/alerting/core/silence.py"
ALERTS = "services/alerting/core/agency_alerts.py"
STATUS = "services/alerting/core/status.py"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "units": UNITS,
    "laws": LAWS,
    "duties": DUTIES,
    "status": STATUS_TESTS,
    "shut": SHUT,
    "door": DOOR,
}
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
        SILENCE, r"max\(hearing\.noted, clock\.reading - age\)", "clock.reading", UNITS
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
    "miss that waits for its due day": without(
        STATUS,
        r"Status\.MISSED if reading\.is_due_complete else Status\.UNKNOWN",
        "Status.MISSED",
        STATUS_TESTS,
    ),
    "first report as a turn": without(
        ALERTS, r"is_turned=is_first or ", "is_turned=", DUTIES
    ),
}
