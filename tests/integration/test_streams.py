"""Streams of events at the real door, with a log that the test holds in its hands."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from services.ingest.wire.ndjson import PART_EVENTS_MAX, UNDER_WAY_MAX
from tests.contract.door_answers import KEY, DoorFrame, make_frame, make_settings
from tests.support.fake_log import FakeLog
from tests.support.raw_http import RawAnswer, Served, Wire, serving
from tests.support.stack import eventually
from tests.unit.ingest.doors import make_event

pytestmark = pytest.mark.embedded
HEAD = (
    "POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n"
    f"authorization: Bearer {KEY}\r\ntransfer-encoding: chunked\r\n"
)
END = b"0\r\n\r\n"


def line(number: int) -> bytes:
    """Write a good event."""
    return json.dumps(make_event(id=f"e-{number}")).encode() + b"\n"


def lines(count: int, *, first: int = 0) -> bytes:
    """Write good events."""
    return b"".join(line(first + each) for each in range(count))


def chunk(data: bytes) -> bytes:
    """Frame a part of a body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def ids(count: int) -> list[str]:
    """Name the events that `lines` writes."""
    return [f"e-{each}" for each in range(count)]


@dataclass(frozen=True, slots=True)
class House:
    """A door, its log, and where it is served."""

    frame: DoorFrame
    log: FakeLog
    served: Served

    @asynccontextmanager
    async def stream(self, *fields: str) -> AsyncIterator[Wire]:
        """Begin a stream."""
        async with self.served.wire() as wire:
            await wire.say("\r\n".join((HEAD + "".join(fields), "")).encode())
            yield wire

    async def send(self, body: bytes, *fields: str) -> RawAnswer:
        """Send a whole stream."""
        async with self.stream(*fields) as wire:
            await wire.say(chunk(body), END)
            return await wire.hear()


@asynccontextmanager
async def house(**limits: float) -> AsyncIterator[House]:
    """Serve a door while the block runs."""
    log = FakeLog(make_settings())
    frame = make_frame(publisher=log, limits=limits)
    async with serving(frame.app) as served:
        yield House(frame, log, served)


def receipt(answer: RawAnswer) -> dict[str, Any]:
    """Return the receipt of a stream that was taken."""
    assert answer.status == 202, answer
    said: dict[str, Any] = json.loads(answer.body)
    assert said["received"] == said["accepted"] + said["refused_count"]
    return said


async def test_stream_is_appended_in_order_and_summed_up() -> None:
    """However it is packed or written; refused lines touch no other."""
    body = lines(3_000) + b"\r\n \noh\n" + line(3_000).rstrip()
    body = b"\xef\xbb\xbf" + body.replace(b"\n", b"\r\n")
    async with house() as at:
        for packed, fields in (
            (body, ""),
            (zlib.compress(body, wbits=31), "content-encoding: gzip\r\n"),
        ):
            said = receipt(await at.send(packed, fields))
            assert (said["received"], said["accepted"]) == (3_002, 3_001)
            assert said["refused_by_code"] == {"not_json": 1}
            (refused,) = said["refused"]
            assert (refused["index"], refused["line"]) == (3_000, 3_003)
            assert said["durable_through_line"] == 3_004
            assert at.log.ids == ids(3_001)
            at.log.ids.clear()


async def test_refused_lines_are_shown_up_to_a_bound_and_all_counted() -> None:
    """The receipt does not grow with the stream."""
    async with house(stream_refusals_max=3) as at:
        answer = await at.send(b"7\n" * 5_000 + b"}\n" * 5_000)
        said = answer.problem
        assert (answer.status, answer.slug) == (422, "events-refused")
        assert said["refused_by_code"] == {"not_an_object": 5_000, "not_json": 5_000}
        assert [each["line"] for each in said["refused"]] == [1, 2, 3]
        assert said["received"] == said["refused_count"] == 10_000
        other = json.dumps(make_event(source="/vn/38/other")).encode()
        assert (await at.send(other)).status == 403
        for empty in (b"", b"\n\n \n", b"\xef\xbb\xbf"):
            async with at.stream() as wire:
                await wire.say(*(chunk(empty),) if empty else (), END)
                answer = await wire.hear()
                assert (answer.status, answer.slug) == (400, "empty-batch")


async def test_slow_log_slows_the_sender_down() -> None:
    """A few parts wait for the log and one more is read, of however many are sent."""
    async with house() as at, at.stream() as wire, asyncio.TaskGroup() as group:
        at.log.is_open.clear()
        body = lines(50_000)
        sending = group.create_task(wire.say(chunk(body), END))

        async def is_handed() -> bool:
            return bool(at.log.handed)

        await eventually(is_handed, what="the first part is handed over")
        # The probe is answered, and nothing moves until the log confirms.
        for _ in range(20):
            asked = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
            assert (await at.served.ask(asked)).status == 200
            assert len(at.log.handed) <= PART_EVENTS_MAX * UNDER_WAY_MAX
            assert at.log.ids == []
        assert not sending.done()
        at.log.is_open.set()
        said = receipt(await wire.hear())
        assert said["accepted"] == said["durable_through_line"] == 50_000
        assert at.log.ids == ids(50_000)


async def test_line_that_is_sent_alone_waits_for_no_other() -> None:
    """A sender that trickles sees its events counted at once."""
    async with house() as at, at.stream() as wire:
        for number in range(3):
            await wire.say(chunk(line(number)))
            expected = ids(number + 1)

            async def is_durable(wanted: list[str] = expected) -> bool:
                return at.log.ids == wanted

            await eventually(is_durable, what="the line is in the log")
        await wire.say(END)
        assert receipt(await wire.hear())["accepted"] == 3


async def test_unconfirmed_part_ends_the_stream_and_says_how_far_it_came() -> None:
    """What was confirmed stays counted; the sender goes on from there, or anew."""
    async with house() as at, at.stream() as wire, asyncio.TaskGroup() as group:
        at.log.failing_after = 2_500
        group.create_task(wire.say(chunk(lines(20_000)), END))
        answer = await wire.hear()
        said = answer.problem
        assert (answer.status, answer.slug) == (503, "not-confirmed")
        assert int(answer.headers["retry-after"]) > 0
        through = said["durable_through_line"]
        assert 2_500 <= through == said["accepted"] == said["received"] < 20_000
        assert at.log.ids == ids(through)
        assert f"lines up to {through:,} are durable" in said["detail"]
        assert await wire.is_closed()


BROKEN = {
    "bad chunk": (b"zz\r\n", 400, "cut-short"),
    "nothing more": (b"", 408, "body-too-slow"),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
async def test_stream_that_breaks_says_through_which_line_it_is_durable(
    name: str,
) -> None:
    """What came whole is settled first, also what the log was still to confirm."""
    rest, status, slug = BROKEN[name]
    async with house(body_pause_seconds_max=0.3) as at, at.stream() as wire:
        await wire.say(chunk(lines(10)))

        async def is_durable() -> bool:
            return len(at.log.ids) == 10

        await eventually(is_durable, what="ten lines are durable")
        await wire.say(chunk(b'{"half": '), rest)
        answer = await wire.hear()
        assert (answer.status, answer.slug) == (status, slug)
        assert answer.problem["durable_through_line"] == 10
        assert answer.problem["accepted"] == 10


async def test_damaged_packing_is_told_after_what_came_before_it() -> None:
    """A file that was cut: its beginning counts, and its sender learns how far."""
    packed = zlib.compress(lines(5_000), wbits=31)
    async with house() as at:
        for body in (packed[:-5], packed[:-300] + bytes(300)):
            answer = await at.send(body, "content-encoding: gzip\r\n")
            assert (answer.status, answer.slug) == (400, "damaged-encoding")
            through = answer.problem["durable_through_line"]
            assert 0 < through <= 5_000
            assert at.log.ids == ids(through)
            at.log.ids.clear()


async def test_sender_who_hangs_up_leaves_whole_lines_only() -> None:
    """Half a line is no event; the door serves the next one."""
    async with house() as at:
        async with at.stream() as wire:
            await wire.say(chunk(lines(2) + b'{"specversion": "1.0"'))

            async def is_durable() -> bool:
                return at.log.ids == ids(2)

            await eventually(is_durable, what="two lines are durable")
        assert receipt(await at.send(lines(2)))["accepted"] == 2
        assert at.log.ids == ids(2) * 2


async def test_streams_are_few_and_the_others_told_to_come_back() -> None:
    """Batches go on meanwhile, and a place that is left is given away."""
    async with house(streams_max=1) as at:
        async with at.stream() as wire:
            await wire.say(chunk(line(0)))

            async def is_open() -> bool:
                return at.log.ids == ids(1)

            await eventually(is_open, what="the stream is open")
            answer = await at.send(line(1))
            assert (answer.status, answer.slug) == (503, "too-many-streams")
            assert int(answer.headers["retry-after"]) > 0
            await wire.say(END)
            assert receipt(await wire.hear())["accepted"] == 1
        assert receipt(await at.send(line(1)))["accepted"] == 1


async def test_service_that_stops_ends_its_streams_with_an_answer() -> None:
    """Even one whose sender is silent; a new one is not begun."""
    async with house() as at, at.stream() as wire:
        await wire.say(chunk(lines(7)))

        async def is_durable() -> bool:
            return len(at.log.ids) == 7

        await eventually(is_durable, what="seven lines are durable")
        at.frame.door.stop()
        answer = await wire.hear()
        assert (answer.status, answer.slug) == (503, "stopping")
        assert answer.problem["durable_through_line"] == 7
        assert (await at.send(lines(1))).slug == "stopping"


@pytest.mark.parametrize("confirms", [True, False])
async def test_stop_waits_for_the_log_and_counts_what_it_confirmed(
    confirms: bool,  # noqa: FBT001 -- a case of the test
) -> None:
    """Nothing is acknowledged that is not durable, nothing durable is left out."""
    async with house() as at, at.stream() as wire:
        at.log.is_open.clear()
        await wire.say(chunk(lines(5)))

        async def is_handed() -> bool:
            return at.log.handed == ids(5)

        await eventually(is_handed, what="the part is with the log")
        at.frame.door.stop()
        if not confirms:
            at.log.failing_after = 0
        at.log.is_open.set()
        answer = await wire.hear()
        slug, through = ("stopping", 5) if confirms else ("not-confirmed", 0)
        assert (answer.status, answer.slug) == (503, slug)
        assert answer.problem["durable_through_line"] == through
        assert at.log.ids == ids(through)


async def test_stream_that_waits_for_its_agencys_rate_ends_with_the_service() -> None:
    """At once, and its answer counts nothing of what still waited."""
    slow = {"agency_events_per_second": 0.001, "agency_burst_events": 10}
    async with house(**slow) as at, at.stream() as wire:
        await wire.say(chunk(lines(7)))

        async def is_durable() -> bool:
            return len(at.log.ids) == 7

        await eventually(is_durable, what="seven lines are durable")
        await wire.say(chunk(lines(7, first=7)))

        async def is_waiting() -> bool:
            (body,) = at.frame.door._streams
            until = None if body._waiting is None else body._waiting.when()
            # Longer than any wait for bytes: five events are a matter of hours.
            return until is not None and until - asyncio.get_running_loop().time() > 60

        await eventually(is_waiting, what="the stream waits")
        at.frame.door.stop()
        answer = await wire.hear()
        assert (answer.status, answer.slug) == (503, "stopping")
        said = answer.problem
        assert said["durable_through_line"] == said["accepted"] == 7
        assert at.log.handed == at.log.ids == ids(7)


async def test_key_that_is_taken_away_ends_a_stream() -> None:
    """It was valid when the stream began; no further part is taken with it."""
    async with house() as at, at.stream() as wire:
        await wire.say(chunk(lines(1)))

        async def is_durable() -> bool:
            return at.log.ids == ids(1)

        await eventually(is_durable, what="a line is durable")
        at.frame.guard._watch._take({})
        await wire.say(chunk(line(1)))
        answer = await wire.hear()
        assert (answer.status, answer.slug) == (401, "no-valid-key")
        assert answer.problem["durable_through_line"] == 1
        assert at.log.handed == ids(1)
