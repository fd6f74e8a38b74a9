"""Agencies that send until they are told that it is durable."""

import asyncio
import io
import json
import random
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.support.auditor import Auditor
from tests.support.catalogues import KEYS, SOURCES
from tests.support.events import HOANG_LOC, opened, reversal
from tests.support.stack import Stack

COMMUNES = (HOANG_LOC, "16000", "15469")
RETRY_SECONDS = 0.2


@dataclass(slots=True)
class Load:
    """One agency's load: seeded, with duplicates, disorder and reversals.

    Attributes:
        agency: Whose key is used.
        batches: How many requests.
        size: How many new events in each.
        retries: Answers that were not 202, and lost connections.
    """

    stack: Stack
    auditor: Auditor
    agency: str
    batches: int
    size: int
    seed: int
    pause_seconds: float = 0.0
    retries: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def run(self) -> None:
        """Send everything; return once each batch was answered with 202."""
        chance = random.Random(self.seed)  # noqa: S311 -- a seeded plan
        async with aiohttp.ClientSession() as session:
            for _ in range(self.batches):
                batch = self._next_batch(chance)
                await self._send(session, batch)
                for each in batch:
                    self.auditor.acknowledge(each)
                await asyncio.sleep(self.pause_seconds)

    def _next_batch(self, chance: random.Random) -> list[dict[str, Any]]:
        batch = []
        for _ in range(self.size):
            made = opened(chance.randint(1, 9), locality=chance.choice(COMMUNES))
            made["source"] = SOURCES[self.agency]
            made["id"] = f"{self.agency}-{len(self.sent)}-{chance.getrandbits(64):x}"
            self.sent.append(made)
            batch.append(made)
            if chance.random() < 0.02:
                batch.append(chance.choice(self.sent))
            if chance.random() < 0.01:
                batch.append(self._reversal_of(made))
        chance.shuffle(batch)
        return batch

    def _reversal_of(self, original: dict[str, Any]) -> dict[str, Any]:
        made = reversal(original)
        made["id"] = f"undo-{original['id']}"
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
            except aiohttp.ClientError:
                pass
            self.retries += 1
            await asyncio.sleep(RETRY_SECONDS)
