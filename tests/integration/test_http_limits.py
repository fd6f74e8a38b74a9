"""What one client may ask of any of our HTTP servers, before anything is decided."""

import asyncio
import json

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from shared.http import Readiness, make_application, probe_routes
from shared.metrics import new_registry
from tests.support.raw_http import RawAnswer, request, serving
from tests.support.stack import eventually

pytestmark = pytest.mark.embedded


class Rooms:
    """An application that echoes, waits to be released, fails, or talks at length."""

    def __init__(self) -> None:
        self.waiting = 0
        self.release = asyncio.Event()
        self.hung_up = 0

    async def echo(self, asked: Request) -> Response:
        """Answer with the length of the body."""
        return JSONResponse(len(await asked.body()))

    async def hold(self, asked: Request) -> Response:
        """Wait for the test."""
        self.waiting += 1
        await self.release.wait()
        return await self.echo(asked)

    async def fail(self, _: Request) -> Response:
        """Show a bug."""
        raise RuntimeError

    async def talk(self, asked: Request) -> Response:
        """Answer with more than buffers hold, and note who stays to hear it."""
        try:
            return Response(b"x" * 50_000_000)
        finally:
            del asked

    async def who(self, asked: Request) -> Response:
        """Answer with where the request came from, as it is written down."""
        return JSONResponse(asked.client and asked.client.host)

    async def note(self, asked: Request) -> Response:
        """Say that a body was cut short."""
        try:
            return await self.echo(asked)
        except ClientDisconnect:
            self.hung_up += 1
            raise

    @property
    def app(self) -> ASGIApp:
        """Build the application."""
        names = ("echo", "hold", "fail", "talk", "who", "note")
        return make_application(
            [
                *(
                    Route(f"/{name}", getattr(self, name), methods=["POST"])
                    for name in names
                ),
                *probe_routes(Readiness(), new_registry()),
            ]
        )

    async def has_waiting(self) -> bool:
        """Tell whether somebody waits."""
        return self.waiting > 0


ECHO = request(path="/echo", body=b"12345")
REFUSED_HEADS = {
    "many fields": (
        request("POST", "/echo", b"", *(f"x-{n}: 1" for n in range(200))),
        431,
        "head-too-large",
    ),
    "a long field": (
        request("POST", "/echo", b"", "x: " + "a" * 40_000),
        431,
        "head-too-large",
    ),
    "a long address": (request("POST", "/" + "a" * 40_000), 431, "head-too-large"),
    "a field without end": (b"POST /echo HTTP/1.1\r\nx: " + b"a" * 200_000, 431, ""),
    "fields without end": (b"POST /echo HTTP/1.1\r\n" + b"x: y\r\n" * 9_000, 431, ""),
    "no http": (b"\x16\x03\x01\x02\x00\x01\x00", 400, "not-http"),
    "a body of two lengths": (
        request("POST", "/echo", b"12345", "content-length: 6"),
        400,
        "not-http",
    ),
    "a length and chunks": (
        request("POST", "/echo", b"0\r\n\r\n", "transfer-encoding: chunked"),
        400,
        "not-http",
    ),
    "a negative length": (request("POST", "/echo", b"", length=-1), 400, "not-http"),
    "a folded field": (request("POST", "/echo", b"", "x: 1\r\n y"), 400, "not-http"),
    "a NUL": (request("POST", "/echo", b"", "x: a\0b"), 400, "not-http"),
    "bytes in the address": (b"POST /\xff\xfe HTTP/1.1\r\n\r\n", 400, "not-http"),
}


@pytest.fixture
def rooms() -> Rooms:
    """Make an application of the test's own."""
    return Rooms()


def length_heard(answer: RawAnswer) -> int:
    """Return what an echo says."""
    assert answer.status == 200, answer
    return int(json.loads(answer.body))


async def test_head_that_is_none_is_answered_with_a_problem(rooms: Rooms) -> None:
    """Too much of it or not HTTP: one clear answer, and the next client is served."""
    async with serving(rooms.app) as served:
        for name, (asked, status, slug) in REFUSED_HEADS.items():
            answer = await served.ask(asked)
            assert (answer.status, answer.slug[: len(slug)]) == (status, slug), name
            assert answer.headers["connection"] == "close"
        assert length_heard(await served.ask(ECHO)) == 5
        statuses = [status for _, status, _ in REFUSED_HEADS.values()]
        assert served.turned_away() == {
            "head_too_large": statuses.count(431),
            "not_http": statuses.count(400),
        }


async def test_address_is_taken_as_it_stands(rooms: Rooms) -> None:
    """No path leads to another, and no client is sent to where it says it is."""
    paths = ("/echo/", "//echo", "/./echo", "/x/../echo", "/%2e/echo", "/echo%00", "/")
    async with serving(rooms.app) as served:
        for path in (*paths, "/ECHO", "http://evil.example/echo/", "/echo;x", "*"):
            answer = await served.ask(request("POST", path))
            assert answer.slug in ("no-such-address", "not-http"), path
            assert "location" not in answer.headers
        answer = await served.ask(request("DELETE", "/echo"))
        assert (answer.status, answer.headers["allow"]) == (405, "POST")
        assert answer.slug == "method-not-allowed"


async def test_head_that_comes_slowly_ends(rooms: Rooms) -> None:
    """Whether nothing comes, a part, or blank lines only; others are served."""
    async with serving(rooms.app, head_seconds=0.2) as served:
        async with served.wire() as silent, served.wire() as blank:
            await blank.say(b"\r\n\r\n")
            slow = await served.ask(b"POST /echo HTTP/1.1\r\nx: ")
            assert (slow.status, slow.slug) == (408, "head-too-slow")
            assert await silent.is_closed()
            assert await blank.is_closed()
        assert served.turned_away() == {"head_too_slow": 1, "silent": 2}
        async with served.wire() as wire:
            # A whole head stops the clock; the body has a pace of its own.
            await wire.say(request(path="/hold", body=b"1", length=2))
            await eventually(rooms.has_waiting, what="the request was taken")
            assert (await served.ask(b"POST ")).status == 408
            rooms.release.set()
            await wire.say(b"2")
            assert length_heard(await wire.hear()) == 2
            await wire.say(b"\r\n")
            assert await wire.is_closed()


async def test_requests_behind_one_another_are_few(rooms: Rooms) -> None:
    """What is under way is answered, the rest of so many is not kept."""
    async with serving(rooms.app, waiting_requests=3) as served:
        async with served.wire() as wire:
            await wire.say(ECHO * 3)
            assert [length_heard(await wire.hear()) for _ in range(3)] == [5, 5, 5]
        async with served.wire() as wire:
            rooms.release.set()
            await wire.say(request(path="/hold") + ECHO * 2_000)
            assert length_heard(await wire.hear()) == 0
            assert await wire.is_closed()
        assert served.turned_away() == {"too_many_in_line": 1}


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"5\r\n12345678", b"-1\r\n", b"F" * 20])
async def test_body_whose_chunks_break_is_cut_short(rooms: Rooms, chunk: bytes) -> None:
    """The application learns that it has not all of it, never takes it for whole."""
    head = b"POST /note HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    async with serving(rooms.app) as served:
        answer = await served.ask(head + b"3\r\nabc\r\n", chunk)
        assert (answer.status, answer.slug) == (400, "cut-short")
        assert rooms.hung_up == 1
        answer = await served.ask(head + b"3;x=y\r\nabc\r\n0\r\nx: y\r\n\r\n")
        assert length_heard(answer) == 3


@pytest.mark.parametrize("flood", [b"x: y\r\n", b"x", b"1;x"])
async def test_fields_behind_a_body_are_not_kept(rooms: Rooms, flood: bytes) -> None:
    """Neither whole ones nor one without end, nor what is said about a chunk."""
    head = b"POST /note HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    behind = b"" if flood[:1] == b"1" else b"0\r\n"
    async with serving(rooms.app) as served, served.wire() as wire:
        await wire.say(head + b"3\r\nabc\r\n" + behind + flood)
        await wire.say(*[flood[-6:] * 10_000] * 50)
        answer = await wire.hear()
        assert (answer.status, answer.slug) == (400, "cut-short")


async def test_offer_of_another_protocol_is_let_be(rooms: Rooms) -> None:
    """As Java's client makes it with its first request: its body is read."""
    fields = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c")
    async with serving(rooms.app) as served, served.wire() as wire:
        for upgrade in (fields[1], "upgrade: websocket"):
            await wire.say(request("POST", "/echo", b"12345", fields[0], upgrade))
            assert length_heard(await wire.hear()) == 5


async def test_client_that_does_not_read_is_cut(rooms: Rooms) -> None:
    """Its answer would be held for ever."""
    async with serving(rooms.app, unread_seconds=0.2) as served:
        async with served.wire() as wire:
            await wire.say(request(path="/talk"))

            async def is_cut() -> bool:
                return wire.reader.at_eof() or wire.reader.exception() is not None

            wire.writer.transport.pause_reading()  # type: ignore[attr-defined] # of sockets
            await asyncio.wait_for(_refused_at_last(wire.writer), 10)
            wire.writer.transport.resume_reading()  # type: ignore[attr-defined] # of sockets
            await eventually(is_cut, what="the connection is cut")
        assert served.turned_away() == {"answer_not_read": 1}
        assert length_heard(await served.ask(ECHO)) == 5


async def _refused_at_last(writer: asyncio.StreamWriter) -> None:
    """Knock until the other end is gone."""
    try:
        while True:
            writer.write(b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)
    except ConnectionError:
        return


async def test_too_many_requests_are_told_to_come_back(rooms: Rooms) -> None:
    """With a problem and a time; who looks after the service still learns its state."""
    async with serving(rooms.app, open_requests=2) as served:
        async with served.wire() as first, served.wire() as second:
            await first.say(request(path="/hold"))
            await second.say(request(path="/hold"))

            async def are_held() -> bool:
                return rooms.waiting == 2

            await eventually(are_held, what="both wait")
            answer = await served.ask(ECHO)
            assert (answer.status, answer.slug) == (503, "too-busy")
            assert int(answer.headers["retry-after"]) > 0
            for probe in ("/health/live", "/health/ready", "/metrics"):
                assert (await served.ask(request("GET", probe))).status == 200
            rooms.release.set()
            assert length_heard(await first.hear()) == 0
            assert length_heard(await second.hear()) == 0
        assert served.turned_away() == {"too_busy": 1}
        assert length_heard(await served.ask(ECHO)) == 5


async def test_connections_beyond_all_bounds_are_not_kept(rooms: Rooms) -> None:
    """Each takes a file descriptor, also one that asks nothing."""
    async with serving(rooms.app, open_requests=1) as served:
        async with served.wire() as first, served.wire(), served.wire() as third:
            assert await third.is_closed()
            await first.say(request("GET", "/health/live"))
            assert (await first.hear()).status == 200
        assert served.turned_away() == {"too_many_connections": 1}


FORWARDED = ("x-forwarded-for: 203.0.113.9", "x-forwarded-for: 198.51.100.7")


@pytest.mark.parametrize(
    ("trusted", "told"),
    [
        (None, "127.0.0.1"),
        ("10.0.0.0/8", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7"),
        ("10.0.0.0/8, 127.0.0.0/8", "198.51.100.7"),
        ("127.0.0.1,198.51.100.7", "203.0.113.9"),
    ],
)
async def test_who_asks_is_believed_of_named_proxies_only(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, trusted: str | None, told: str
) -> None:
    """And of those only what they added: the rest is its caller's own word."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    async with serving(rooms.app, trusted_proxies=trusted) as served:
        answer = await served.ask(request("POST", "/who", b"", *FORWARDED))
        assert (answer.status, json.loads(answer.body)) == (200, told)


async def test_bug_is_a_problem_and_ends_no_other_request(rooms: Rooms) -> None:
    """Whoever asked learns that it was not their mistake."""
    async with serving(rooms.app) as served:
        answer = await served.ask(request(path="/fail"))
        assert (answer.status, answer.slug) == (500, "bug")
        assert b"RuntimeError" not in answer.body
        assert length_heard(await served.ask(ECHO)) == 5
