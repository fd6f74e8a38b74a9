"""Every answer that the OpenAPI document shows is got from the door, word for word."""

import ast
import json
import zlib
from typing import Any

import pytest
from starlette.requests import Request as StarletteRequest
from starlette.types import ASGIApp

from services.ingest.wire.body import RequestBody
from shared.events import cloudevent_v1 as media_types
from shared.events.openapi_examples import (
    BATCHES,
    DATA,
    EVENTS,
    HEADERS,
    PROBLEMS,
    RECEIPTS,
    STREAMS,
)
from shared.http_drain import Drain
from shared.http_refusals import HEAD_TOO_LARGE, HEAD_TOO_SLOW, NOT_HTTP, TOO_BUSY
from tests.contract.documented import OPENAPI, stray_members, validator
from tests.contract.door_answers import (
    PROJECT,
    Request,
    ask,
    batch,
    make_frame,
    make_settings,
    make_used_up,
    one,
    stream,
)

POST = OPENAPI["paths"]["/v1/events"]["post"]
SALE = EVENTS["one sale"]
BATCH_NAME, BATCH = next(iter(BATCHES.items()))
LINES = next(iter(STREAMS.values()))
STREAM_NAME = f"a stream of {next(iter(STREAMS))}"
GZIP = (("content-encoding", "gzip"),)
MIB = 1024 * 1024

ANSWERED: dict[tuple[int, str], Request] = {
    (202, "one sale"): one(SALE),
    (202, BATCH_NAME): batch(BATCH),
    (202, STREAM_NAME): stream(LINES.rstrip()),
    (400, "cut-short"): Request(None),
    (400, "cut-short, in a stream"): stream(LINES.rstrip(), is_framed=False),
    (400, "not-json"): Request(b"\xff"),
    (400, "not-a-batch"): batch({}),
    (400, "empty-batch"): batch([]),
    (400, "damaged-encoding"): one(SALE, headers=GZIP),
    (400, "bad-parameter"): one(SALE, query="dryrun=true"),
    (400, "stream-not-atomic"): stream(SALE, query="atomic=true"),
    (401, "no-valid-key"): one(SALE, key=None),
    (403, "source-not-yours"): one({**SALE, "source": "/vn/38/other"}),
    (408, "body-too-slow"): Request(b"{", ends=False),
    (413, "body-too-large"): batch(["x" * (4 * MIB)]),
    (413, "batch-too-long"): batch([0] * 10_001),
    (413, "unpacks-too-far"): Request(
        zlib.compress(b" " * (2 * MIB), wbits=31),
        content_type=media_types.BATCH,
        headers=GZIP,
    ),
    (415, "media-type"): one(SALE, content_type="text/csv; charset=utf-8"),
    (415, "charset"): one(
        SALE, content_type=f"{media_types.STRUCTURED}; charset=UTF-16"
    ),
    (415, "content-encoding"): one(SALE, headers=(("content-encoding", "br"),)),
    (422, "bad-count, with atomic"): batch(BATCH, query="atomic=true"),
    (422, "events-refused"): batch([7, BATCH[1]]),
    (422, "events-refused, in a stream"): stream("7"),
    (429, "too-many-events"): batch([SALE] * 10_000),
    (503, "not-confirmed"): one(SALE),
    (503, "not-confirmed, in a stream"): stream(SALE),
    (503, "too-many-streams"): stream(SALE),
    (503, "stopping"): stream(SALE),
    (503, "stopping, before it is read"): one(SALE),
}
WITHOUT_AN_APPLICATION = {
    (int(refusal.status), refusal.slug): refusal
    for refusal in (NOT_HTTP, HEAD_TOO_SLOW, HEAD_TOO_LARGE, TOO_BUSY)
}
EXAMPLES = {
    **{(202, name): receipt for name, receipt in RECEIPTS.items()},
    **{
        (code, name): each for code, of in PROBLEMS.items() for name, each in of.items()
    },
}


def door_for(status: int, name: str) -> ASGIApp:
    """Build the door that is asked: busy, slow, without a log, or as it is shipped."""
    if (status, name) in WITHOUT_AN_APPLICATION:
        return WITHOUT_AN_APPLICATION[status, name]
    frame = make_frame(
        is_log_away=name.startswith("not-confirmed"),
        limits={"body_pause_seconds_max": 0.05} if status == 408 else {},
    )
    if name == "too-many-events":
        frame.guard.rates = make_used_up(make_settings())
    if name == "stopping":
        frame.door.stop()
    if name == "stopping, before it is read":
        # What is round the door once ingest is to end.
        emptied = Drain(frame.app)
        emptied._is_draining = True
        return emptied
    if name == "too-many-streams":
        others = (RequestBody(StarletteRequest({"type": "http"})) for _ in range(8))
        frame.door._streams.update(others)
    return frame.app


def slugs_in(room: str) -> set[str]:
    """Find the slug of every problem that a file of ingest can make itself."""
    tree = ast.parse((PROJECT / "services/ingest" / room).read_text(encoding="utf-8"))
    return {
        ast.literal_eval(node.args[1])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "ProblemError"
        and isinstance(node.args[1], ast.Constant)
    }


def form_of(answer: Any, schema: dict[str, Any]) -> str:  # noqa: ANN401 -- JSON can be anything
    """Name the one documented form that an answer has, with no member beside it."""
    found: list[str] = [
        model
        for model in (
            each["$ref"].rpartition("/")[2] for each in schema.get("anyOf", [schema])
        )
        if not stray_members(OPENAPI, model, answer)
        and validator(OPENAPI, {"$ref": f"#/components/schemas/{model}"}).is_valid(
            answer
        )
    ]
    assert len(found) == 1, (found, answer)
    return found[0]


def test_every_example_of_an_answer_is_asked_for() -> None:
    """And every problem that the door knows is among them."""
    asked = {*ANSWERED, *WITHOUT_AN_APPLICATION}
    assert asked == set(EXAMPLES)
    assert {status for status, _ in asked} == {int(each) for each in POST["responses"]}
    rooms = (
        "web.py",
        "guard/guard.py",
        "wire/body.py",
        "wire/encodings.py",
        "wire/modes.py",
    )
    slugs = {slug for room in rooms for slug in slugs_in(room)}
    assert len(slugs) > 15
    assert slugs <= {name for _, name in EXAMPLES}


@pytest.mark.parametrize(("status", "name"), sorted(EXAMPLES))
async def test_answer_is_the_documented_one(status: int, name: str) -> None:
    """Word for word the example; its form is that of the status."""
    asked = ANSWERED.get((status, name), Request())
    answer = await ask(door_for(status, name), asked)
    said = json.loads(answer.body.replace(b"0.05 s", b"10 s"))
    assert (answer.status, said) == (status, EXAMPLES[status, name])
    documented = POST["responses"][str(status)]
    form = form_of(said, documented["content"][answer.media_type]["schema"])
    is_stream = form.startswith("Stream")
    assert is_stream == ("stream" in name.split())
    row = "StreamRefusalV1" if is_stream else "RefusalV1"
    for refusal in said.get("refused", ()):
        assert not stray_members(OPENAPI, row, refusal)
    for header, described in documented.get("headers", {}).items():
        if not described["required"] and header.lower() not in answer.headers:
            continue
        value: Any = answer.headers[header.lower()]
        if described["schema"].get("type") == "integer":
            value = int(value)
        validator(OPENAPI, described["schema"]).validate(value)


async def test_dry_run_is_answered_like_the_real_one() -> None:
    """Even while the log is away, because nothing is sent."""
    app = make_frame(is_log_away=True).app
    answer = await ask(app, one(SALE, query="dry_run=true"))
    assert (answer.status, answer.json()) == (202, RECEIPTS["one sale"])
    answer = await ask(app, stream(LINES.rstrip(), query="dry_run=true"))
    assert (answer.status, answer.json()) == (202, RECEIPTS[STREAM_NAME])


async def test_binary_mode_is_answered_like_the_structured_one() -> None:
    """Attributes in the head as the document shows them, data in the body."""
    request = Request(
        json.dumps(DATA["one sale"]).encode(),
        content_type="application/json",
        headers=tuple(HEADERS.items()),
    )
    answer = await ask(make_frame().app, request)
    assert (answer.status, answer.json()) == (202, RECEIPTS["one sale"])
    named = {each["name"] for each in POST["parameters"] if each["in"] == "header"}
    assert set(HEADERS) <= named
