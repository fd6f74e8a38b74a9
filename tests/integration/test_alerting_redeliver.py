"""What webhooks were not told, sent to them again by an operator."""

import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from ipaddress import ip_network

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from services.alerting.core.retries import KEEP
from services.alerting.core.webhooks import Webhook, read_secret
from services.alerting.endpoints import Endpoint
from services.alerting.jobs.redeliver import (
    ask_at_terminal,
    parse_wanted,
    redeliver,
)
from services.alerting.relay import WebhookDelivery
from services.alerting.store import WebhookStore
from shared.alerting_metrics import WebhookMetrics
from shared.errors import FatalError
from shared.postgres.pool import open_pool
from tests.support.hooks import SECRET, receiving
from tests.support.sending import outcomes, queue, work
from tests.support.stack import Stack
from tests.support.uptake_command import run_uptake

pytestmark = [pytest.mark.timeout(180), pytest.mark.embedded]
GIVEN_UP = """
UPDATE alerting.delivery
SET next_at = NULL, dead_at = now(), reason = 'status_422', tries = 5, refusals = 5,
    queued_at = now() - interval '80 hours'
WHERE message_id = ANY($1)
"""
TOLD = (
    "UPDATE alerting.delivery SET next_at = NULL, told_at = now() WHERE message_id = $1"
)


@pytest.fixture
async def pool(stack: Stack) -> AsyncIterator[asyncpg.Pool]:
    """Connect as alerting does."""
    made = await open_pool(stack.postgres_settings, role="uptake_alerting", size_max=4)
    yield made
    await made.close()


async def number_of(pool: asyncpg.Pool, message: str) -> str:
    """Return the number of a delivery."""
    query = "SELECT delivery_id FROM alerting.delivery WHERE message_id = $1"
    return str(await pool.fetchval(query, message))


async def states(pool: asyncpg.Pool) -> dict[str, str]:
    """Return what became of each message."""
    return {name: each[0] for name, each in (await outcomes(pool)).items()}


def said_by(answer: bool, asked: list[str]) -> Callable[[str], bool]:  # noqa: FBT001 -- what is answered
    """Answer every question so, and note it."""

    def confirm(question: str) -> bool:
        asked.append(question)
        return answer

    return confirm


async def send(pool: asyncpg.Pool, which: str | None, *, confirmed: bool) -> list[str]:
    """Send again as the command does, answering no to every question."""
    words = ["--all" if which is None else which, *(["--yes"] if confirmed else [])]
    wanted, asked = parse_wanted(words), list[str]()
    confirm = said_by(answer=False, asked=asked)
    try:
        return await redeliver(WebhookStore(pool), wanted, confirm, "ha@office")
    except FatalError as error:
        return [*asked, str(error)]


async def test_what_was_given_up_is_sent_again_when_an_operator_says_so(
    stack: Stack, pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    """One, those of a receiver, or all; confirmed, bounded, in order, written down."""
    await queue(pool, ("elsewhere", "firing"), hook="other")
    messages = [(name, "firing") for name in ("a", "b", "late", "first")]
    await queue(
        pool, *messages, ("late", "resolved"), ("first", "resolved"), hook="hook"
    )
    dead = [f"{name}/1/firing" for name, _ in (("elsewhere", ""), *messages)]
    await pool.execute(GIVEN_UP, dead)
    await pool.execute(TOLD, "late/1/resolved")
    await _check_questions(pool)
    a = await number_of(pool, "a/1/firing")
    assert await send(pool, a, confirmed=True) == ["1 sent again: 1 to hook"]
    waiting = [name for name, state in (await states(pool)).items() if state != "dead"]
    assert waiting == ["a/firing", "late/resolved", "first/resolved"]
    ran = await run_uptake(stack, "alerts", "redeliver", "other", "--yes")
    assert (ran.status, ran.out) == (0, "1 sent again: 1 to other\n"), ran
    assert await send(pool, None, confirmed=True) == [
        "2 sent again: 2 to hook",
        "1 left out: told of something later since",
    ]
    assert (await states(pool))["late/firing"] == "dead"
    late = await number_of(pool, "late/1/firing")
    # By its number it is sent all the same.
    assert await send(pool, late, confirmed=True) == ["1 sent again: 1 to hook"]
    # They wait anew: their age is that of the operator's word.
    assert await WebhookStore(pool).clear_up(KEEP) == 0
    ran = await run_uptake(stack, "alerts", "deliveries")
    assert "waits again since" in ran.out
    assert ran.widest <= 80
    await _check_told(pool, caplog)
    await _check_record(pool, a)


async def _check_questions(pool: asyncpg.Pool) -> None:
    """Nothing happens unless it is said what, and that it is meant."""
    before = await states(pool)
    with pytest.raises(FatalError) as caught:
        await redeliver(
            WebhookStore(pool), parse_wanted(["--all"]), ask_at_terminal, "nobody"
        )
    assert str(caught.value) == "send again: 3 to hook, 1 to other? add --yes"
    assert await send(pool, "hook", confirmed=False) == [
        "send again: 3 to hook?",
        "nothing was sent again",
    ]
    for unknown in ("nobody", "999999", "9" * 40):
        (said,) = await send(pool, unknown, confirmed=True)
        assert "nothing was given up" in said
    for words in ([], ["hook", "--all"]):
        with pytest.raises(SystemExit):
            parse_wanted(words)
    assert await states(pool) == before


async def _check_told(pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture) -> None:
    """In order within an alert, with the ids of before; who had it sent is logged."""
    async with receiving() as hooks:
        url = f"http://127.0.0.1:{hooks.port}/"
        endpoint = Endpoint(Webhook("hook"), url, (read_secret(SECRET),))
        sender = WebhookDelivery(
            WebhookStore(pool),
            WebhookMetrics(CollectorRegistry()),
            lambda: {"hook": endpoint},
            timeout=timedelta(seconds=5),
            networks=(ip_network("127.0.0.1/32"),),
            keep=KEEP,
            on_outage=lambda _: None,
        )
        with caplog.at_level(logging.WARNING):
            await work(sender, 3)
        ids = [each.id for each in hooks.received]
    assert sorted(ids) == [
        "a/1/firing",
        "b/1/firing",
        "first/1/firing",
        "first/1/resolved",
        "late/1/firing",
    ]
    assert ids.index("first/1/firing") < ids.index("first/1/resolved")
    said = [
        vars(each)
        for each in caplog.records
        if each.message == "webhook_messages_sent_again"
    ]
    assert sum(each["messages"] for each in said) == 4
    assert {by for each in said for by in each["by"]} == {"ha@office"}


async def _check_record(pool: asyncpg.Pool, a: str) -> None:
    rows = await pool.fetch(
        "SELECT delivery_id, outcome, resent_by FROM reporting.alert_delivery "
        "WHERE receiver = 'hook'"
    )
    found = {str(row["delivery_id"]): row for row in rows}
    assert (found[a]["outcome"], found[a]["resent_by"]) == ("told", "ha@office")
    resolved = await number_of(pool, "first/1/resolved")
    assert found[resolved]["resent_by"] is None
    (said,) = await send(pool, a, confirmed=True)
    assert "nothing was given up" in said
