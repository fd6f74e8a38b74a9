"""A steady load through the door, and when each request became visible."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from tests.bench.truth import Truth
from tests.support.events import opened
from tests.support.load import COMMUNES
from tests.support.stack import Stack

REQUEST_EVENTS = 20
POLL_SECONDS = 0.01
LOCAL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(slots=True)
class SteadyLoad:
    """One agency that sends at a rate; one event of each request is a repetition.

    Attributes:
        applied_before: Records that are applied already; nobody else may send.
        truth: Told what was acknowledged.
        posted: Of each request how many records are in the log with it, and when it
            was sent.
        seen: How many records were applied, and when that was seen.
    """

    stack: Stack
    truth: Truth
    rate: int
    applied_before: int
    is_over: bool = False
    records: int = 0
    posted: list[tuple[int, float]] = field(default_factory=list)
    seen: list[tuple[int, float]] = field(default_factory=list)

    async def send(self) -> None:
        """Send until it is over; a request that is late delays the next ones."""
        began, number = time.monotonic(), 0
        last: dict[str, Any] | None = None
        places = cycle(COMMUNES)
        while not self.is_over:
            due = began + number * REQUEST_EVENTS / self.rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            number += 1
            new = [
                opened(1 + place % 5, locality=next(places))
                for place in range(REQUEST_EVENTS - (last is not None))
            ]
            batch = new if last is None else [last, *new]
            at = time.monotonic()
            answer = await self.stack.post(batch)
            assert answer.status == 202, answer
            assert answer.body["accepted"] == len(batch), answer
            self._acknowledge(new, len(batch) - len(new))
            self.records += len(batch)
            self.posted.append((self.applied_before + self.records, at))
            last = new[-1]

    def _acknowledge(self, new: list[dict[str, Any]], repeated: int) -> None:
        for event in new:
            day = datetime.fromisoformat(event["time"]).astimezone(LOCAL_TIME).date()
            data = event["data"]
            self.truth.add(("bank", data["locality"], str(day)), data["count"])
        self.truth.classes["duplicates"] += repeated

    async def watch(self) -> None:
        """Note what a reader of the views sees, until cancelled."""
        connection = await asyncpg.connect(self.stack.dsn)
        try:
            while True:
                applied = await connection.fetchval(
                    "SELECT coalesce(sum(applied), 0) FROM reporting.progress"
                )
                self.seen.append((int(applied), time.monotonic()))
                await asyncio.sleep(POLL_SECONDS)
        finally:
            await connection.close()

    async def is_seen(self) -> bool:
        """Whether a reader has seen everything that was sent."""
        return self.seen[-1][0] >= self.applied_before + self.records

    def visible_seconds(self, since: float, until: float) -> list[float]:
        """Return how long requests took from POST to visible.

        Args:
            since: Instant of the first request that matters, by the monotonic clock.
            until: Instant of the last; everything must be visible by now.
        """
        waits, place = [], 0
        for count, at in self.posted:
            while self.seen[place][0] < count:
                place += 1
            if since <= at <= until:
                waits.append(self.seen[place][1] - at)
        return waits
