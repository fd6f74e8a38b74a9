"""Sends planned events by HTTP, each agency its own batches, until all are accepted.

An answer that does not come, or says 503, leaves open whether the batch is in the
log, so the same batch with the same ids goes again; what was in it already counts as
a duplicate and changes nothing.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import aiohttp
import msgspec

from services.cli.simulate.plan import PlannedEvent, Tally
from shared.backoff import delays_seconds
from shared.errors import FatalError

BATCH_TYPE: Final = "application/cloudevents-batch+json"
BATCH_EVENTS: Final = 1_000
CONCURRENT_BATCHES: Final = 6
STALLED_SECONDS_MAX: Final = 90.0
REQUEST_TIMEOUT: Final = aiohttp.ClientTimeout(total=30, sock_connect=5)
RETRY_STATUSES: Final = frozenset({429, 502, 503, 504})
RETRY_SECONDS_MAX: Final = 1.0
REFUSALS_SHOWN_MAX: Final = 3


@dataclass(slots=True)
class Outbound:
    """What one agency has still to send.

    Attributes:
        agency: Its id.
        key: The key it sends with.
        events: Planned events, taken a batch at a time.
    """

    agency: str
    key: str = field(repr=False)
    events: Iterator[PlannedEvent]


@dataclass(slots=True)
class Sent:
    """What has been accepted so far.

    Attributes:
        tally: Events accepted, by what they are to become.
        repeated_batches: Batches sent again because their fate was unknown; their
            events may be in the log twice.
    """

    tally: Tally = field(default_factory=Tally)
    repeated_batches: int = 0


def encode_batch(events: Sequence[PlannedEvent]) -> bytes:
    """Render events as one batch of CloudEvents."""
    return msgspec.json.encode([_cloud_event(event) for event in events])


def _cloud_event(event: PlannedEvent) -> dict[str, object]:
    if event.reversed_id is not None:
        data: dict[str, object] = {
            "id": event.reversed_id,
            "time": event.reversed_time,
        }
    else:
        data = {"locality": event.locality, "count": event.size}
        if event.indicator is not None:
            data["indicator"] = event.indicator
        if event.amount is not None:
            data["amount"] = event.amount
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": event.time,
        "data": data,
    }


class Sender:
    """Sends for several agencies side by side, a bounded number of batches at once."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        rate: int | None = None,
        on_progress: Callable[[Sent], None] = lambda _: None,
    ) -> None:
        """Describe the sending; nothing is sent.

        Args:
            session: Its connections.
            url: Ingest's address, without path.
            rate: Events a second at most, over all agencies; None for no bound.
            on_progress: Told after each accepted batch.
        """
        self._session = session
        self._url = f"{url.rstrip('/')}/v1/events"
        self._rate = rate
        self._on_progress = on_progress
        self._started_at = 0.0
        self._taken = 0
        self.sent = Sent()

    async def send(self, outbounds: Sequence[Outbound]) -> Sent:
        """Send everything.

        Raises:
            FatalError: Ingest refuses an event or a key, or answers nothing useful
                for a long time.
        """
        self._started_at = time.monotonic()
        # Agencies take turns, so that all of them report over the whole run.
        waiting = deque(outbounds)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(CONCURRENT_BATCHES, len(waiting))):
                tasks.create_task(self._work(waiting))
        return self.sent

    async def _work(self, waiting: deque[Outbound]) -> None:
        while waiting:
            outbound = waiting.popleft()
            batch = list(islice(outbound.events, self._batch_events))
            if not batch:
                continue
            await self._keep_pace(len(batch))
            await self._post(outbound, batch)
            for event in batch:
                self.sent.tally.add(event)
            self._on_progress(self.sent)
            waiting.append(outbound)

    @property
    def _batch_events(self) -> int:
        # At a low rate, small batches make an even stream.
        return BATCH_EVENTS if self._rate is None else min(BATCH_EVENTS, self._rate)

    async def _keep_pace(self, event_count: int) -> None:
        self._taken += event_count
        if self._rate is not None:
            due = self._started_at + (self._taken - event_count) / self._rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _post(self, outbound: Outbound, batch: list[PlannedEvent]) -> None:
        body = encode_batch(batch)
        headers = {
            "Authorization": f"Bearer {outbound.key}",
            "Content-Type": BATCH_TYPE,
        }
        deadline = time.monotonic() + STALLED_SECONDS_MAX
        attempt = 0
        while (problem := await self._try_post(outbound, body, headers)) is not None:
            attempt += 1
            if time.monotonic() > deadline:
                raise FatalError(
                    f"ingest at {self._url} took no batch of {outbound.agency} for "
                    f"{STALLED_SECONDS_MAX:g} s: {problem}"
                )
            await asyncio.sleep(min(RETRY_SECONDS_MAX, delays_seconds(attempt)))
        self.sent.repeated_batches += attempt > 0

    async def _try_post(
        self, outbound: Outbound, body: bytes, headers: dict[str, str]
    ) -> str | None:
        """Post once; return None if accepted, else why it is worth another try.

        Raises:
            FatalError: Trying again would change nothing.
        """
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, timeout=REQUEST_TIMEOUT
            ) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return f"{type(error).__name__} {error}".strip()
        if response.status in RETRY_STATUSES:
            return f"status {response.status}"
        answer = _answer(text)
        refused = answer.get("refused") or answer.get("errors") or []
        if response.status != 202 or refused:  # noqa: PLR2004 -- HTTP's "accepted"
            detail = answer.get("detail") or answer.get("title") or ""
            shown = refused[:REFUSALS_SHOWN_MAX] if isinstance(refused, list) else ""
            raise FatalError(
                f"ingest turned a batch of {outbound.agency} away: "
                f"status {response.status} {detail} {shown}".rstrip()
            )
        return None


def _answer(text: str) -> dict[str, object]:
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError:
        return {"detail": text[:200]}
