"""Holding what agencies claim against what was counted; a transaction each round."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg

from services.alerting.core.control import PATIENCE, Control
from services.alerting.core.control_alerts import Claims, Comparison, compare
from services.alerting.core.life_cycle import Policy, Quiet
from services.alerting.core.path import local_day
from services.alerting.core.shipped_texts import SHIPPED
from services.alerting.core.silence import is_behind
from services.alerting.core.templates import Texts
from services.alerting.core.texts import Summary
from services.alerting.core.webhooks import Webhook
from services.alerting.sql import CONTROL, QUERIES
from services.alerting.store.agency_alerts import save_agency_alerts
from services.alerting.store.rows import map_row_to_duty, map_row_to_life
from services.alerting.store.session import Session, columns, transaction
from services.alerting.store.silences import complete_until

Pair = tuple[str, str]
"""(agency, indicator)."""


class ComparisonStore:
    """Any number of replicas may compare; each claim is looked at by one at a time."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        policy: Policy = PATIENCE,
        *,
        texts: Texts = SHIPPED,
        webhooks: Callable[[], Sequence[Webhook]] = tuple,
    ) -> None:
        """Take what is needed.

        Args:
            pool: Of alerting's connections.
            policy: How patient the alerts are.
            texts: What alerts say.
            webhooks: Those of now, told of transitions in the transaction that makes
                them.
        """
        self._pool = pool
        self._texts = texts
        self._webhooks = webhooks
        self._policy = policy

    async def compare_due(self, limit: int) -> int:
        """Compare what is due, save alerts and notices.

        A crash before the commit changes nothing, and whoever is next does it.

        Returns:
            Number of agencies and indicators compared; `limit` means that there may
            be more.
        """
        async with transaction(self._pool) as session:
            rows = await session.fetch(CONTROL["read_due_comparisons"], limit)
            if not rows:
                return 0
            # Behind the locks, so that what was marked before them is seen.
            state = await session.fetchrow(QUERIES["read_copy_state"])
            assert state is not None, "the query gives one row"
            now: datetime = state["now"]
            until = complete_until(state)
            behind = is_behind(until, now, is_filling=state["is_filling"])
            controls = await _read_controls(session, rows, until or now)
            looks = [
                compare(
                    Claims(
                        map_row_to_duty(row),
                        tuple(controls[row["agency"], row["indicator"]]),
                        row["window_days"],
                    ),
                    Quiet() if row["state"] is None else map_row_to_life(row),
                    _told(row),
                    until,
                    self._policy,
                    behind=behind,
                    now=now,
                    texts=self._texts,
                )
                for row in rows
            ]
            await _save(session, looks, self._webhooks(), now)
        return len(looks)

    async def differing_by_agency(self) -> Mapping[str, int]:
        """Count the days that agencies claim otherwise than was counted."""
        async with transaction(self._pool) as session:
            rows = await session.fetch(CONTROL["count_differing"])
        return {row["agency"]: row["days"] for row in rows}


async def _read_controls(
    session: Session, rows: list[asyncpg.Record], until: datetime
) -> Mapping[Pair, list[Control]]:
    """Read the claims of days that can still be mended, and of later ones."""
    pairs = [
        (
            row["agency"],
            row["indicator"],
            local_day(until, row["timezone"]) - timedelta(days=row["window_days"]),
        )
        for row in rows
    ]
    found: defaultdict[Pair, list[Control]] = defaultdict(list)
    for row in await session.fetch(CONTROL["read_claims"], *columns(pairs, 3)):
        control = Control(row["day"], int(row["claimed"]), int(row["counted"]))
        found[row["agency"], row["indicator"]].append(control)
    return found


def _told(row: asyncpg.Record) -> Summary | None:
    if row["state"] is None:
        return None
    return Summary(row["summary_en"], row["summary_vi"])


async def _save(
    session: Session,
    looks: list[Comparison],
    webhooks: Sequence[Webhook],
    now: datetime,
) -> None:
    saved = [
        (look.duty.agency, look.duty.indicator, look.next_at, look.differing)
        for look in looks
    ]
    await session.execute(CONTROL["save_comparisons"], *columns(saved, 4))
    alerts = [look.alert for look in looks if look.alert is not None]
    await save_agency_alerts(session, alerts, webhooks, now)
