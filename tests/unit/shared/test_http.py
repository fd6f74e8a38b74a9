"""What the HTTP doors of all services share."""

import json

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http import Readiness, Straight, make_application, problem


def test_problem_has_the_members_of_rfc_9457() -> None:
    """With further members and headers where given."""
    response = problem(
        403,
        "locality-not-yours",
        "Not your locality",
        "bank covers 38",
        extra={"code": "locality_not_yours"},
        headers={"retry-after": "2"},
    )
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "2"
    assert json.loads(bytes(response.body)) == {
        "type": "https://uptake.invalid/problems/locality-not-yours",
        "title": "Not your locality",
        "status": 403,
        "detail": "bank covers 38",
        "code": "locality_not_yours",
    }


def test_readiness_is_nothing_to_wait_for() -> None:
    """Each part says for itself what it waits for, and that it no longer does."""
    readiness = Readiness()
    assert readiness.waiting == {}
    set_kafka = readiness.for_part("kafka")
    set_kafka("connecting")
    readiness.set("postgres", "away")
    set_kafka("gone")
    assert readiness.waiting == {"kafka": "gone", "postgres": "away"}
    set_kafka(None)
    set_kafka(None)
    assert readiness.waiting == {"postgres": "away"}


def test_readiness_gives_a_copy_away() -> None:
    """A reader cannot change it."""
    readiness = Readiness()
    readiness.waiting["kafka"] = "x"
    assert readiness.waiting == {}


async def straight(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the word straight."""
    await JSONResponse("straight")(scope, receive, send)


async def fail(scope: Scope, receive: Receive, send: Send) -> None:
    """Show a bug."""
    del scope, receive, send
    raise ValueError("secret")


async def usual(_: Request) -> Response:
    """Answer with the word usual."""
    return JSONResponse("usual")


def lead(endpoint: ASGIApp) -> Straight:
    """Lead POST /way straight to an endpoint."""
    routes = [Route("/way", endpoint, methods=["POST"]), Route("/other", usual)]
    return Straight(make_application(routes), "POST", "/way", endpoint)


async def ask(
    app: ASGIApp, method: str, path: str, sent: list[Message] | None = None
) -> tuple[int, object]:
    """Ask without a body; return status and content of the answer."""
    heard: list[Message] = [] if sent is None else sent

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def collect(message: Message) -> None:
        heard.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": []}
    await app(scope, receive, collect)
    return heard[0]["status"], json.loads(heard[1]["body"])


async def test_only_what_is_asked_most_goes_straight() -> None:
    """Another method, and another address, are answered as by any service."""
    app = lead(straight)
    assert await ask(app, "POST", "/way") == (200, "straight")
    assert await ask(app, "GET", "/other") == (200, "usual")
    for method, path, status in (
        ("GET", "/way", 405),
        ("POST", "/way/", 404),
        ("POST", "/WAY", 404),
        ("POST", "/other", 405),
        ("POST", "/nowhere", 404),
    ):
        assert (await ask(app, method, path))[0] == status, (method, path)


async def test_failure_of_what_went_straight_is_told_and_goes_to_the_log() -> None:
    """As on the usual way: a problem without a word of it, and the server hears it."""
    sent: list[Message] = []
    with pytest.raises(ValueError, match="secret"):
        await ask(lead(fail), "POST", "/way", sent)
    assert sent[0]["status"] == 500
    assert json.loads(sent[1]["body"])["type"].endswith("/bug")
