"""How `uptake send` takes the answers that ingest or a proxy may give."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from services.cli.send_http import IngestDoor, Outcome, SendStoppedError, make_session
from services.cli.send_plan import ReadyRow

pytestmark = pytest.mark.embedded
Handler = Callable[[web.Request, list[Any]], Awaitable[web.Response]]


def rows(count: int) -> list[ReadyRow]:
    """Make rows whose numbers are 11, 12, and so on."""
    return [
        ReadyRow(11 + at, f"id-{at}", json.dumps({"id": f"id-{at}"}).encode())
        for at in range(count)
    ]


def receipt(received: int, refused: tuple[int, ...] = ()) -> web.Response:
    """Answer as ingest does."""
    named = [
        {"index": at, "id": None, "code": "bad_count", "detail": "no"} for at in refused
    ]
    body = {
        "received": received,
        "accepted": received - len(named),
        "refused": named,
    }
    return web.json_response(body, status=202)


class Visit:
    """One delivery to a server of the test's own."""

    def __init__(self, handler: Handler, patience_seconds: float = 20) -> None:
        self.waits: list[str] = []
        self.batches: list[list[str]] = []
        self.headers: list[dict[str, str]] = []
        self._handler = handler
        self._patience_seconds = patience_seconds

    async def _serve(self, request: web.Request) -> web.Response:
        events = await request.json()
        self.batches.append([event["id"] for event in events])
        self.headers.append(dict(request.headers))
        return await self._handler(request, events)

    async def deliver(self, count: int, *, is_dry_run: bool = False) -> Outcome:
        """Deliver so many rows; the server ends with the delivery."""
        application = web.Application()
        application.router.add_post("/v1/events", self._serve)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            async with make_session("secret") as session:
                return await self._door(session, port, is_dry_run=is_dry_run).deliver(
                    rows(count)
                )
        finally:
            await runner.cleanup()

    def _door(
        self, session: aiohttp.ClientSession, port: int, *, is_dry_run: bool
    ) -> IngestDoor:
        return IngestDoor(
            session,
            f"http://127.0.0.1:{port}/",
            is_dry_run=is_dry_run,
            patience_seconds=self._patience_seconds,
            on_wait=self.waits.append,
        )


async def test_receipt_settles_every_row() -> None:
    """Refused rows keep their numbers; key and media type are sent."""

    async def handler(request: web.Request, events: list[Any]) -> web.Response:
        assert request.query.get("dry_run") == "true"
        return receipt(len(events), (1,))

    visit = Visit(handler)
    outcome = await visit.deliver(3, is_dry_run=True)
    assert outcome.accepted == 2
    assert [(row.number, row.code) for row in outcome.refused] == [(12, "bad_count")]
    assert visit.headers[0]["Authorization"] == "Bearer secret"
    assert visit.headers[0]["Content-Type"] == "application/cloudevents-batch+json"


async def test_unknown_fate_is_tried_again_with_the_same_ids() -> None:
    """503, 429, a proxy's 502 and a cut connection; each wait is told."""
    left = [503, 429, 502, 0]

    async def handler(request: web.Request, events: list[Any]) -> web.Response:
        if not left:
            return receipt(len(events))
        status = left.pop(0)
        if status == 0:
            assert request.transport is not None
            request.transport.close()
        return web.Response(status=status or 500, text="<html>", reason="Away")

    visit = Visit(handler)
    assert (await visit.deliver(2)).accepted == 2
    assert visit.batches == [["id-0", "id-1"]] * 5
    assert len(visit.waits) == 4
    assert "503" in visit.waits[0]
    assert "lost" in visit.waits[3]


async def test_body_that_is_too_large_is_halved_until_it_fits() -> None:
    """A row that is too large even alone is refused; the others are sent."""

    async def handler(_: web.Request, events: list[Any]) -> web.Response:
        if len(events) > 2 or "id-4" in {event["id"] for event in events}:
            return web.json_response({"title": "Too large"}, status=413)
        return receipt(len(events))

    outcome = await Visit(handler).deliver(5)
    assert outcome.accepted == 4
    assert [(row.number, row.code) for row in outcome.refused] == [(15, "too_large")]


async def test_batch_refused_for_some_is_sent_again_without_them() -> None:
    """A problem that names events refuses these only."""

    async def handler(_: web.Request, events: list[Any]) -> web.Response:
        if events[0]["id"] == "id-0":
            errors = [{"index": 0, "code": "locality_not_yours"}]
            return web.json_response({"title": "No", "errors": errors}, status=403)
        return receipt(len(events))

    visit = Visit(handler)
    outcome = await visit.deliver(3)
    assert outcome.accepted == 2
    assert [row.number for row in outcome.refused] == [11]
    assert visit.batches[1] == ["id-1", "id-2"]


async def test_batch_refused_as_a_whole_ends_there() -> None:
    """422 names every event; nothing is sent again."""

    async def handler(_: web.Request, events: list[Any]) -> web.Response:
        refused = [
            {"index": at, "id": None, "code": "too_late", "detail": ""}
            for at in range(len(events))
        ]
        return web.json_response({"title": "All", "refused": refused}, status=422)

    visit = Visit(handler)
    outcome = await visit.deliver(3)
    assert (outcome.accepted, len(outcome.refused), len(visit.batches)) == (0, 3, 1)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (401, '{"title": "A valid key is needed"}', "401 A valid key.*UPTAKE_KEY"),
        (403, '{"title": "No"}', "403 No"),
        (404, "<html>", "404 Not Found.*--url"),
        (302, "", "302 Found.*--url"),
        (415, '{"title": "Media type", "detail": "x"}', "415 Media type: x"),
        (202, "<html>", "without a receipt"),
        (202, '{"received": 1, "accepted": 1}', "does not add up"),
    ],
)
async def test_answer_that_no_retry_betters_stops_in_one_line(
    status: int, body: str, message: str
) -> None:
    """Keys, addresses and foreign servers: say what to set, do not go on."""

    async def handler(_: web.Request, __: list[Any]) -> web.Response:
        headers = {"Location": "/elsewhere"} if status == 302 else {}
        return web.Response(status=status, text=body, headers=headers)

    with pytest.raises(SendStoppedError, match=message) as caught:
        await Visit(handler).deliver(2)
    assert "\n" not in str(caught.value)


async def test_patience_ends() -> None:
    """An ingest that never answers is given up in a line that says why."""

    async def handler(_: web.Request, __: list[Any]) -> web.Response:
        return web.json_response({"title": "Not confirmed"}, status=503)

    with pytest.raises(SendStoppedError, match=r"gave up after 0\.2 s.*Not confirmed"):
        await Visit(handler, patience_seconds=0.2).deliver(1)
