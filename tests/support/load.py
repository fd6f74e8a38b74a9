"""Agencies that send until they are told that it is durable."""

import asyncio
import io
import json
import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp

from tests.support.auditor import Auditor
from tests.support.catalogues import KEYS, SOURCES
from tests.support.events import HOANG_LOC, now, opened, reversal
from tests.support.stack import Stack

COMMUNES = (HOANG_LOC, "16000", "15469")
RETRY_SECONDS = 0.2
ANSWER_SECONDS_MAX = 20.0
REMEMBERED_MAX = 5_000


@dataclass(slots=True)
class Load:
    """One agency's load: seeded, with duplicates, disorder and reversals.

    Attributes:
        agency: Whose key is used.
        batches: How many requests, at most.
        size: How many new events in each.
        localities: For which of them it reports.
        days_back_max: Of how many days before today its events are.
        is_over: Set it to have no more batches made.
        retries: Answers that were not 202, and lost connections.
        made: New events so far.
        sent: Some of the acknowledged ones, new and old.
        held: Originals whose reversal goes first.
    """

    stack: Stack
    auditor: Auditor
    agency: str
    batches: int
    size: int
    seed: int
    pause_seconds: float = 0.0
    localities: tuple[str, ...] = COMMUNES
    days_back_max: int = 0
    is_over: bool = False
    retries: int = 0
    made: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)
    undone: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Send everything; return once each batch was answered with 202."""
        chance = random.Random(self.seed)  # noqa: S311 -- a seeded plan
        patience = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
        async with aiohttp.ClientSession(timeout=patience) as session:
            for _ in range(self.batches):
                if self.is_over:
                    break
                await self._deliver(session, self._next_batch(chance), chance)
                await asyncio.sleep(self.pause_seconds)
            if self.held:
                await self._deliver(session, self._take_held(), chance)

    async def _deliver(
        self,
        session: aiohttp.ClientSession,
        batch: list[dict[str, Any]],
        chance: random.Random,
    ) -> None:
        await self._send(session, batch)
        for each in batch:
            self.auditor.acknowledge(each)
            if each["type"] == "uptake.event.reversed":
                continue
            if len(self.sent) < REMEMBERED_MAX:
                self.sent.append(each)
            else:
                self.sent[chance.randrange(REMEMBERED_MAX)] = each

    def _take_held(self) -> list[dict[str, Any]]:
        held, self.held = self.held, []
        return held

    def _next_batch(self, chance: random.Random) -> list[dict[str, Any]]:
        """Make a batch whose order does not matter to its outcome."""
        batch = self._take_held()
        for _ in range(self.size):
            age = timedelta(days=chance.randint(0, self.days_back_max), seconds=5)
            count, locality = chance.randint(1, 9), chance.choice(self.localities)
            made = opened(count, locality=locality, at=now() - age)
            made["source"] = SOURCES[self.agency]
            made["id"] = f"{self.agency}-{self.made}-{chance.getrandbits(64):x}"
            self.made += 1
            lot = chance.random()
            if lot < 0.005:
                self.held.append(made)
                batch.append(self._reversal_of(made))
                continue
            batch.append(made)
            if lot < 0.025:
                batch.append(made)
            elif lot < 0.035:
                batch.append(self._reversal_of(made))
            elif lot < 0.065 and self.sent:
                batch.append(self._echo(chance.choice(self.sent), lot))
        chance.shuffle(batch)
        return batch

    def _echo(self, old: dict[str, Any], lot: float) -> dict[str, Any]:
        """Come back to an acknowledged event: repeat, void or contradict it."""
        if lot < 0.055 or old["id"] in self.undone:
            return old
        if lot < 0.06:
            return self._reversal_of(old)
        # Rejected: what was acknowledged is in the log before it.
        return {**old, "data": {**old["data"], "count": old["data"]["count"] + 1}}

    def _reversal_of(self, original: dict[str, Any]) -> dict[str, Any]:
        made = reversal(original)
        made["id"] = f"undo-{original['id']}"
        self.undone.add(original["id"])
        return made

    async def _send(
        self, session: aiohttp.ClientSession, batch: list[dict[str, Any]]
    ) -> None:
        body = json.dumps(batch).encode()
        url = f"http://127.0.0.1:{self.stack.ports['ingest']}/v1/events"
        headers = {
            "content-type": "application/cloudevents-batch+json",
            "authorization": f"Bearer {KEYS[self.agency]}",
        }
        while True:
            try:
                async with session.post(
                    url, data=io.BytesIO(body), headers=headers
                ) as answer:
                    receipt = await answer.json(content_type=None)
                    if answer.status == 202:
                        assert receipt["accepted"] == len(batch), receipt
                        return
                    assert answer.status == 503, receipt
            except (aiohttp.ClientError, TimeoutError):
                pass
            self.retries += 1
            await asyncio.sleep(RETRY_SECONDS)
