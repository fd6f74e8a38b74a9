"""Rounds of a sender of webhooks, one by one, and what came of them."""

from datetime import timedelta
from uuid import uuid4

import aiohttp
import asyncpg

from services.alerting.relay import WebhookDelivery
from services.alerting.sql import DELIVERIES
from services.alerting.store import WebhookStore
from services.alerting.store.webhooks import Claim
from tests.support.events import now
from tests.support.stack import eventually


async def queue(pool: asyncpg.Pool, *messages: tuple[str, str], hook: str) -> None:
    """Queue messages: alert and state of each."""
    await WebhookStore(pool).add([hook])
    for alert, state in messages:
        await pool.execute(
            DELIVERIES["queue_messages"],
            [hook],
            [alert],
            [state],
            [f"{alert}/1/{state}"],
            [b"{}"],
            now(),
        )


async def work(sender: WebhookDelivery, rounds: int) -> None:
    """Let a sender do some rounds, as soon as each may begin."""
    ((hook, endpoint),) = sender._endpoints().items()
    for _ in range(rounds):
        claims: list[Claim] = []

        async def is_ready(claims: list[Claim] = claims) -> bool:
            found = await sender._store.claim([hook], uuid4(), timedelta(seconds=60))
            if found is not None:
                claims.append(found)
            return bool(claims)

        await eventually(is_ready, what="a round")
        connector = aiohttp.TCPConnector(socket_factory=sender._open_socket)
        async with aiohttp.ClientSession(connector=connector) as session:
            await sender._round(session, endpoint, claims[0])


async def hurry(pool: asyncpg.Pool) -> None:
    """Let all waits be over."""
    await pool.execute(
        "UPDATE alerting.delivery SET next_at = now() WHERE next_at IS NOT NULL"
    )
    await pool.execute("UPDATE alerting.webhook SET next_at = now()")


async def outcomes(pool: asyncpg.Pool) -> dict[str, tuple[str, int, str]]:
    """Return outcome, tries and reason of what was queued, by alert and state."""
    rows = await pool.fetch("SELECT * FROM reporting.alert_delivery ORDER BY queued_at")
    return {
        f"{row['fingerprint']}/{row['state']}": (
            row["outcome"],
            row["tries"],
            row["reason"],
        )
        for row in rows
    }
