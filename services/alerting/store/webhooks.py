"""Messages that wait for webhooks, and how each webhook has been."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from services.alerting.core.retries import Dead, Fate, Health, Pause, Told, Waiting
from services.alerting.sql import DELIVERIES
from services.alerting.store.session import columns, transaction

WAITING_MAX: Final = 100_000
"""Messages that wait for one webhook; the oldest beyond it are given up."""
KEPT_FOR: Final = timedelta(days=90)
"""How long what was told or given up stays on record."""
UPKEEP_ROWS_MAX: Final = 5_000


@dataclass(frozen=True, slots=True)
class Claim:
    """A webhook that we send to, and nobody else does meanwhile."""

    webhook: str
    by: UUID
    health: Health


@dataclass(frozen=True, slots=True)
class Message:
    """What waits for a webhook."""

    delivery_id: int
    message_id: str
    body: bytes
    waiting: Waiting


@dataclass(frozen=True, slots=True)
class WebhookGauge:
    """What waits for a webhook, and what was given up."""

    webhook: str
    waiting: int
    dead: int
    oldest_seconds: float


class WebhookStore:
    """Hands out what waits for webhooks, and notes what became of it."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(self, webhooks: Sequence[str]) -> None:
        """Take over the webhooks of the file; how they have been stays."""
        async with transaction(self._pool) as session:
            await session.execute(DELIVERIES["add_webhooks"], list(webhooks))

    async def claim(
        self, webhooks: Sequence[str], by: UUID, lease: timedelta
    ) -> Claim | None:
        """Be the one that sends to a webhook that is ready; None if none is.

        Args:
            webhooks: Those we know the addresses of.
            by: This claim's own name.
            lease: How long nobody else may; should we crash, somebody does after it.
        """
        async with transaction(self._pool) as session:
            row = await session.fetchrow(
                DELIVERIES["claim_webhook"], list(webhooks), by, lease
            )
        if row is None:
            return None
        return Claim(row["webhook"], by, Health(row["failures"], row["allowance"]))

    async def messages(self, claim: Claim) -> list[Message]:
        """Read what the webhook is to be told now, at most its allowance.

        At most one message of each alert, the oldest: order within an alert holds.
        """
        async with transaction(self._pool) as session:
            rows = await session.fetch(
                DELIVERIES["read_messages"], claim.webhook, claim.health.allowance
            )
        return [
            Message(
                delivery_id=row["delivery_id"],
                message_id=row["message_id"],
                body=row["message"],
                waiting=Waiting(
                    queued_at=row["queued_at"],
                    next_at=row["next_at"],
                    tries=row["tries"],
                    refusals=row["refusals"],
                    reason=row["reason"],
                ),
            )
            for row in rows
        ]

    async def now(self) -> datetime:
        """Read the database's clock."""
        async with transaction(self._pool) as session:
            now: datetime = await session.fetchval(DELIVERIES["read_clock"])
        return now

    async def save(
        self, claim: Claim, fates: Sequence[tuple[int, Fate]], pause: Pause
    ) -> None:
        """Note what became of messages, and let go of the webhook.

        A crash before this repeats the round, with the same ids.
        """
        rows = [_row(delivery_id, fate) for delivery_id, fate in fates]
        async with transaction(self._pool) as session:
            await session.execute(DELIVERIES["save_fates"], *columns(rows, 7))
            await session.execute(
                DELIVERIES["save_webhook"],
                claim.webhook,
                pause.health.failures,
                pause.health.allowance,
                pause.next_at,
                claim.by,
            )

    async def clear_up(self, keep: timedelta) -> int:
        """Give up what is too old or too much, forget what is long over.

        Returns:
            Number of messages given up.
        """
        async with transaction(self._pool) as session:
            old = await session.execute(
                DELIVERIES["give_up_old"], keep, UPKEEP_ROWS_MAX
            )
            beyond = await session.execute(
                DELIVERIES["give_up_beyond"], WAITING_MAX, UPKEEP_ROWS_MAX
            )
            await session.execute(
                DELIVERIES["forget_deliveries"], KEPT_FOR, UPKEEP_ROWS_MAX
            )
        return _count(old) + _count(beyond)

    async def gauges(self, webhooks: Sequence[str]) -> list[WebhookGauge]:
        """Read what waits for webhooks."""
        async with transaction(self._pool) as session:
            rows = await session.fetch(
                DELIVERIES["read_webhook_gauges"], list(webhooks)
            )
        return [WebhookGauge(**row) for row in rows]


def _count(tag: str) -> int:
    """Return the number of rows of a command's answer, e.g. of `UPDATE 3`."""
    return int(tag.rpartition(" ")[2])


def _row(delivery_id: int, fate: Fate) -> tuple[Any, ...]:
    match fate:
        case Told():
            return delivery_id, fate.tries, 0, None, fate.at, None, ""
        case Dead():
            return (
                delivery_id,
                fate.tries,
                fate.refusals,
                None,
                None,
                fate.at,
                fate.reason,
            )
        case Waiting():
            return (
                delivery_id,
                fate.tries,
                fate.refusals,
                fate.next_at,
                None,
                None,
                fate.reason,
            )
