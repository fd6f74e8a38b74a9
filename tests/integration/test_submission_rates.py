"""An agency that floods its own topic: held to its rate, and nobody else's trouble."""

import time

import pytest
import yaml

from tests.support.catalogues import SOURCES, write_agency
from tests.support.events import HOANG_LOC, THANH_HOA, event, opened
from tests.support.stack import Stack, eventually
from tests.support.submitting import structured, submit

pytestmark = pytest.mark.timeout(120)
FLOOD, OTHERS = 600, 100
RATE, BURST = 5, 50
SLOWED = 'uptake_submissions_slowed_seconds_total{agency="bank"}'


def limit(stack: Stack, events_per_second: float, burst_events: int) -> None:
    """Give the bank limits of its own."""
    path = stack.catalogue / "agencies" / "bank.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["limits"] = {
        "events_per_second": events_per_second,
        "burst_events": burst_events,
    }
    temporary = path.with_name(".bank")
    temporary.write_text(yaml.safe_dump(document), encoding="utf-8")
    temporary.replace(path)


async def accepted(stack: Stack, agency: str) -> int:
    """Return how many events of an agency are in the log."""
    return await figure(stack, f'uptake_events_accepted_total{{agency="{agency}"}}')


async def figure(stack: Stack, name: str) -> int:
    """Return a metric of ingest, rounded up; 0 where it is not there."""
    _, metrics = await stack.get("ingest", "/metrics")
    for line in metrics.splitlines():
        if line.startswith(name):
            return int(-(-float(line.rpartition(" ")[2]) // 1))
    return 0


async def test_flood_by_kafka_keeps_to_its_agencys_rate_and_starves_nobody(
    stack: Stack,
) -> None:
    """The others go on, the flood waits in its topic, and all of it counts at last."""
    for agency in ("bank", "coast"):
        write_agency(stack.catalogue, agency, "38", has_topic=True)
    limit(stack, RATE, BURST)
    stack.overrides["UPTAKE_AGENCIES_POLL_SECONDS"] = "0.1"
    await stack.migrate()
    flood = [structured(opened(1)) for _ in range(FLOOD)]
    await submit(stack.kafka_settings, "bank", *flood)
    source = SOURCES["coast"]
    others = [
        structured(event(source=source, locality=HOANG_LOC, count=1))
        for _ in range(OTHERS)
    ]
    began = time.monotonic()
    await stack.start("ingest", "aggregation")

    async def is_flooding() -> bool:
        return await accepted(stack, "bank") >= BURST

    await eventually(is_flooding, seconds=60, what="the flood is being read")
    await submit(stack.kafka_settings, "coast", *others)

    async def are_the_others_done() -> bool:
        return await accepted(stack, "coast") == OTHERS

    await eventually(are_the_others_done, what="the other agency is served")
    taken = await accepted(stack, "bank")
    # A law of the rate, not of this machine's speed: it holds however long it took.
    assert BURST <= taken <= BURST + RATE * (time.monotonic() - began)
    assert taken < FLOOD
    assert await figure(stack, SLOWED) > 0
    assert await figure(stack, 'uptake_submissions_lag_records{agency="bank"}') > 0
    over_http = await stack.post([opened(1)] * BURST)
    assert over_http.status == 429
    limit(stack, 100_000, 100_000)
    await stack.wait_applied(FLOOD + OTHERS)
    assert await stack.total("cashless_accounts", THANH_HOA) == (FLOOD + OTHERS, 0)
    assert (await stack.classes())["duplicates"] == 0
