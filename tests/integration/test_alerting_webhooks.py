"""Signed webhooks, from a transition to whoever is told."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from services.alerting.core.reach import Network
from services.alerting.core.retries import KEEP, REFUSALS_MAX, Health
from services.alerting.core.webhooks import Webhook, read_secret
from services.alerting.endpoints import Endpoint
from services.alerting.relay import WebhookDelivery
from services.alerting.sql import DELIVERIES
from services.alerting.store import WebhookStore
from services.alerting.store.webhooks import Claim
from shared.alerting_metrics import WebhookMetrics
from shared.postgres.pool import open_pool
from tests.support.events import now
from tests.support.hooks import OLD_SECRET, SECRET, Received, Receiver, receiving
from tests.support.stack import Stack, eventually
from tests.support.totals import (
    day_total,
    publish_totals,
    target,
    wait_alert,
    watermarks,
    write_targets,
)

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]
LOOPBACK: Sequence[Network] = (ip_network("127.0.0.1/32"),)


@pytest.fixture
async def pool(stack: Stack) -> AsyncIterator[asyncpg.Pool]:
    """Connect as alerting does."""
    made = await open_pool(stack.postgres_settings, role="uptake_alerting", size_max=4)
    yield made
    await made.close()


def delivery(
    pool: asyncpg.Pool,
    url: str,
    *,
    networks: Sequence[Network] = LOOPBACK,
    id_: str = "hook",
) -> WebhookDelivery:
    """Make a sender of one webhook."""
    return WebhookDelivery(
        WebhookStore(pool),
        WebhookMetrics(CollectorRegistry()),
        [Endpoint(Webhook(id_), url, (read_secret(SECRET),))],
        timeout=timedelta(seconds=5),
        networks=networks,
        keep=KEEP,
        on_outage=lambda _: None,
    )


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
    (hook,) = sender._endpoints
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
            await sender._round(session, claims[0])


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


def statuses(*of: int) -> Receiver:
    """Answer with these statuses, the last one for ever."""
    answers = Receiver()
    answers.answer = lambda _request, before: web.Response(
        status=of[min(before, len(of) - 1)]
    )
    return answers


async def test_transitions_reach_those_who_are_told_signed_and_in_order(
    stack: Stack,
) -> None:
    """From a total to CloudEvents that any receiver can check; what failed again."""
    write_targets(stack.catalogue, target())
    async with receiving() as hooks:
        secret = "/hooks/T0KEN"  # noqa: S105 - shall be found in no log

        def answer(request: Received, before: int) -> web.Response:
            if request.path == "/moved":
                return web.Response(status=302, headers={"location": "/trap"})
            return web.Response(status=503 if not before else 204, text="said back")

        hooks.answer = answer
        (stack.folder / "new").write_text(SECRET)
        (stack.folder / "old").write_text(OLD_SECRET)
        base = f"http://127.0.0.1:{hooks.port}"
        entry = (
            "- {id: %s, url: '%s', secret_file: new, previous_secret_file: old, "
            "plain_http: true%s}\n"
        )
        file = stack.folder / "webhooks.yaml"
        file.write_text(
            entry % ("office", base + secret, "")
            + entry % ("elsewhere", f"{base}/elsewhere", ", provinces: ['22']")
            + entry % ("moved", f"{base}/moved", "")
            + entry % ("inside", "http://127.0.0.2:9/inside", "")
        )
        stack.overrides["UPTAKE_WEBHOOKS"] = str(file)
        stack.overrides["UPTAKE_WEBHOOK_NETWORKS"] = "127.0.0.1/32"
        await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
        await stack.start("alerting")
        await wait_alert(stack, "firing")
        await publish_totals(
            stack, [day_total(700, days_ago=20, revision=2), *watermarks(revision=2)]
        )

        async def all_told() -> bool:
            rows = await stack.fetch(
                "SELECT state FROM reporting.alert_delivery "
                "WHERE receiver = 'office' AND outcome = 'told' AND kind = "
                "'TargetLagging'"
            )
            return {row["state"] for row in rows} == {"firing", "resolved"}

        await eventually(all_told, what="both told")
        told = hooks.at(secret)
        _check_messages(told)
        assert hooks.at("/elsewhere") == hooks.at("/trap") == []
        await _check_records(stack)
        said = (stack.folder / "alerting" / "log").read_text(encoding="utf-8")
        assert "webhook_told" in said
        for hidden in ("T0KEN", "whsec_", "said back"):
            assert hidden not in said


def _check_messages(told: list[Received]) -> None:
    firing = [each for each in told if each.id.endswith("/firing")]
    lagging = [json.loads(each.body)["data"] for each in told]
    assert len(firing) >= 2, "it was tried again"
    assert len({each.id for each in firing if b"TargetLagging" in each.body}) == 1
    states = [data["state"] for data in lagging if data["kind"] == "TargetLagging"]
    assert states == sorted(states), "firing before resolved"
    for each in told:
        assert each.is_signed_with(SECRET)
        assert each.is_signed_with(OLD_SECRET)
        assert each.headers["content-type"].startswith("application/cloudevents+json")
        event = json.loads(each.body)
        assert event["id"] == each.id
        assert event["specversion"] == "1.0"


async def _check_records(stack: Stack) -> None:
    rows = await stack.fetch(
        "SELECT receiver, outcome, tries, reason FROM reporting.alert_delivery "
        "WHERE state = 'firing' AND kind = 'TargetLagging'"
    )
    found = {row["receiver"]: (row["outcome"], row["reason"]) for row in rows}
    assert found == {
        "office": ("told", ""),
        "moved": ("waiting", "status_302"),
        "inside": ("waiting", "address_refused"),
    }
    _, metrics = await stack.get("alerting", "/metrics")
    assert 'uptake_webhook_tries_total{outcome="taken",webhook="office"}' in metrics


async def test_what_a_receiver_cannot_take_holds_up_no_other(
    pool: asyncpg.Pool,
) -> None:
    """Refused again and again it is given up, and kept; other alerts pass it."""
    async with receiving() as hooks:
        hooks.answer = lambda request, _before: web.Response(
            status=422 if request.id.startswith("bad/") else 200
        )
        sender = delivery(pool, f"http://127.0.0.1:{hooks.port}/")
        await queue(
            pool,
            ("bad", "firing"),
            ("bad", "resolved"),
            ("good", "firing"),
            hook="hook",
        )
        await work(sender, 2)
        assert (await outcomes(pool))["good/firing"] == ("told", 1, "")
        for _ in range(REFUSALS_MAX - 1):
            assert (await outcomes(pool))["bad/firing"][0] == "waiting"
            # In its order: not before what comes first was taken or given up.
            assert (await outcomes(pool))["bad/resolved"] == ("waiting", 0, "")
            await hurry(pool)
            await work(sender, 1)
        found = await outcomes(pool)
        assert found["bad/firing"] == ("dead", REFUSALS_MAX, "status_422")
        assert found["bad/resolved"][0] == "waiting"
        rows = await pool.fetch(
            "SELECT message FROM alerting.delivery WHERE dead_at IS NOT NULL"
        )
        assert [row["message"] for row in rows] == [b"{}"]


async def test_receiver_that_was_away_is_sent_more_and_more(
    pool: asyncpg.Pool,
) -> None:
    """While it is away one try at a time; back again one message, two, four."""
    async with receiving() as hooks:
        hooks.answer = statuses(503, 503, 200).answer
        sender = delivery(pool, f"http://127.0.0.1:{hooks.port}/")
        await queue(
            pool, *((f"a{number}", "firing") for number in range(9)), hook="hook"
        )
        sizes = []
        for _ in range(6):
            await hurry(pool)
            before = len(hooks.received)
            await work(sender, 1)
            sizes.append(len(hooks.received) - before)
        assert sizes == [1, 1, 1, 2, 4, 2]
        assert {each[0] for each in (await outcomes(pool)).values()} == {"told"}


async def test_webhook_leads_to_no_address_that_is_not_public(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether by its number or by a name that leads there; nobody is called."""
    async with receiving() as hooks:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            sender = delivery(
                pool, f"http://{host}:{hooks.port}/", networks=(), id_=f"to-{host[:2]}"
            )
            await queue(pool, (host, "firing"), hook=f"to-{host[:2]}")
            with caplog.at_level(logging.WARNING):
                await work(sender, 1)
        assert hooks.received == []
    assert set((await outcomes(pool)).values()) == {("waiting", 1, "address_refused")}
    assert caplog.records


async def test_receiver_that_hangs_holds_up_no_other(pool: asyncpg.Pool) -> None:
    """What it is sent waits for the timeout; the others are told meanwhile."""
    async with receiving() as hooks, hanging() as port:
        key = read_secret(SECRET)
        ports = {"hangs": port, "works": hooks.port}
        sender = WebhookDelivery(
            WebhookStore(pool),
            WebhookMetrics(CollectorRegistry()),
            [
                Endpoint(Webhook(name), f"http://127.0.0.1:{at}/", (key,))
                for name, at in ports.items()
            ],
            timeout=timedelta(seconds=60),
            networks=LOOPBACK,
            keep=KEEP,
            on_outage=lambda _: None,
        )
        await queue(pool, ("a", "firing"), hook="hangs")
        await queue(pool, ("b", "firing"), hook="works")

        async def is_told() -> bool:
            return (await outcomes(pool))["b/firing"][0] == "told"

        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(sender.run())
            await eventually(is_told, what="the one that works")
            running.cancel()
        assert (await outcomes(pool))["a/firing"] == ("waiting", 0, "")


@asynccontextmanager
async def hanging() -> AsyncIterator[int]:
    """Take connections and never answer; return the port."""
    taken: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(
        lambda _reader, writer: taken.append(writer), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in taken:
            writer.close()
            await writer.wait_closed()


async def test_two_replicas_never_send_to_one_webhook_at_once(
    pool: asyncpg.Pool,
) -> None:
    """Who has it keeps it until the lease is over; late fates change nothing told."""
    store = WebhookStore(pool)
    await queue(pool, ("a", "firing"), hook="hook")
    first = await store.claim(["hook"], uuid4(), timedelta(seconds=60))
    assert first is not None
    assert first.health == Health()
    assert await store.claim(["hook"], uuid4(), timedelta(seconds=60)) is None
    await pool.execute("UPDATE alerting.webhook SET claimed_until = '-infinity'")
    second = await store.claim(["hook"], uuid4(), timedelta(seconds=60))
    assert second is not None
    assert await store.claim(["other"], uuid4(), timedelta(seconds=60)) is None


async def test_what_is_too_old_is_given_up_and_what_is_long_over_forgotten(
    pool: asyncpg.Pool,
) -> None:
    """Also for a webhook that is in no file any more."""
    store = WebhookStore(pool)
    await queue(pool, ("old", "firing"), ("new", "firing"), hook="gone")
    await pool.execute(
        "UPDATE alerting.delivery SET queued_at = now() - interval '72 hours' "
        "WHERE fingerprint = 'old'"
    )
    assert await store.clear_up(KEEP) == 1
    assert await outcomes(pool) == {
        "old/firing": ("dead", 0, "never_tried"),
        "new/firing": ("waiting", 0, ""),
    }
    (gauge,) = await store.gauges(["gone"])
    assert (gauge.waiting, gauge.dead) == (1, 1)
    await pool.execute(
        "UPDATE alerting.delivery SET queued_at = now() - interval '91 days'"
    )
    await pool.execute("UPDATE alerting.delivery SET next_at = NULL, dead_at = now()")
    await store.clear_up(KEEP)
    assert await outcomes(pool) == {}
