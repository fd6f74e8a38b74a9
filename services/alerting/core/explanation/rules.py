"""The statuses in their order, each with why it holds or does not."""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from services.alerting.core.explanation.case import Case
from services.alerting.core.explanation.numbers import days, limit, number, percent
from services.alerting.core.path import day_number, days_left, direction, is_met
from services.alerting.core.risk import is_at_risk
from services.alerting.core.silence import reason_of
from services.alerting.core.status import (
    AHEAD_BP,
    BEHIND_MAX,
    FULL_BP,
    GRACE_DAYS,
    Status,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One status, and whether it is the one."""

    status: Status
    holds: bool
    why: str


def rules_up_to_status(case: Case) -> tuple[Rule, ...]:
    """List the rules in their order, up to the first that holds."""
    passed = []
    for find in (
        _not_started,
        _filling,
        _met,
        _missed,
        _platform,
        _silence,
        _lagging,
        _at_risk,
        _ahead,
    ):
        rule = find(case)
        passed.append(rule)
        if rule.holds:
            return tuple(passed)
    passed.append(Rule(Status.ON_TRACK, holds=True, why="none of the above"))
    return tuple(passed)


def _not_started(case: Case) -> Rule:
    at = day_number(case.target, case.today)
    why = f"starts in {days(-at)}" if at < 0 else f"started {days(at)} ago"
    return Rule(Status.NOT_STARTED, at < 0, why)


def _filling(case: Case) -> Rule:
    is_filling = case.reading.is_filling
    why = "the copy of totals has never been complete"
    if not is_filling:
        why = "the copy of totals has been complete"
    return Rule(Status.UNKNOWN, is_filling, why)


def _met(case: Case) -> Rule:
    target, actual = case.target, case.seen.actual
    holds = is_met(target, actual)
    rises = direction(target) > 0
    sign = (">=" if rises else "<=") if holds else ("<" if rises else ">")
    return Rule(Status.MET, holds, f"{actual:,} {sign} the goal, {target.goal_value:,}")


def _missed(case: Case) -> Rule:
    left = days_left(case.target, case.today)
    if left >= 0:
        return Rule(Status.MISSED, holds=False, why=f"{days(left)} left")
    why = f"the due day was {days(-left)} ago"
    if case.reading.is_due_complete:
        return Rule(Status.MISSED, holds=True, why=why)
    why += ", not all that was logged until it was over is counted: reason platform"
    return Rule(Status.UNKNOWN, holds=True, why=why)


def _platform(case: Case) -> Rule:
    until = case.reading.complete_until
    most = f"{BEHIND_MAX // timedelta(minutes=1)} minutes"
    if until is None:
        why = "nothing tells up to when the figures are complete"
        return Rule(Status.UNKNOWN, holds=True, why=why)
    age = case.now - until
    holds = age > BEHIND_MAX
    seconds = age // timedelta(seconds=1)
    why = f"the figures are {seconds:,} s behind, "
    why += f"more than {most}: reason platform" if holds else f"at most {most}"
    return Rule(Status.UNKNOWN, holds, why)


def _silence(case: Case) -> Rule:
    gap, bound = case.gap, percent(case.silent_bp)
    reason = reason_of(gap, case.silent_bp)
    share = percent(gap.share_bp)
    if gap.is_required_silent:
        why = "a required agency is silent"
    elif gap.share_bp >= case.silent_bp:
        why = f"silent agencies brought {share} of the last days, at least {bound}"
    elif gap.is_required_unheard:
        why = "a required agency has never reported"
    else:
        why = f"silent agencies brought {share} of the last days, less than {bound}"
    if reason is not None:
        why += f": reason {reason.value}"
    return Rule(Status.UNKNOWN, reason is not None, why)


def _lagging(case: Case) -> Rule:
    target, seen = case.target, case.seen
    place, short, long = seen.position, seen.short_pace, seen.long_pace
    assert place is not None, "a target that has started has a position"
    if day_number(target, case.today) < GRACE_DAYS:
        why = f"never in the first {days(GRACE_DAYS)}"
        return Rule(Status.LAGGING, holds=False, why=why)
    enough = [pace.is_enough for pace in (short, long)]
    paces = "neither pace is enough"
    if all(enough):
        paces = "both paces are enough"
    elif any(enough):
        paces = "one pace is enough"
    bound = target.behind.leave_bp if case.was_lagging else target.behind.enter_bp
    is_below = place < Fraction(bound, FULL_BP)
    sign = "<" if is_below else ">="
    where = f"position {number(place)} {sign} {limit(bound)}"
    if case.was_lagging:
        holds = is_below and not all(enough)
        how = f"lagged before, ends at {limit(bound)} or with both paces"
    else:
        holds = is_below and not any(enough)
        how = f"begins below {limit(bound)} with neither pace enough"
    return Rule(Status.LAGGING, holds, f"{where}; {paces}; {how}")


def _at_risk(case: Case) -> Rule:
    outlook, limits = case.seen.outlook, case.limits
    holds = is_at_risk(outlook, limits, was=case.was_at_risk)
    if outlook is None:
        was = "was at risk before" if case.was_at_risk else "was not before"
        return Rule(Status.AT_RISK, holds, f"no forecast to go by; {was}")
    if outlook.miss_bp is None:
        return Rule(Status.AT_RISK, holds, "nothing is forecast")
    chance = limit(outlook.miss_bp)
    if case.was_at_risk:
        sign = ">" if holds else "<="
        bound = limit(limits.leave_bp)
        why = f"chance of missing {chance} {sign} {bound}; was at risk before"
    else:
        sign = ">=" if holds else "<"
        why = f"chance of missing {chance} {sign} {limit(limits.enter_bp)}"
    return Rule(Status.AT_RISK, holds, why)


def _ahead(case: Case) -> Rule:
    place = case.seen.position
    assert place is not None, "a target that has started has a position"
    holds = place >= Fraction(AHEAD_BP, FULL_BP)
    sign = ">=" if holds else "<"
    return Rule(
        Status.AHEAD, holds, f"position {number(place)} {sign} {limit(AHEAD_BP)}"
    )
