"""The board's part of the OpenAPI document, held to the board's real doors."""

import ast
import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from services.board.core import parameters, questions
from services.board.core.callers import Beyond
from services.board.core.known_at import CannotBeKnownError
from services.board.core.parameters import BadParameterError
from services.board.store import (
    BusyError,
    NotMigratedError,
    TooSlowError,
    UnknownUnitError,
)
from shared.errors import TransientError
from shared.events import openapi_board
from shared.events.documents import render_documents
from shared.events.openapi_board_examples import (
    ALERTS,
    PROBLEMS,
    RECEIPTS,
    RECEIPTS_REQUESTS,
    SERIES,
    TARGETS,
    TOTALS,
)
from shared.events.receipts_v1 import ReceiptsRequestV1
from tests.support.board_doors import (
    BANK_KEY,
    PROJECT,
    READER_KEY,
    Ask,
    Told,
    ask,
    make_board,
)

OPENAPI: dict[str, Any] = json.loads(render_documents()["openapi.json"])
READS = ("/v1/totals", "/v1/series", "/v1/targets", "/v1/alerts")
QUERIES = {"/v1/series": "indicator=eid_accounts"}
REQUEST = next(iter(RECEIPTS_REQUESTS.values()))
ONE: dict[str, Any] = {"events": [{"source": "/vn/38/bank", "id": "e-1"}]}
ANSWERS = {
    "/v1/receipts": RECEIPTS,
    "/v1/totals": TOTALS,
    "/v1/series": SERIES,
    "/v1/targets": TARGETS,
    "/v1/alerts": ALERTS,
}


def receipts(body: object, **changes: Any) -> Ask:  # noqa: ANN401 -- any of Ask's
    """Ask for receipts as the bank."""
    raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    given: dict[str, Any] = {"method": "POST", "key": BANK_KEY, "body": raw, **changes}
    return Ask("/v1/receipts", **given)


def read(path: str, **changes: Any) -> Ask:  # noqa: ANN401 -- any of Ask's
    """Ask for a page as a reader."""
    return Ask(path, **{"query": QUERIES.get(path, ""), **changes})


MANY = {"events": [{"source": "/vn/38/bank", "id": f"e-{n}"} for n in range(1_001)]}
FUTURE = (
    "known_at 2036-11-21T02:00:00+00:00 is in the future; give an instant up to "
    "2026-11-21T02:15:00+00:00, or leave it out for all that is counted"
)
ASKED: dict[str, tuple[Ask, Exception | None]] = {
    "bad-parameter": (read("/v1/totals", query="localty=38"), None),
    "not-json": (receipts(b"?"), None),
    "cut-short": (receipts(None), None),
    "no-valid-key": (read("/v1/alerts", key=None), None),
    "not-an-agency": (receipts(ONE, key=READER_KEY), None),
    "indicator-not-yours": (
        read("/v1/series", query="indicator=eid_accounts", key=BANK_KEY),
        None,
    ),
    "locality-not-yours": (
        read("/v1/totals", query="locality=04", key=BANK_KEY),
        None,
    ),
    "source-not-yours": (
        receipts({"events": [{"source": "/vn/38/other", "id": "e-1"}]}),
        None,
    ),
    "no-such-locality": (
        read("/v1/totals", query="locality=99"),
        UnknownUnitError("no locality 99 on 2026-11-21"),
    ),
    "body-too-large": (receipts(b" " * (1024 * 1024 + 1)), None),
    "too-many-events": (receipts(MANY), None),
    "media-type": (receipts(ONE, content_type="text/csv; charset=utf-8"), None),
    "cannot-be-known": (
        read("/v1/totals", query="known_at=2036-11-21T09:00:00%2B07:00"),
        CannotBeKnownError(FUTURE),
    ),
    "not-a-request": (
        receipts({"events": [{"source": "/vn/38/bank", "id": ""}]}),
        None,
    ),
    "store-away": (read("/v1/series"), TransientError("refused")),
    "busy": (read("/v1/targets"), BusyError("all in use")),
    "not-migrated": (receipts(ONE), NotMigratedError("no such view")),
    "too-slow": (read("/v1/totals"), TooSlowError("cancelled")),
}
EXAMPLES = {
    name: (status, body) for status, of in PROBLEMS.items() for name, body in of.items()
}
# Has a test of its own, since it takes a sender who is slow.
SLOW = "body-too-slow"


def check(schema: Mapping[str, Any], value: object) -> None:
    """Hold a value to a schema of the document; it may hold nothing unnamed."""
    closed = json.loads(json.dumps(OPENAPI["components"]))
    for each in closed["schemas"].values():
        # A problem is read by one of two schemas, of which one has more members.
        if "properties" in each and "Problem" not in str(each.get("description")):
            each.setdefault("additionalProperties", False)
    Draft202012Validator(
        {**schema, "components": closed}, format_checker=FormatChecker()
    ).validate(value)


def named_schema(name: str) -> Mapping[str, Any]:
    """Refer to a schema of the document."""
    assert name in OPENAPI["components"]["schemas"]
    return {"$ref": f"#/components/schemas/{name}"}


def documented(asked: Ask, told: Told) -> Mapping[str, Any]:
    """Return what the document says of an answer."""
    operation = OPENAPI["paths"][asked.path][asked.method.lower()]
    found: Mapping[str, Any] = operation["responses"][str(told.status)]
    return found


def schema_of(asked: Ask, told: Told) -> Mapping[str, Any]:
    """Return the schema of an answer's body."""
    content = documented(asked, told)["content"][told.media_type]
    schema: Mapping[str, Any] = content["schema"]
    return schema


@pytest.mark.parametrize("path", sorted(ANSWERS))
async def test_answer_is_the_documented_one(path: str) -> None:
    """Member by member, and of the documented form."""
    app = make_board()
    asked = receipts(REQUEST) if path == "/v1/receipts" else read(path)
    told = await ask(app, asked)
    assert told.status == 200, told.body
    (example,) = ANSWERS[path].values()
    assert told.json() == example
    check(schema_of(asked, told), told.json())
    assert told.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("name", sorted(ASKED))
async def test_problem_is_the_documented_one(name: str) -> None:
    """Word for word, under the documented status of that endpoint."""
    asked, failure = ASKED[name]
    app = make_board(failure=failure)
    told = await ask(app, asked)
    assert (told.status, told.json()) == EXAMPLES[name]
    assert told.media_type == "application/problem+json"
    check(schema_of(asked, told), told.json())
    response = documented(asked, told)
    assert name in response["content"][told.media_type]["examples"]
    if told.status == 401:
        assert told.headers["www-authenticate"] == "Bearer"
    if told.status == 503:
        assert ("retry-after" in told.headers) is (name != "too-slow")


def test_every_problem_is_asked_for() -> None:
    """And every one that the board knows is documented."""
    assert {*ASKED, SLOW} == set(EXAMPLES)
    text = (PROJECT / "services/board/web/problems.py").read_text(encoding="utf-8")
    slugs = {
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value in EXAMPLES
    }
    assert slugs | {each.value.replace("_", "-") for each in Beyond} == set(EXAMPLES)


async def test_a_body_that_does_not_arrive_is_given_up() -> None:
    """A sender who trickles holds a connection for a bounded time."""
    app = make_board(body_seconds_max=0.01)
    asked = receipts(ONE)

    async def never() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    told = await ask(app, asked, receive=never)
    status, example = EXAMPLES[SLOW]
    assert told.status == status
    assert {**told.json(), "detail": example["detail"]} == example
    check(schema_of(asked, told), told.json())


@pytest.mark.parametrize("path", READS)
async def test_an_answer_that_is_known_is_not_sent_again(path: str) -> None:
    """304 with the same tag; another tag, or none, gets the whole answer."""
    app = make_board()
    first = await ask(app, read(path))
    tag = first.headers["etag"]
    asked = read(path, headers=(("if-none-match", f'"other", {tag}'),))
    told = await ask(app, asked)
    assert (told.status, told.body, told.headers["etag"]) == (304, b"", tag)
    for response in (documented(asked, first), documented(asked, told)):
        check(response["headers"]["ETag"]["schema"], tag)
    asked = read(path, headers=(("if-none-match", '"other"'),))
    assert (await ask(app, asked)).body == first.body


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 404),
        ("/v1/totals/", "GET", 404),
        ("/v1/receipts", "GET", 405),
        ("/v1/totals", "POST", 405),
        ("/v1/totals", "DELETE", 405),
    ],
)
async def test_wrong_paths_and_methods_are_problems_too(
    path: str, method: str, status: int
) -> None:
    """No answer of the board is in another form."""
    app = make_board()
    told = await ask(app, Ask(path, method=method))
    assert told.status == status
    assert told.media_type == "application/problem+json"
    check(named_schema("ProblemV1"), told.json())
    assert ("allow" in told.headers) is (status == 405)


async def test_a_bug_is_told_as_a_problem_and_goes_to_the_log() -> None:
    """Without a word of what happened; the server logs the traceback."""
    app = make_board(failure=ValueError("secret"))
    sent: list[dict[str, Any]] = []

    async def collect(message: Any) -> None:  # noqa: ANN401 -- as ASGI has it
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/targets",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {READER_KEY}".encode())],
    }
    with pytest.raises(ValueError, match="secret"):
        await app(scope, receive, collect)
    assert sent[0]["status"] == 500
    assert b"problems/bug" in sent[1]["body"]
    assert b"secret" not in sent[1]["body"]


def test_every_example_of_a_request_is_one() -> None:
    """Whoever copies it has something that works."""
    for example in RECEIPTS_REQUESTS.values():
        ReceiptsRequestV1.model_validate_json(json.dumps(example))
        check(named_schema("ReceiptsRequestV1"), example)


@pytest.mark.parametrize("path", READS)
def test_parameters_are_those_that_are_read(path: str) -> None:
    """Each documented one is taken, and its limits are those that apply."""
    described = OPENAPI["paths"][path]["get"]["parameters"]
    values = {
        "date": "2026-11-20",
        "date-time": "2026-11-20T09:00:00+07:00",
        "boolean": "true",
    }
    words = {"status": "lagging", "state": "firing"}
    pairs = [
        (
            each["name"],
            words.get(each["name"])
            or values.get(each["schema"].get("format", each["schema"]["type"]))
            or "3",
        )
        for each in described
        if each["name"] != "cursor"
    ]
    limit = next(each["schema"] for each in described if each["name"] == "limit")
    ask_it = getattr(questions, f"ask_{path.rpartition('/')[2]}")
    today = [] if path in {"/v1/targets", "/v1/alerts"} else [PARAMETERS_DAY]
    ask_it(pairs, *today)
    most = [("limit", str(limit["maximum"]))]
    needed = [pair for pair in pairs if pair[0] == "indicator"]
    ask_it([*needed, *most], *today)
    with pytest.raises(BadParameterError):
        ask_it([*needed, ("limit", str(limit["maximum"] + 1))], *today)


def test_documented_words_and_lengths_are_the_board_s() -> None:
    """A word that the document does not know would be refused as no valid request."""
    assert openapi_board.ALERT_STATES == questions.ALERT_STATES
    assert openapi_board.TARGET_STATUSES == questions.TARGET_STATUSES
    assert openapi_board.TEXT_LENGTH_MAX == parameters.TEXT_LENGTH_MAX


PARAMETERS_DAY = questions.LAST_DAY
