"""The broker killed under load, at any moment: each 202, and each retried 503, once.

`make killed-broker RUNS=10` runs it so often, each time with another seed.
"""

import asyncio
import os
import random

import pytest
from aiokafka.errors import KafkaError

from services.cli.embedded.server import LoopbackServer
from tests.faults.test_killed_services import settle
from tests.support.auditor import Auditor, check_equation
from tests.support.catalogues import EVERYWHERE, SOURCES, write_agency
from tests.support.events import now, opened
from tests.support.load import Load
from tests.support.stack import Stack, eventually
from tests.support.submitting import structured, submit

RUNS = int(os.environ.get("UPTAKE_TEST_RUNS", "1"))
FIRST_SEED = int(os.environ.get("UPTAKE_TEST_SEED", "1"))
KILLS = 3
SUBMITTER = EVERYWHERE[0]
SUBMISSIONS = 40
PER_SUBMISSION = 25
SETTLED_SECONDS_MAX = 120.0

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(400)]


async def kill_at_any_moment(broker: LoopbackServer, chance: random.Random) -> None:
    """Kill and bring back, three times, at moments that the seed gives."""
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.3, 4.0))
        await broker.kill()
        await asyncio.sleep(chance.uniform(0.0, 3.0))
        await broker.restart()


async def submit_until_confirmed(stack: Stack, auditor: Auditor) -> None:
    """Write to an agency's own topic, again whenever the broker did not confirm."""
    for part in range(SUBMISSIONS):
        events = []
        for number in range(PER_SUBMISSION):
            event = opened(1 + number % 9, at=now())
            event["source"] = SOURCES[SUBMITTER]
            event["id"] = f"submitted-{part}-{number}"
            events.append(event)
        while True:
            try:
                await submit(
                    stack.kafka_settings, SUBMITTER, *(map(structured, events))
                )
            except (OSError, TimeoutError, KafkaError):
                await asyncio.sleep(0.2)
            else:
                break
        for event in events:
            auditor.acknowledge(event)


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + RUNS))
async def test_broker_killed_under_load_costs_and_doubles_nothing(
    stack: Stack, seed: int
) -> None:
    """By HTTP in batches and one by one, and by an agency's own topic: exact."""
    chance = random.Random(seed)  # noqa: S311 -- a seeded plan
    for agency in EVERYWHERE:
        write_agency(stack.catalogue, agency, "VN", has_topic=agency == SUBMITTER)
    await stack.migrate()
    stack.overrides["UPTAKE_ACK_TIMEOUT_SECONDS"] = "2"
    await stack.start("ingest", "aggregation")
    auditor = Auditor()
    loads = [
        Load(stack, auditor, "bank", 60, 200, seed, pause_seconds=0.1),
        Load(stack, auditor, "census", 60, 200, seed + 1, pause_seconds=0.1),
        Load(stack, auditor, EVERYWHERE[1], 300, 1, seed + 2, pause_seconds=0.02),
        Load(stack, auditor, EVERYWHERE[2], 300, 1, seed + 3, pause_seconds=0.02),
    ]
    async with asyncio.TaskGroup() as group:
        for load in loads:
            group.create_task(load.run())
        group.create_task(submit_until_confirmed(stack, auditor))
        group.create_task(kill_at_any_moment(stack.broker, chance))
    for service in ("ingest", "aggregation"):
        await stack.wait_ready(service, seconds=60)

    async def is_counted() -> bool:
        return (await stack.classes())["counted"] >= len(auditor.effects)

    await eventually(is_counted, seconds=SETTLED_SECONDS_MAX, what="all is counted")
    await settle(stack, auditor)
    await auditor.check(stack)
    await check_equation(stack)
    assert sum(load.retries for load in loads) > 0, f"no kill was felt; seed {seed}"
    classes = await stack.classes()
    retries = sum(load.retries for load in loads)
    print(  # noqa: T201 -- the figures of a run, for whoever asked for ten
        f"seed {seed}: {len(auditor.effects)} events once, {retries} retries, "
        f"{classes['duplicates']} duplicates in the log"
    )
