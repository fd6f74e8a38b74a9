"""Judging targets, in one transaction each time."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import asyncpg

from services.alerting.core.alerts import Kind
from services.alerting.core.evaluation import NEXT_MIN, Evaluation, evaluate
from services.alerting.core.life_cycle import CREDIT_MAX
from services.alerting.core.pace import (
    LONG_WINDOW_DAYS,
    SHORT_WINDOW_DAYS,
    window_days,
)
from services.alerting.core.path import days_left, level_of, local_day
from services.alerting.core.risk import Outlook, RiskLimits
from services.alerting.core.shipped_texts import SHIPPED
from services.alerting.core.silence import DEFAULT_SHARE_BP, reason_of
from services.alerting.core.status import BEHIND_MAX, DEFAULT_LIMITS, Reading
from services.alerting.core.templates import Texts
from services.alerting.core.texts import Names
from services.alerting.core.webhooks import Webhook
from services.alerting.sql import FORECASTS, QUERIES
from services.alerting.store.messages import make_notice
from services.alerting.store.notices import queue_notices
from services.alerting.store.rows import (
    calm_until,
    map_alert_to_row,
    map_evaluation_to_row,
    map_row_to_gap,
    map_row_to_memory,
    map_row_to_outlook,
    map_row_to_target,
)
from services.alerting.store.session import Session, columns, transaction
from shared.catalogue.model import Target


class EvaluationStore:
    """Evaluates whatever is due; any number of replicas may at the same time."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        interval: timedelta,
        limits: RiskLimits = DEFAULT_LIMITS,
        *,
        silent_bp: int = DEFAULT_SHARE_BP,
        texts: Texts = SHIPPED,
        webhooks: Callable[[], Sequence[Webhook]] = tuple,
        moved: asyncio.Event | None = None,
    ) -> None:
        """Take what is needed.

        Args:
            pool: Connections.
            interval: Longest time between two looks at a target that is under way.
            limits: Between which a chance of missing is a risk.
            silent_bp: Share of silent agencies from which a target is unknown.
            texts: What alerts say.
            webhooks: Those of now, told of transitions in the transaction that makes
                them.
            moved: Set after a commit in which an alert has moved.
        """
        self._pool = pool
        self._interval = interval
        self._limits = limits
        self._silent_bp = silent_bp
        self._texts = texts
        self._webhooks = webhooks
        self._moved = moved

    async def look_at_calm(self, limit: int) -> int:
        """Look at due targets of which a look would find what the last one found.

        In Postgres alone: what was found stands there, and how long it lasts. Where
        anything else has happened nothing is done, and `evaluate_due` finds out.

        Args:
            limit: Most targets at a time: bounds how long rows are locked.

        Returns:
            Number of targets looked at; `limit` means that there may be more.

        Raises:
            TransientError: Postgres is away; try again.
        """
        async with transaction(self._pool) as session:
            said = await session.execute(
                QUERIES["look_at_calm_targets"],
                limit,
                BEHIND_MAX,
                CREDIT_MAX,
                self._interval,
                NEXT_MIN,
            )
        return int(said.rpartition(" ")[2])

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
            alerts = await _read_alerts(session, [row["target"] for row in rows])
            targets = [map_row_to_target(row) for row in rows]
            readings = await read_figures(
                session, rows, targets, state, self._silent_bp
            )
            results = [
                evaluate(
                    target,
                    Names(
                        row["indicator_name"],
                        row["indicator_name_vi"],
                        row["place_name"],
                    ),
                    map_row_to_memory(row, alerts.get(row["target"], {})),
                    reading,
                    is_removed=row["is_removed"],
                    today=_today(row, now),
                    now=now,
                    interval=self._interval,
                    limits=self._limits,
                    texts=self._texts,
                )
                for row, target, reading in zip(rows, targets, readings, strict=True)
            ]
            await _save(session, rows, results, now)
            provinces = {row["target"]: row["province"] for row in rows}
            notices = [
                make_notice(result, look, look.notice, provinces[result.target.id], now)
                for result in results
                for look in result.alerts
                if look.notice is not None
            ]
            await queue_notices(session, self._webhooks(), notices, now)
        if notices and self._moved is not None:
            self._moved.set()
        return len(rows)


def _today(row: asyncpg.Record, now: datetime) -> date:
    return local_day(now, row["timezone"])


async def _read_alerts(
    session: Session, target_ids: list[str]
) -> dict[str, dict[Kind, asyncpg.Record]]:
    found: dict[str, dict[Kind, asyncpg.Record]] = defaultdict(dict)
    for row in await session.fetch(QUERIES["read_alerts"], target_ids):
        found[row["target"]][Kind(row["kind"])] = row
    return found


async def read_figures(
    session: Session,
    rows: list[asyncpg.Record],
    targets: list[Target],
    state: asyncpg.Record,
    silent_bp: int,
) -> list[Reading]:
    """Read what the copy says about targets, given their rows and its state."""
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
        _reading(
            target, row, figure, state, outlooks.get(target.id), silent_bp=silent_bp
        )
        for target, row, figure in zip(targets, rows, figures, strict=True)
    ]


def _reading(
    target: Target,
    row: asyncpg.Record,
    figure: asyncpg.Record,
    state: asyncpg.Record,
    outlook: Outlook | None,
    *,
    silent_bp: int,
) -> Reading:
    due_level = figure["level_on_due"]
    until = _complete_until(figure, state)
    return Reading(
        level=level_of(target, int(figure["level"])),
        level_on_due=None if due_level is None else level_of(target, int(due_level)),
        short_effect=int(figure["short_effect"]),
        long_effect=int(figure["long_effect"]),
        is_filling=state["is_filling"],
        complete_until=until,
        outlook=outlook,
        silence=reason_of(map_row_to_gap(figure), silent_bp),
        is_due_complete=until is not None
        and local_day(until, row["timezone"]) > target.due,
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


async def _save(
    session: Session,
    rows: list[asyncpg.Record],
    results: list[Evaluation],
    now: datetime,
) -> None:
    """Write what is new, and of all targets when to look again."""
    news = [map_evaluation_to_row(result) for result in results if result.is_news]
    if news:
        await session.execute(QUERIES["save_standings"], *columns(news, 16), now)
    others = [
        (result.target.id, result.next_at, calm_until(result, now, row["timezone"]))
        for row, result in zip(rows, results, strict=True)
        if not result.is_news
    ]
    if others:
        await session.execute(QUERIES["save_looks"], *columns(others, 3), now)
    alerts = [
        map_alert_to_row(look, result.target.id)
        for result in results
        for look in result.alerts
    ]
    if alerts:
        await session.execute(QUERIES["save_alerts"], *columns(alerts, 15), now)
