"""An ingest of a test's own that remembers what it accepted, and may hang up."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Event = dict[str, Any]


class CountingDoor:
    """Accepts events, but for those that `refuse` names, and counts each by its id.

    Attributes:
        port: Where it listens.
        accepted: How often each (source, id) was accepted.
        events: The last event accepted under each (source, id).
        silent_batches: After these it hangs up instead of answering, by number from 1.
        away_until_batch: Up to this one it takes nothing and answers 503.
        on_batch: Awaited after a batch was accepted and before it is answered.
    """

    def __init__(self, refuse: Callable[[Event], str | None]) -> None:
        self.port = 0
        self.accepted: Counter[tuple[str, str]] = Counter()
        self.events: dict[tuple[str, str], Event] = {}
        self.on_batch: Callable[[int], Awaitable[None]] | None = None
        self.batch_count = 0
        self.silent_batches: frozenset[int] = frozenset()
        self.away_until_batch = 0
        self._refuse = refuse

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def standing(self) -> list[Event]:
        """Return the events that count: accepted and not reversed."""
        reversed_ids = {
            (event["data"]["source"], event["data"]["id"])
            for event in self.events.values()
            if event["type"] == "uptake.event.reversed"
        }
        return [
            event
            for key, event in self.events.items()
            if key not in reversed_ids and event["type"] != "uptake.event.reversed"
        ]

    async def answer(self, request: web.Request) -> web.Response:
        """Take a batch."""
        events = await request.json()
        if self.batch_count < self.away_until_batch:
            self.batch_count += 1
            return web.json_response({"title": "Not confirmed"}, status=503)
        refused = []
        for index, event in enumerate(events):
            code = self._refuse(event)
            if code is not None:
                told = {"index": index, "id": event["id"], "code": code, "detail": "no"}
                refused.append(told)
            elif request.query.get("dry_run") != "true":
                key = (event["source"], event["id"])
                self.accepted[key] += 1
                self.events[key] = event
        self.batch_count += 1
        if self.on_batch is not None:
            await self.on_batch(self.batch_count)
        if self.batch_count in self.silent_batches:
            assert request.transport is not None
            request.transport.close()
        body = {
            "received": len(events),
            "accepted": len(events) - len(refused),
            "refused": refused,
        }
        return web.json_response(body, status=202 if body["accepted"] else 422)


@asynccontextmanager
async def counting_door(
    refuse: Callable[[Event], str | None] = lambda _: None,
) -> AsyncIterator[CountingDoor]:
    """Listen for as long as a test needs it."""
    door = CountingDoor(refuse)
    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_post("/v1/events", door.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        door.port = runner.addresses[0][1]
        yield door
    finally:
        await runner.cleanup()
