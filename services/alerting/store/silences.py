"""Listening to agencies, and working out what targets lack, a transaction each."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from services.alerting.core.agency_alerts import (
    DutyLook,
    look_at,
)
from services.alerting.core.life_cycle import Quiet
from services.alerting.core.shipped_texts import SHIPPED
from services.alerting.core.silence import (
    REPORTED_DAYS,
    Clock,
    Hearing,
    Voice,
    is_behind,
    share_bp,
    tick,
)
from services.alerting.core.status import FULL_BP, Reason
from services.alerting.core.templates import Texts
from services.alerting.core.webhooks import Webhook
from services.alerting.sql import COPY, QUERIES, SILENCE
from services.alerting.store.agency_alerts import save_agency_alerts
from services.alerting.store.marks import mark_targets
from services.alerting.store.rows import map_row_to_duty, map_row_to_life
from services.alerting.store.session import Session, columns, transaction

# The denominator of a silent agency's share moves on with every day that others report.
GAPS_AGE_MAX: Final = timedelta(hours=1)


class SilenceStore:
    """Any number of replicas may listen; one at a time does."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        *,
        texts: Texts = SHIPPED,
        webhooks: Callable[[], Sequence[Webhook]] = tuple,
    ) -> None:
        """Take what is needed.

        Args:
            pool: Connections.
            texts: What alerts say.
            webhooks: Those of now, told of transitions in the transaction that makes
                them.
        """
        self._pool = pool
        self._texts = texts
        self._webhooks = webhooks

    async def listen(self, limit: int, *, can_send: bool = True) -> int:
        """Let the clock run, look at duties, save voices, alerts and notices.

        A crash before the commit changes nothing, and whoever listens next does it.

        Args:
            limit: Most duties at a time.
            can_send: Whether agencies find the door open; the clock stands still
                where they do not.

        Returns:
            Number of duties looked at; `limit` means that there may be more.
        """
        async with transaction(self._pool) as session:
            row = await session.fetchrow(SILENCE["lock_listening"])
            if row is None:
                return 0
            state = await session.fetchrow(QUERIES["read_copy_state"])
            assert state is not None, "the query gives one row"
            now: datetime = state["now"]
            until = complete_until(state)
            heard_until = until if can_send else None
            clock = tick(Clock(row["reading"], row["seen_at"]), heard_until)
            behind = is_behind(until, now, is_filling=state["is_filling"])
            duties = await session.fetch(
                SILENCE["read_duties"], clock.reading, limit, behind
            )
            looks = [
                look_at(
                    map_row_to_duty(duty),
                    _map_row_to_hearing(duty),
                    Quiet() if duty["state"] is None else map_row_to_life(duty),
                    duty["reported_at"],
                    clock,
                    behind=behind,
                    now=now,
                    texts=self._texts,
                )
                for duty in duties
            ]
            await _save(session, looks, self._webhooks(), now)
            is_turned = any(look.is_turned for look in looks)
            await session.execute(
                SILENCE["save_listening"], clock.reading, clock.seen_at, is_turned
            )
        return len(looks)

    async def work_out_gaps(self) -> int:
        """Work out what units lack because of silence, if it is time to.

        Targets whose units changed are judged anew.

        Returns:
            Number of units that changed.
        """
        async with transaction(self._pool) as session:
            if not await session.fetchval(SILENCE["are_gaps_due"], GAPS_AGE_MAX):
                return 0
            # In the order in which everybody locks: the copy, then the clock.
            await session.execute(COPY["lock_positions"])
            if await session.fetchrow(SILENCE["lock_listening"]) is None:
                return 0
            changed = await _write_gaps(session)
            if changed:
                await mark_targets(session, changed)
            await session.execute(SILENCE["note_gaps"])
        return len(changed)


def complete_until(state: asyncpg.Record) -> datetime | None:
    """Return up to when all that was logged by anybody is in the copy."""
    if state["is_filling"] or state["applied_until"] is None:
        return None
    applied: datetime = state["applied_until"]
    caught_up: datetime = state["caught_up_at"]
    return min(applied, caught_up)


async def _save(
    session: Session, looks: list[DutyLook], webhooks: Sequence[Webhook], now: datetime
) -> None:
    hearings = [_map_look_to_row(look) for look in looks if not look.duty.is_removed]
    if hearings:
        await session.execute(SILENCE["save_hearings"], *columns(hearings, 9))
    alerts = [look.alert for look in looks if look.alert is not None]
    await save_agency_alerts(session, alerts, webhooks, now)


async def _write_gaps(session: Session) -> list[int]:
    brought: dict[int, list[tuple[str, int, bool]]] = defaultdict(list)
    for row in await session.fetch(SILENCE["read_brought"], REPORTED_DAYS):
        size = (row["agency"], int(row["size"]), row["is_unheard"])
        brought[row["unit_id"]].append(size)
    shares = {
        (unit_id, agency): (size * FULL_BP // max(1, sum(one[1] for one in each)))
        for unit_id, each in brought.items()
        for agency, size, is_unheard in each
        if is_unheard
    }
    totals = {
        unit_id: share_bp((size, is_unheard) for _, size, is_unheard in each)
        for unit_id, each in brought.items()
    }
    required: dict[int, Reason] = {}
    missing: set[tuple[int, str]] = set()
    for row in await session.fetch(SILENCE["read_required_gaps"]):
        missing.add((row["unit_id"], row["agency"]))
        if row["is_silent"]:
            required[row["unit_id"]] = Reason.SILENT
        else:
            required.setdefault(row["unit_id"], Reason.NEVER_REPORTED)
    await session.execute(SILENCE["clear_silences"])
    silences = [
        (*key, shares.get(key, 0), key in missing)
        for key in sorted({*shares, *missing})
    ]
    await session.execute(SILENCE["add_silences"], *columns(silences, 4))
    gaps = [
        (unit_id, totals.get(unit_id, 0), required.get(unit_id))
        for unit_id in sorted({*totals, *required})
    ]
    rows = await session.fetch(SILENCE["save_gaps"], *columns(gaps, 3))
    return sorted(row["unit_id"] for row in rows)


def _map_row_to_hearing(row: asyncpg.Record) -> Hearing:
    return Hearing(
        heard_at=row["heard_at"],
        mark=row["mark"],
        noted=row["noted"],
        voice=Voice(row["voice"]),
        since=row["voice_since"],
        turned=row["turned"],
    )


def _map_look_to_row(look: DutyLook) -> tuple[Any, ...]:
    hearing = look.hearing
    return (
        look.duty.agency,
        look.duty.indicator,
        hearing.heard_at,
        hearing.mark,
        hearing.noted,
        hearing.turned,
        look.next_reading,
        hearing.voice.value,
        hearing.since,
    )
