"""Between rows and the core's values."""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, assert_never

import asyncpg

from services.alerting.core.agency_alerts import AgencyAlert, Duty
from services.alerting.core.alerts import Kind
from services.alerting.core.evaluation import AlertLook, Evaluation, Memory
from services.alerting.core.life_cycle import (
    Firing,
    Kept,
    Life,
    Pending,
    Quiet,
    Resolved,
    State,
    carry,
    state_of,
)
from services.alerting.core.path import end_of_day, local_day
from services.alerting.core.risk import Outlook
from services.alerting.core.silence import Gap
from services.alerting.core.standing import LastLook, Standing
from services.alerting.core.status import Reason, Status
from shared.catalogue.model import (
    Behind,
    LocalityKey,
    Measure,
    Milestone,
    Population,
    Target,
    Trajectory,
)

# What a target is defined by is read again at each look, and is the same for months.
_TARGETS_KEPT: Final = 16_384
_DEFINITION: Final = (
    "target",
    "indicator",
    "locality",
    "valid_from",
    "start_date",
    "start_value",
    "due",
    "goal",
    "trajectory",
    "enter_bp",
    "leave_bp",
    "for_seconds",
    "keep_seconds",
    "issued_by",
    "illustrative",
    "measure",
    "milestones",
    "goal_share_bp",
    "population_group",
    "population_as_of",
    "population",
    "population_source",
    "population_illustrative",
    "period",
    "succeeds",
)
_definition_of: Final = itemgetter(*_DEFINITION)
# What is shown of a target beside status and reason, in the order of `Standing`.
_shown_of: Final = itemgetter(*Standing._fields[2:])


def write_milestones(milestones: tuple[Milestone, ...]) -> str:
    """Write milestones as JSON: days and values, in their order."""
    return json.dumps([[one.day.isoformat(), one.value] for one in milestones])


def read_milestones(text: str) -> tuple[Milestone, ...]:
    """Read what `write_milestones` wrote."""
    return tuple(
        Milestone(date.fromisoformat(day), value) for day, value in json.loads(text)
    )


def map_row_to_target(row: asyncpg.Record) -> Target:
    """Read a target's definition."""
    return _make_target(_definition_of(row))


@lru_cache(maxsize=_TARGETS_KEPT)
def _make_target(definition: tuple[Any, ...]) -> Target:
    row = dict(zip(_DEFINITION, definition, strict=True))
    return Target(
        id=row["target"],
        indicator=row["indicator"],
        locality=LocalityKey(row["locality"], row["valid_from"]),
        start_date=row["start_date"],
        start_value=row["start_value"],
        due=row["due"],
        goal_value=row["goal"],
        trajectory=Trajectory(row["trajectory"]),
        behind=Behind(
            enter_bp=row["enter_bp"],
            leave_bp=row["leave_bp"],
            for_seconds=row["for_seconds"],
            keep_seconds=row["keep_seconds"],
        ),
        issued_by=row["issued_by"],
        illustrative=row["illustrative"],
        measure=Measure(row["measure"]),
        milestones=read_milestones(row["milestones"]),
        goal_share_bp=row["goal_share_bp"],
        population=_map_row_to_population(row),
        period=row["period"],
        succeeds=row["succeeds"],
    )


def _map_row_to_population(row: Mapping[str, Any]) -> Population | None:
    if row["population_group"] is None:
        return None
    return Population(
        group=row["population_group"],
        locality=LocalityKey(row["locality"], row["valid_from"]),
        as_of=row["population_as_of"],
        count=row["population"],
        source=row["population_source"],
        illustrative=row["population_illustrative"],
    )


def map_row_to_memory(
    row: asyncpg.Record, alerts: Mapping[Kind, asyncpg.Record]
) -> Memory:
    """Read what the look before left behind.

    Args:
        row: The target's.
        alerts: The rows of its alerts.
    """
    status = None if row["status"] is None else Status(row["status"])
    reason = None if row["reason"] is None else Reason(row["reason"])
    last, seen_at = None, row["evaluated_at"]
    if status is not None and seen_at is not None and not row["is_taken_over"]:
        last = LastLook(
            at=seen_at,
            day=local_day(seen_at, row["timezone"]),
            standing=Standing(status, reason, *_shown_of(row)),
            changed_at=row["changed_at"],
            written={kind: alert["evaluated_at"] for kind, alert in alerts.items()},
        )
    return Memory(
        status=status,
        reason=reason,
        status_since=row["status_since"],
        is_lagging=row["is_lagging"],
        lives={kind: map_row_to_life(alert, seen_at) for kind, alert in alerts.items()},
        is_at_risk=row["is_at_risk"],
        last=last,
    )


def map_row_to_outlook(row: asyncpg.Record) -> Outlook:
    """Read a target's last forecast."""
    return Outlook(
        day=row["day"],
        miss_bp=row["miss_bp"],
        p10=row["p10"],
        p50=row["p50"],
        p90=row["p90"],
        made_at=row["made_at"],
    )


def map_row_to_gap(row: asyncpg.Record) -> Gap:
    """Read what a target lacks because of silence."""
    return Gap(
        share_bp=row["silent_bp"],
        is_required_silent=row["required_gap"] == Reason.SILENT,
        is_required_unheard=row["required_gap"] == Reason.NEVER_REPORTED,
    )


def map_row_to_duty(row: asyncpg.Record) -> Duty:
    """Read what an agency may send, and owes."""
    return Duty(
        agency=row["agency"],
        agency_name=row["agency_name"],
        indicator=row["indicator"],
        indicator_name=row["indicator_name"],
        indicator_name_vi=row["indicator_name_vi"],
        locality=row["locality"],
        province=row["province"],
        timezone=row["timezone"],
        cadence=row["cadence"],
        expected_at=row["expected_at"],
        is_removed=row["is_removed"],
    )


def map_row_to_life(row: asyncpg.Record, seen_at: datetime | None = None) -> Life:
    """Read where an alert is in its life.

    Args:
        row: The alert's, as it was last written.
        seen_at: When last somebody looked; looks after the writing were all alike.
            None where each look is written.
    """
    life = _written_life(row)
    return life if seen_at is None else carry(life, seen_at)


def _written_life(row: asyncpg.Record) -> Life:
    state = State(row["state"])
    episode = row["episode"]
    match state:
        case State.QUIET:
            return Quiet(episode)
        case State.PENDING:
            return Pending(
                episode, row["pending_since"], row["credited"], row["seen_at"]
            )
        case State.FIRING:
            return Firing(
                episode, row["pending_since"], row["firing_since"], row["was_kept"]
            )
        case State.KEPT:
            return Kept(
                episode,
                pending_since=row["pending_since"],
                firing_since=row["firing_since"],
                since=row["state_since"],
                cleared=row["credited"],
                seen_at=row["seen_at"],
            )
        case State.RESOLVED:
            return Resolved(
                episode, row["pending_since"], row["firing_since"], row["resolved_at"]
            )
        case _:
            assert_never(state)


def _life_columns(life: Life) -> tuple[Any, ...]:
    """Write a life: pending and firing since, over at, credit, looked at, was kept."""
    pending_since = firing_since = resolved_at = seen_at = None
    credited, was_kept = timedelta(), False
    match life:
        case Quiet():
            pass
        case Pending():
            pending_since = life.since
            credited, seen_at = life.held, life.seen_at
        case Firing():
            pending_since, firing_since = life.pending_since, life.since
            was_kept = life.was_kept
        case Kept():
            pending_since, firing_since = life.pending_since, life.firing_since
            credited, seen_at = life.cleared, life.seen_at
        case Resolved():
            pending_since, firing_since = life.pending_since, life.firing_since
            resolved_at = life.at
        case _:
            assert_never(life)
    return pending_since, firing_since, resolved_at, credited, seen_at, was_kept


def map_alert_to_row(
    alert: AlertLook | AgencyAlert, target_id: str | None = None
) -> tuple[Any, ...]:
    """Write an alert, as the columns of the query `save_alerts`.

    Args:
        alert: About a target, or about an agency.
        target_id: Of the target, where it is about one.
    """
    agency = indicator = None
    if isinstance(alert, AgencyAlert):
        agency, indicator = alert.duty.agency, alert.duty.indicator
    return (
        alert.fingerprint,
        target_id,
        agency,
        indicator,
        alert.kind.value,
        state_of(alert.life).value,
        alert.life.episode,
        *_life_columns(alert.life),
        alert.summary.english,
        alert.summary.vietnamese,
    )


def map_evaluation_to_row(result: Evaluation) -> tuple[Any, ...]:
    """Write where a target stands, as the columns of the query `save_standings`."""
    shown = result.standing
    return (
        result.target.id,
        shown.status.value,
        None if shown.reason is None else shown.reason.value,
        *shown[2:],
        result.status_since,
        result.next_at,
    )


def calm_until(result: Evaluation, now: datetime, timezone: str) -> datetime | None:
    """Return until when looks find again what this one found; the day ends that too.

    Args:
        result: What a look found.
        now: When it was.
        timezone: The target's.
    """
    if result.calm_until is None:
        return None
    return min(result.calm_until, end_of_day(local_day(now, timezone), timezone))
