"""Reading all that a target's status is made of, in one snapshot."""

from datetime import datetime

import asyncpg

from services.alerting.core.explanation import Case, StoredAlert
from services.alerting.core.figures import Names
from services.alerting.core.path import local_day
from services.alerting.core.risk import RiskLimits
from services.alerting.core.status import Status, assess
from services.alerting.sql import EXPLAIN, QUERIES
from services.alerting.store.evaluations import read_figures
from services.alerting.store.rows import (
    map_row_to_gap,
    map_row_to_life,
    map_row_to_target,
)
from services.alerting.store.session import Session
from shared.errors import FatalError
from shared.postgres.pool import outages_as_transient


class ExplanationStore:
    """Reads one target as its next look would; changes nothing."""

    def __init__(self, pool: asyncpg.Pool, limits: RiskLimits, silent_bp: int) -> None:
        """Take what is needed.

        Args:
            pool: Connections.
            limits: Between which a chance of missing is a risk.
            silent_bp: Share of silent agencies from which a target is unknown.
        """
        self._pool = pool
        self._limits = limits
        self._silent_bp = silent_bp

    async def read(self, target_id: str) -> Case | None:
        """Read a target with all that it is judged by; None if there is none.

        Raises:
            TransientError: Postgres is away.
            FatalError: The tables are missing.
        """
        async with outages_as_transient():
            try:
                async with (
                    self._pool.acquire() as session,
                    session.transaction(isolation="repeatable_read", readonly=True),
                ):
                    return await self._read(session, target_id)
            except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
                raise FatalError(
                    f"postgres lacks what alerting needs ({error}); run `uptake "
                    "migrate`"
                ) from error

    async def _read(self, session: Session, target_id: str) -> Case | None:
        row = await session.fetchrow(EXPLAIN["read_target"], target_id)
        if row is None:
            return None
        state = await session.fetchrow(QUERIES["read_copy_state"])
        assert state is not None, "the query gives one row"
        now: datetime = state["now"]
        target = map_row_to_target(row)
        today = local_day(now, row["timezone"])
        (reading,) = await read_figures(
            session, [row], [target], state, self._silent_bp
        )
        alerts = await session.fetch(QUERIES["read_alerts"], [target_id])
        return Case(
            target=target,
            names=Names(
                row["indicator_name"], row["indicator_name_vi"], row["place_name"]
            ),
            timezone=row["timezone"],
            reading=reading,
            was_lagging=row["is_lagging"],
            was_at_risk=row["is_at_risk"],
            seen=assess(
                target,
                reading,
                was_lagging=row["is_lagging"],
                was_at_risk=row["is_at_risk"],
                limits=self._limits,
                today=today,
                now=now,
            ),
            limits=self._limits,
            gap=map_row_to_gap(row),
            silent_bp=self._silent_bp,
            outlook=reading.outlook,
            no_forecast=row["no_forecast"],
            stored=None if row["status"] is None else Status(row["status"]),
            stored_since=row["status_since"],
            looked_at=row["evaluated_at"],
            next_at=row["next_evaluation_at"],
            alerts=tuple(
                StoredAlert(
                    each["kind"],
                    map_row_to_life(each, row["evaluated_at"]),
                    each["state_since"],
                )
                for each in sorted(alerts, key=lambda each: each["kind"])
            ),
            today=today,
            now=now,
        )
