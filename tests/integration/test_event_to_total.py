"""An event goes in at the door and a total moves."""

from datetime import timedelta

from tests.support.events import HOANG_LOC, THANH_HOA, event, now, opened, reversal
from tests.support.stack import Stack


async def test_counted_event_moves_the_total_of_every_unit_above(stack: Stack) -> None:
    """Commune, province and nation show the event; the equation holds."""
    await stack.start("ingest", "aggregation")
    answer = await stack.post(opened(7))
    assert answer.status == 202, answer.body
    assert answer.body == {"received": 1, "accepted": 1, "refused": []}
    await stack.wait_applied(1)
    for unit in (HOANG_LOC, THANH_HOA, "VN"):
        assert await stack.total("cashless_accounts", unit) == (7, 0)
    assert await stack.classes() == {
        "counted": 1,
        "duplicates": 0,
        "reversed": 0,
        "rejected": 0,
    }


async def test_retried_event_counts_once(stack: Stack) -> None:
    """The same (source, id) with the same content is a duplicate, batch or not."""
    await stack.start("ingest", "aggregation")
    once = opened(3)
    for body in (once, [once, once, opened(4)], once):
        assert (await stack.post(body)).status == 202
    await stack.wait_applied(5)
    assert await stack.total("cashless_accounts", THANH_HOA) == (7, 0)
    assert (await stack.classes())["duplicates"] == 3
    # Single events and batches alike carry the log's time, not the sender's.
    rows = await stack.fetch("SELECT logged_at FROM reporting.ledger")
    assert all(abs(now() - row["logged_at"]) < timedelta(minutes=1) for row in rows)


async def test_reversal_before_or_after_its_original_voids_it(stack: Stack) -> None:
    """Both orders end in the same total, also within one batch."""
    await stack.start("ingest", "aggregation")
    early, late, stays = opened(10), opened(20), opened(5)
    await stack.post(reversal(early))
    await stack.wait_applied(1)
    await stack.post([early, late, stays])
    await stack.wait_applied(4)
    await stack.post([reversal(late), reversal(late)])
    await stack.wait_applied(6)
    assert await stack.total("cashless_accounts", THANH_HOA) == (5, 0)
    classes = await stack.classes()
    assert classes["counted"] == 3
    assert classes["reversed"] == 2
    assert classes["rejected"] == 1
    rows = await stack.fetch("SELECT * FROM reporting.daily_total WHERE count = 0")
    assert rows == []


async def test_statement_sets_the_level_and_later_effects_add(stack: Stack) -> None:
    """Level = statement of the greatest day up to it + effects on later days."""
    await stack.start("ingest", "aggregation")
    yesterday = now() - timedelta(days=1)
    day = (yesterday + timedelta(hours=7)).date()
    stated = event(
        "uptake.indicator.stated",
        indicator="cashless_accounts",
        locality=HOANG_LOC,
        count=1000,
        day=day.isoformat(),
    )
    earlier = opened(400, at=yesterday - timedelta(days=1))
    await stack.post([earlier, stated, opened(6)])
    await stack.wait_applied(3)
    assert await stack.total("cashless_accounts", THANH_HOA) == (1006, 0)
    await stack.post(reversal(stated))
    await stack.wait_applied(4)
    assert await stack.total("cashless_accounts", THANH_HOA) == (406, 0)


async def test_refund_takes_back_the_amount_and_keeps_the_count(stack: Stack) -> None:
    """A refunded sale stays counted; its money does not."""
    await stack.start("ingest", "aggregation")
    sale = event("uptake.ecommerce.completed", locality=HOANG_LOC, amount=412_750)
    refund = event("uptake.ecommerce.refunded", locality=HOANG_LOC, amount=412_750)
    await stack.post([sale, refund])
    await stack.wait_applied(2)
    assert await stack.total("ecommerce_transactions", THANH_HOA) == (1, 0)


async def test_sum_beyond_64_bits_is_exact(stack: Stack) -> None:
    """10,000 amounts of 10^15 VND add up to 10^19, to the unit."""
    await stack.start("ingest", "aggregation")
    batch = [
        event("uptake.ecommerce.completed", locality=HOANG_LOC, amount=10**15)
        for _ in range(10_000)
    ]
    for start in range(0, 10_000, 2_500):
        assert (await stack.post(batch[start : start + 2_500])).status == 202
    await stack.wait_applied(10_000)
    total = await stack.total("ecommerce_transactions", "VN")
    assert total == (10_000, 10**19)


async def test_conflicting_duplicate_is_rejected_and_kept(stack: Stack) -> None:
    """Other content under a known id changes nothing and reaches uptake.rejected."""
    await stack.start("ingest", "aggregation")
    first = opened(3)
    await stack.post(first)
    await stack.post({**first, "data": {"locality": HOANG_LOC, "count": 4}})
    await stack.wait_applied(2)
    assert await stack.total("cashless_accounts", THANH_HOA) == (3, 0)
    assert (await stack.classes())["rejected"] == 1
    _, metrics = await stack.get("aggregation", "/metrics")
    wanted = 'uptake_events_rejected_total{code="conflicting_duplicate"} 1.0'
    assert wanted in metrics
