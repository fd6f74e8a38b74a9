"""Rules of claims."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

RULES = ("tests/unit/alerting/test_control.py",)
LOOKS = ("tests/unit/alerting/test_control_alerts.py",)
WIRE = ("tests/contract/test_golden_wire.py",)

CONTROL = "services/alerting/core/control.py"
ALERTS = "services/alerting/core/control_alerts.py"
TEXTS = "services/alerting/core/control_texts.py"
RELAY = "services/aggregation/relay.py"

GROUPS: Mapping[str, tuple[str, ...]] = {"rules": RULES, "looks": LOOKS, "wire": WIRE}
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
