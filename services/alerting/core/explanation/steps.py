"""The whole explanation, from the goal to the alerts."""

from datetime import timedelta
from typing import Final, assert_never

from services.alerting.core.explanation.case import (
    Case,
    Explanation,
    Step,
    StoredAlert,
)
from services.alerting.core.explanation.numbers import moment
from services.alerting.core.explanation.pace import (
    explain_forecast,
    explain_paces,
    explain_required,
)
from services.alerting.core.explanation.path import (
    CATALOGUE,
    explain_actual,
    explain_day,
    explain_due_now,
    explain_goal,
    explain_path,
    explain_position,
)
from services.alerting.core.explanation.rules import rules_up_to_status
from services.alerting.core.life_cycle import Firing, Kept, Pending, Quiet, Resolved

RULES: Final = "the first that holds"
STORED: Final = "stored by the last look"


def explain(case: Case) -> Explanation:
    """Explain a target's status at an instant."""
    return Explanation(
        target=case.target.id,
        at=case.now,
        status=case.seen.status,
        steps=(
            _explain_target(case),
            explain_goal(case),
            explain_path(case),
            explain_day(case),
            explain_due_now(case),
            explain_actual(case),
            explain_position(case),
            explain_required(case),
            *explain_paces(case),
            explain_forecast(case),
            _explain_rules(case),
            _explain_status(case),
            *_explain_alerts(case),
        ),
    )


def _explain_target(case: Case) -> Step:
    target = case.target
    issued = "illustrative" if target.issued_by is None else target.issued_by
    line = f"{case.names.indicator} of {case.names.place} ({target.locality.code})"
    return Step("target", "target", target.id, (line, issued), CATALOGUE)


def _explain_rules(case: Case) -> Step:
    lines = tuple(
        f"{rule.status.value}: {'yes' if rule.holds else 'no'}, {rule.why}"
        for rule in rules_up_to_status(case)
    )
    return Step("rules", "rules", case.seen.status.value, lines, RULES)


def _explain_status(case: Case) -> Step:
    seen = case.seen
    reason = "" if seen.reason is None else f" (reason {seen.reason.value})"
    lines = [f"{seen.status.value}{reason}"]
    looked = moment(case.looked_at, case.timezone)
    if case.stored is None:
        lines.append("nobody has looked yet")
    elif case.stored is not seen.status:
        lines.append(f"the look at {looked} still found {case.stored.value}")
    else:
        since = moment(case.stored_since, case.timezone)
        lines.append(f"since {since}, seen last at {looked}")
    following = moment(case.next_at, case.timezone)
    lines.append(f"next look at {following}, or when a total changes")
    return Step("status", "status", seen.status.value, tuple(lines), STORED)


def _explain_alerts(case: Case) -> tuple[Step, ...]:
    lines = tuple(line for one in case.alerts for line in _alert(one, case))
    if not lines:
        lines = ("none",)
    return (Step("alerts", "alerts", len(case.alerts), lines, STORED),)


def _alert(one: StoredAlert, case: Case) -> tuple[str, ...]:
    life, behind = one.life, case.target.behind
    since = moment(one.since, case.timezone)
    match life:
        case Quiet():
            return (f"{one.kind} quiet since {since}",)
        case Pending():
            waited = _length(life.held)
            wait = _length(timedelta(seconds=behind.for_seconds))
            return (f"{one.kind} pending since {since}: {waited} of {wait}",)
        case Firing():
            before = moment(life.pending_since, case.timezone)
            return (f"{one.kind} firing since {since} (pending since {before})",)
        case Kept():
            waited = _length(life.cleared)
            keep = _length(timedelta(seconds=behind.keep_seconds))
            return (f"{one.kind} kept since {since}: clear for {waited} of {keep}",)
        case Resolved():
            return (f"{one.kind} resolved at {moment(life.at, case.timezone)}",)
        case _:
            assert_never(life)


def _length(length: timedelta) -> str:
    """Write a time in hours, minutes and seconds, without what is nought."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{size} {unit}" for size, unit in parts if size) or "0 s"
