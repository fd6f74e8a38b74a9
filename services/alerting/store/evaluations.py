"""Judging targets, in one transaction each time."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg

from services.alerting.core.alerts import Kind
from services.alerting.core.evaluation import Evaluation, evaluate
from services.alerting.core.life_cycle import Life
from services.alerting.core.pace import (
    LONG_WINDOW_DAYS,
    SHORT_WINDOW_DAYS,
    window_days,
)
from services.alerting.core.path import days_left, level_of, local_day
from services.alerting.core.risk import Outlook, RiskLimits
from services.alerting.core.status import DEFAULT_LIMITS, Reading
from services.alerting.core.texts import Names
from services.alerting.core.webhooks import Webhook
from services.alerting.sql import FORECASTS, QUERIES
from services.alerting.store.messages import render_notice
from services.alerting.store.rows import (
    map_evaluation_to_row,
    map_look_to_row,
    map_row_to_life,
    map_row_to_memory,
    map_row_to_outlook,
    map_row_to_target,
)
from services.alerting.store.session import Session, columns, transaction
from services.alerting.store.webhooks import queue_messages
from shared.catalogue.model import Target


class EvaluationStore:
    """Evaluates whatever is due; any number of replicas may at the same time."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        interval: timedelta,
        limits: RiskLimits = DEFAULT_LIMITS,
        webhooks: Callable[[], Sequence[Webhook]] = tuple,
    ) -> None:
        """Take what is needed.

        Args:
            pool: Connections.
            interval: Longest time between two looks at a target that is under way.
            limits: Between which a chance of missing is a risk.
            webhooks: Those of now, told of transitions in the transaction that makes
                them.
        """
        self._pool = pool
        self._interval = interval
        self._limits = limits
        self._webhooks = webhooks

    async def evaluate_due(self, limit: int) -> int:
        """Lock due targets, judge them, save state and notices, commit.

        A crash before the commit changes nothing, and whoever looks next does it;
        a target that another replica has locked is left to it.

        Returns:
            Number of targets judged; `limit` means that there may be more.

        Raises:
            TransientError: Postgres is away; try again.
        """
        async with transaction(self._pool) as session:
            rows = await session.fetch(QUERIES["lock_due_targets"], limit)
            if not rows:
                return 0
            # Read after the lock was taken: it includes every change that a marked
            # target was marked for.
            state = await session.fetchrow(QUERIES["read_copy_state"])
            assert state is not None, "the query gives one row"
            now: datetime = state["now"]
            lives = await _read_lives(session, [row["target"] for row in rows])
            targets = [map_row_to_target(row) for row in rows]
            readings = await _read_figures(session, rows, targets, state)
            results = [
                evaluate(
                    target,
                    Names(
                        row["indicator_name"],
                        row["indicator_name_vi"],
                        row["place_name"],
                    ),
                    map_row_to_memory(row, lives[row["target"]]),
                    reading,
                    is_removed=row["is_removed"],
                    today=_today(row, now),
                    now=now,
                    interval=self._interval,
                    limits=self._limits,
                )
                for row, target, reading in zip(rows, targets, readings, strict=True)
            ]
            await _save(session, results, now)
            provinces = {row["target"]: row["province"] for row in rows}
            await queue_messages(session, self._webhooks(), results, provinces, now)
        return len(rows)


def _today(row: asyncpg.Record, now: datetime) -> date:
    return local_day(now, row["timezone"])


async def _read_lives(
    session: Session, target_ids: list[str]
) -> dict[str, dict[Kind, Life]]:
    found: dict[str, dict[Kind, Life]] = defaultdict(dict)
    for row in await session.fetch(QUERIES["read_alerts"], target_ids):
        found[row["target"]][Kind(row["kind"])] = map_row_to_life(row)
    return found


async def _read_figures(
    session: Session,
    rows: list[asyncpg.Record],
    targets: list[Target],
    state: asyncpg.Record,
) -> list[Reading]:
    wanted = []
    for row, target in zip(rows, targets, strict=True):
        today = _today(row, state["now"])
        short, long = (
            today - timedelta(days=window_days(target, window, today))
            for window in (SHORT_WINDOW_DAYS, LONG_WINDOW_DAYS)
        )
        over = target.due if days_left(target, today) < 0 else None
        wanted.append((row["unit_id"], short, long, today, over))
    figures = await session.fetch(QUERIES["read_figures"], *columns(wanted, 5))
    target_ids = [target.id for target in targets]
    outlooks = {
        row["target"]: map_row_to_outlook(row)
        for row in await session.fetch(FORECASTS["read_outlooks"], target_ids)
    }
    return [
        _reading(target, figure, state, outlooks.get(target.id))
        for target, figure in zip(targets, figures, strict=True)
    ]


def _reading(
    target: Target,
    figure: asyncpg.Record,
    state: asyncpg.Record,
    outlook: Outlook | None,
) -> Reading:
    due_level = figure["level_on_due"]
    return Reading(
        level=level_of(target, int(figure["level"])),
        level_on_due=None if due_level is None else level_of(target, int(due_level)),
        short_effect=int(figure["short_effect"]),
        long_effect=int(figure["long_effect"]),
        is_filling=state["is_filling"],
        complete_until=_complete_until(figure, state),
        outlook=outlook,
    )


def _complete_until(figure: asyncpg.Record, state: asyncpg.Record) -> datetime | None:
    """Find the instant up to which everything logged is in the figures.

    A unit that nobody has fed yet may be fed by anybody: all watermarks count then.
    """
    is_fed = figure["partitions"] > 0
    applied: datetime | None = (
        figure["applied_until"] if is_fed else state["applied_until"]
    )
    if applied is None or state["caught_up_at"] is None:
        return None
    if is_fed and figure["unknown_partitions"] > 0:
        return None
    caught_up: datetime = state["caught_up_at"]
    return min(applied, caught_up)


async def _save(session: Session, results: list[Evaluation], now: datetime) -> None:
    *columns_but_last, next_at = columns(
        [map_evaluation_to_row(result) for result in results], 15
    )
    await session.execute(QUERIES["save_evaluations"], *columns_but_last, now, next_at)
    looks = [(result, look) for result in results for look in result.alerts]
    if not looks:
        return
    alerts: list[tuple[Any, ...]] = [
        map_look_to_row(result.target.id, look) for result, look in looks
    ]
    await session.execute(QUERIES["save_alerts"], *columns(alerts, 14), now)
    notices = [
        (look.fingerprint, render_notice(result, look, look.notice, now))
        for result, look in looks
        if look.notice is not None
    ]
    if notices:
        await session.execute(QUERIES["add_to_outbox"], *columns(notices, 2))
