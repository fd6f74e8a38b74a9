"""Bodies made to harm: each gets one clear problem, and the next sender is served."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Iterator

import pytest

from services.ingest.web import HELD_PER_BYTE
from shared.events.cloudevent_v1 import BATCH, STREAM, STRUCTURED
from tests.contract.door_answers import KEY, make_frame, make_settings
from tests.support.fake_log import FakeLog
from tests.support.raw_http import Served, request, serving
from tests.support.stack import eventually
from tests.unit.ingest.doors import make_event

pytestmark = pytest.mark.embedded
MIB = 1024 * 1024
GZIP = "content-encoding: gzip"
GOOD = make_event(id="good")


def gzip(plain: bytes) -> bytes:
    """Pack as gzip does, as far as it goes."""
    return zlib.compress(plain, 9, wbits=31)


def bomb(byte: bytes, size: int) -> bytes:
    """Pack one byte, so many times, without holding them."""
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(byte * MIB) for _ in range(size // MIB))
    return packed + packer.flush()


def post(
    body: bytes, *fields: str, kind: str = BATCH, key: str = KEY, query: str = ""
) -> bytes:
    """Write a request to the door."""
    return request(
        "POST",
        f"/v1/events{query}",
        body,
        f"content-type: {kind}",
        f"authorization: Bearer {key}",
        *fields,
    )


def batch_of(*values: str) -> bytes:
    """Write a batch of a good event and others."""
    return f"[{json.dumps(GOOD)},{','.join(values)}]".encode()


def event_with(member: str) -> bytes:
    """Write a good event with something beside it."""
    return json.dumps(GOOD)[:-1].encode() + b"," + member.encode() + b"}"


WHOLE_REFUSED = {
    "deep arrays": (b"[" * MIB, 400, "not-json"),
    "deep objects": (b'[{"a":' * 100_000, 400, "not-json"),
    "closed deep arrays": (b"[" * 500_000 + b"]" * 500_000, 400, "not-json"),
    "NaN": (batch_of("NaN"), 400, "not-json"),
    "Infinity": (batch_of("-Infinity"), 400, "not-json"),
    "a long number": (batch_of("9" * 100_000), 400, "not-json"),
    "bad UTF-8": (batch_of('"X"').replace(b"X", b"\xff"), 400, "not-json"),
    "a lone quote": (b'["' + b"x" * MIB, 400, "not-json"),
    "nothing": (b"", 400, "not-json"),
    "a comma too many": (batch_of("7,"), 400, "not-json"),
    "100,000 events": (b"[" + b"{}," * 99_999 + b"{}]", 413, "batch-too-long"),
    "millions of values": (b"[[" + b"0," * (2 * MIB - 10) + b"0]]", 413, ""),
    "too many bytes": (b" " * (4 * MIB + 1), 413, "body-too-large"),
}
ROW_REFUSED = {
    "a deep event": ("[" * 20 + "]" * 20, "too_deep"),
    "a large event": (json.dumps("x" * 70_000), "event_too_large"),
    "a huge count": (
        json.dumps(make_event(data={"locality": "15961", "count": 10**100})),
        "bad_count",
    ),
    "a count with an exponent": (
        json.dumps(GOOD).replace('"15961"', '"15961", "count": 1e999'),
        "bad_count",
    ),
    "a repeated key": (json.dumps(GOOD)[:-1] + ', "id": "other"}', "duplicate_key"),
    "half a character": (json.dumps({**GOOD, "id": "\ud800"}), "bad_id"),
    "a NUL": (json.dumps({**GOOD, "id": "a\0"}), "bad_id"),
    "a number": ("7", "not_an_object"),
}


@pytest.fixture
def log() -> FakeLog:
    """Make a log of the test's own."""
    return FakeLog(make_settings())


@pytest.fixture
async def served(log: FakeLog) -> AsyncIterator[Served]:
    """Serve the door as it is shipped."""
    async with serving(make_frame(publisher=log).app) as at:
        yield at
        answer = await at.ask(post(json.dumps([GOOD]).encode()))
        assert answer.status == 202, answer


async def test_hostile_batch_is_refused_whole(log: FakeLog, served: Served) -> None:
    """Where its parts cannot be told apart, or are too many; nothing of it is sent."""
    for name, (body, status, slug) in WHOLE_REFUSED.items():
        for sent in (post(body), post(gzip(body), GZIP)):
            answer = await served.ask(sent)
            if answer.slug != "unpacks-too-far":
                assert (answer.status, answer.slug[: len(slug)]) == (status, slug), name
            assert len(answer.body) < 1_000
    assert log.ids == []


async def test_hostile_event_touches_no_other(log: FakeLog, served: Served) -> None:
    """In a batch and in a stream alike: it is refused, the good one is taken."""
    for name, (text, code) in ROW_REFUSED.items():
        stream = json.dumps(GOOD).encode() + b"\n" + text.encode()
        for sent in (post(batch_of(text)), post(stream, kind=STREAM)):
            answer = await served.ask(sent)
            assert answer.status == 202, (name, answer)
            (refused,) = json.loads(answer.body)["refused"]
            assert (refused["index"], refused["code"]) == (1, code), name
    assert log.ids == ["good"] * 2 * len(ROW_REFUSED)


async def test_bomb_is_left_alone(log: FakeLog, served: Served) -> None:
    """Of a gigabyte in a megabyte no more is unpacked than a body may have."""
    for kind in (STRUCTURED, BATCH, STREAM):
        answer = await served.ask(post(bomb(b" ", 256 * MIB), GZIP, kind=kind))
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert answer.slug in ("body-too-large", "unpacks-too-far")
    assert log.ids == []


async def test_one_event_has_the_same_bound_however_it_is_sent(served: Served) -> None:
    """Alone, by its head and body, packed, in a batch and in a stream."""
    large = event_with(f'"x": "{"y" * 70_000}"')
    attributes = [f"ce-{name}: {GOOD[name]}" for name in GOOD if name != "data"]
    data = b'{"locality": "15961"' + b" " * 70_000 + b"}"
    for sent, status in (
        (post(large, kind=STRUCTURED), 413),
        (post(gzip(large), GZIP, kind=STRUCTURED), 413),
        (post(data, *attributes, kind="application/json"), 413),
        (post(b"[" + large + b"]"), 422),
        (post(large, kind=STREAM), 422),
    ):
        assert (await served.ask(sent)).status == status


async def test_sender_without_a_key_is_not_read(served: Served) -> None:
    """However much it announces: it is told at once, and need not send it."""
    async with served.wire() as wire:
        announced = post(b"", "expect: 100-continue", key="wrong")
        await wire.say(announced.replace(b"length: 0", b"length: 9999999999"))
        answer = await wire.hear()
        assert (answer.status, answer.slug) == (401, "no-valid-key")
    # The answer is heard even by one that sends it all the same.
    answer = await served.ask(*post_in_parts(16 * MIB, key="wrong"))
    assert answer.status == 401


async def test_body_that_is_announced_too_large_is_not_read(served: Served) -> None:
    """A client that asks first is spared the sending."""
    async with served.wire() as wire:
        announced = post(b"", "expect: 100-continue")
        await wire.say(announced.replace(b"length: 0", b"length: 9999999999"))
        assert (await wire.hear()).slug == "body-too-large"
    answer = await served.ask(*post_in_parts(16 * MIB))
    assert (answer.status, answer.slug) == (413, "body-too-large")


def post_in_parts(size: int, *, key: str = KEY) -> Iterator[bytes]:
    """Send a large body in chunks."""
    head = post(b"", key=key).replace(
        b"content-length: 0", b"transfer-encoding: chunked"
    )
    yield head
    for _ in range(size // 65_536):
        yield b"10000\r\n" + bytes(65_536) + b"\r\n"
    yield b"0\r\n\r\n"


async def test_slow_body_ends(log: FakeLog) -> None:
    """One that stops, and one that trickles on for ever."""
    limits = {"body_pause_seconds_max": 0.3, "body_seconds_max": 0.6}
    frame = make_frame(publisher=log, limits=limits)
    async with serving(frame.app) as served:
        async with served.wire() as wire:
            await wire.say(post(b"[").replace(b"length: 1", b"length: 100"))
            answer = await wire.hear()
            assert (answer.status, answer.slug) == (408, "body-too-slow")
            assert "no byte came for 0.3 s" in answer.problem["detail"]
        async with served.wire() as wire, asyncio.TaskGroup() as group:
            await wire.say(post(b"[").replace(b"length: 1", b"length: 10000"))
            trickling = group.create_task(trickle(wire.writer))
            answer = await wire.hear()
            trickling.cancel()
            assert answer.slug == "body-too-slow"
            assert "not complete after 0.6 s" in answer.problem["detail"]
    assert log.ids == []


async def trickle(writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then."""
    while not writer.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.05)


async def test_open_requests_hold_a_bounded_number_of_bytes(log: FakeLog) -> None:
    """Beyond it senders are told to come back; what is held is given back."""
    limits = {"held_bytes_max": MIB}
    body = b"[" + b" " * (MIB // HELD_PER_BYTE // 2 - 1)
    async with serving(make_frame(publisher=log, limits=limits).app) as served:
        half = post(body).replace(b"length: ", b"length: 1")
        async with served.wire() as first, served.wire() as second:
            await first.say(half)
            await second.say(half)

            async def is_busy() -> bool:
                answer = await served.ask(post(json.dumps([GOOD]).encode()))
                if answer.status == 202:
                    return False
                assert (answer.status, answer.slug) == (503, "too-busy")
                assert int(answer.headers["retry-after"]) > 0
                return True

            await eventually(is_busy, what="all bytes are held")

        async def is_free() -> bool:
            return not await is_busy()

        await eventually(is_free, what="what was held is given back")
        # One request alone may have all that a body may be.
        filled = json.dumps([GOOD]).encode() + b" " * MIB
        assert (await served.ask(post(filled))).status == 202


@pytest.mark.parametrize("kind", [STRUCTURED, BATCH, STREAM, "application/json"])
async def test_nothing_is_acknowledged_before_it_is_durable(
    log: FakeLog, served: Served, kind: str
) -> None:
    """However it is sent: handed to the log is not confirmed by it."""
    body = json.dumps([GOOD] if kind == BATCH else GOOD).encode()
    fields: tuple[str, ...] = ()
    if kind == "application/json":
        fields = tuple(f"ce-{name}: {GOOD[name]}" for name in GOOD if name != "data")
        body = json.dumps(GOOD["data"]).encode()
    log.is_open.clear()
    async with served.wire() as wire, asyncio.TaskGroup() as group:
        await wire.say(post(body, *fields, kind=kind))
        answering = group.create_task(wire.hear())

        async def is_handed() -> bool:
            return log.handed == ["good"]

        await eventually(is_handed, what="the event is handed to the log")
        for _ in range(5):
            assert (await served.ask(request("GET", "/health/live"))).status == 200
        assert not answering.done()
        log.is_open.set()
        answer = await answering
        assert (answer.status, json.loads(answer.body)["accepted"]) == (202, 1)
        assert log.ids == ["good"]


@pytest.mark.parametrize(
    "query",
    ["?dryrun=true", "?dry_run=1", "?dry_run=", "?atomic=yes", "?x=%ff", "?%00=%00"],
)
async def test_misspelt_wish_is_not_the_opposite(served: Served, query: str) -> None:
    """What was to be tried only would be counted."""
    answer = await served.ask(post(json.dumps([GOOD]).encode(), query=query))
    assert (answer.status, answer.slug) == (400, "bad-parameter")


async def test_two_of_a_field_that_must_be_one_are_none(served: Served) -> None:
    """A proxy might read the other one."""
    body = json.dumps([GOOD]).encode()
    answer = await served.ask(post(body, f"content-type: {STREAM}"))
    assert answer.status == 415
    answer = await served.ask(post(gzip(gzip(body)), GZIP, GZIP))
    assert (answer.status, answer.slug) == (415, "content-encoding")
