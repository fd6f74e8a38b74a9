"""One look at one target, and what is told of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Unpack

import pytest

from services.alerting.core.alerts import (
    RUNBOOKS,
    SEVERITIES,
    Kind,
    condition_of,
    fingerprint,
    policy_of,
)
from services.alerting.core.evaluation import (
    SETTLED_INTERVAL,
    Evaluation,
    Memory,
    evaluate,
)
from services.alerting.core.life_cycle import (
    Condition,
    Firing,
    Pending,
    Resolved,
    State,
)
from services.alerting.core.status import Status
from services.alerting.core.texts import Names
from shared.catalogue.model import Behind, Target
from shared.events.alert_v1 import AlertKind, AlertState
from tests.unit.alerting.cases import DUE, NOON, RISING, Changes, on_day, reading

NAMES = Names("Cashless accounts", "Tài khoản không dùng tiền mặt", "Thanh Hóa")
FRESH = Memory(None, None, None, is_lagging=False, lives={})
INTERVAL = timedelta(seconds=10)
PROMPT = replace(RISING, behind=Behind(for_seconds=0, keep_seconds=0))


def look(
    target: Target,
    day: int,
    level: int,
    *,
    memory: Memory = FRESH,
    is_removed: bool = False,
    **changes: Unpack[Changes],
) -> Evaluation:
    """Evaluate a target on a day, by number."""
    return evaluate(
        target,
        NAMES,
        memory,
        reading(level, **changes),
        is_removed=is_removed,
        today=on_day(day),
        now=NOON,
        interval=INTERVAL,
    )


def test_lagging_target_begins_its_wait() -> None:
    """Pending, told once, looked at again after the interval."""
    result = look(RISING, 50, 1_000)
    (alert,) = result.alerts
    assert alert.kind is Kind.LAGGING
    assert isinstance(alert.life, Pending)
    assert alert.notice is State.PENDING
    assert result.next_at == NOON + INTERVAL


def test_target_on_its_path_has_nothing_to_tell() -> None:
    """No alert that ever was more than quiet."""
    assert look(RISING, 50, 1_500).alerts == ()


def test_wait_that_ends_before_the_interval_is_met_in_time() -> None:
    """A short `for` fires when it is over, not at the next look by the clock."""
    hasty = replace(RISING, behind=Behind(for_seconds=3))
    assert look(hasty, 50, 1_000).next_at == NOON + timedelta(seconds=3)


def test_status_keeps_its_beginning_while_it_lasts() -> None:
    """Lagging since yesterday stays since yesterday."""
    since = NOON - timedelta(days=1)
    memory = replace(FRESH, status=Status.LAGGING, status_since=since, is_lagging=True)
    assert look(RISING, 50, 1_000, memory=memory).status_since == since
    assert look(RISING, 50, 1_600, memory=memory).status_since == NOON


def test_missed_and_met_targets_fire_without_waiting() -> None:
    """They are facts, not conditions that may pass."""
    missed = look(RISING, 101, 1_500, level_on_due=1_500)
    assert [(a.kind, a.notice) for a in missed.alerts] == [(Kind.MISSED, State.FIRING)]
    met = look(RISING, 50, 2_000)
    assert [(a.kind, a.notice) for a in met.alerts] == [(Kind.MET, State.FIRING)]


def test_settled_target_is_looked_at_less_often() -> None:
    """After the due day only late events change anything, and they wake it."""
    assert look(RISING, 101, 0, level_on_due=0).next_at == NOON + SETTLED_INTERVAL


def test_target_that_starts_later_than_tomorrow_is_looked_at_less_often() -> None:
    """A year of successors waits without work; on the eve midnight is near."""
    assert look(RISING, -2, 0).next_at == NOON + SETTLED_INTERVAL
    assert look(RISING, -1, 0).next_at == NOON + INTERVAL


def test_unknown_target_after_its_due_day_is_looked_at_soon() -> None:
    """It is not settled before it can be judged."""
    result = look(RISING, 101, 0, level_on_due=0, is_filling=True)
    assert result.next_at == NOON + INTERVAL
    assert result.alerts == ()


def test_met_is_told_for_a_week_and_missed_for_a_month() -> None:
    """News do not fire for ever."""

    def condition(kind: Kind, status: Status, *, days: int) -> Condition:
        return condition_of(
            kind,
            RISING,
            status,
            status_since=NOON - timedelta(days=days),
            today=DUE + timedelta(days=days),
            now=NOON,
        )

    assert condition(Kind.MET, Status.MET, days=6) is Condition.HOLDS
    assert condition(Kind.MET, Status.MET, days=7) is Condition.CLEAR
    assert condition(Kind.MISSED, Status.MISSED, days=30) is Condition.HOLDS
    assert condition(Kind.MISSED, Status.MISSED, days=31) is Condition.CLEAR


def test_unknown_is_unknown_to_every_kind() -> None:
    """No kind resolves or fires on what cannot be judged."""
    for kind in Kind:
        seen = condition_of(
            kind, RISING, Status.UNKNOWN, status_since=NOON, today=DUE, now=NOON
        )
        assert seen is Condition.UNKNOWN


def test_removed_target_resolves_what_it_raised() -> None:
    """Although it still lags."""
    life = Firing(1, NOON, NOON)
    memory = replace(
        FRESH,
        status=Status.LAGGING,
        status_since=NOON,
        is_lagging=True,
        lives={Kind.LAGGING: life},
    )
    (alert,) = look(RISING, 50, 1_000, memory=memory, is_removed=True).alerts
    assert isinstance(alert.life, Resolved)
    assert alert.notice is State.RESOLVED
    assert alert.summary.english.endswith("is no longer kept.")


def test_removed_target_raises_nothing() -> None:
    """Not even what would fire at once."""
    assert look(PROMPT, 50, 1_000, is_removed=True).alerts == ()


def test_fingerprint_depends_on_kind_and_target_only() -> None:
    """Stable across releases: these are values that Alertmanager has seen."""
    assert fingerprint(Kind.LAGGING, "tha-cashless-2026") == (
        "6401b106246577db067a4c794b1e80a4"
    )
    assert fingerprint(Kind.LAGGING, "a") != fingerprint(Kind.MISSED, "a")
    assert fingerprint(Kind.LAGGING, "a") != fingerprint(Kind.LAGGING, "b")


def test_only_lagging_is_patient() -> None:
    """Its `for` and `keep` come from the target."""
    patient = replace(RISING, behind=Behind(for_seconds=60, keep_seconds=30))
    policy = policy_of(Kind.LAGGING, patient)
    assert (policy.wait, policy.keep) == (timedelta(minutes=1), timedelta(seconds=30))
    assert policy_of(Kind.MISSED, patient).wait == timedelta()


def test_core_and_wire_name_kinds_and_states_alike() -> None:
    """What is decided can be told."""
    assert {kind.value for kind in Kind} <= {kind.value for kind in AlertKind}
    assert [state.value for state in State] == [state.value for state in AlertState]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_severity_and_a_runbook(kind: Kind) -> None:
    """An alert says what to do."""
    assert SEVERITIES[kind] in {"info", "warning", "critical"}
    assert RUNBOOKS[kind].startswith("docs/runbooks/")
