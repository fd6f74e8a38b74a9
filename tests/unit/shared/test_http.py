"""What the HTTP doors of all services share."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from shared import http
from shared.http import Drain, Readiness, problem


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


@dataclass(slots=True)
class SlowDoor:
    """An application that answers when it is told to."""

    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Wait, then answer."""
        if scope["path"] == "/v1/events":
            self.asked.set()
            await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 202, "headers": []})


async def ask(app: Drain, path: str = "/v1/events") -> dict[str, Any]:
    """Ask and return how the answer begins."""
    sent: list[Any] = []

    async def receive() -> Any:  # noqa: ANN401 -- as ASGI has it
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:  # noqa: ANN401 -- as ASGI has it
        sent.append(message)

    await app({"type": "http", "path": path, "method": "POST"}, receive, send)
    answer: dict[str, Any] = sent[0]
    return answer


async def test_draining_answers_what_is_open_and_takes_nothing_new() -> None:
    """What was taken is answered; what comes now is told to come again."""
    door = SlowDoor()
    drain = Drain(door)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(ask(drain))
        await door.asked.wait()
        emptied = group.create_task(drain.empty())
        await asyncio.sleep(0)
        late = await ask(drain)
        assert late["status"] == 503
        assert dict(late["headers"])[b"retry-after"] == b"2"
        assert dict(late["headers"])[b"connection"] == b"close"
        assert (await ask(drain, "/health/ready"))["status"] == 202
        assert not emptied.done()
        door.may_answer.set()
    assert first.result()["status"] == 202


async def test_draining_ends_in_time_whatever_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request that never ends must not keep the process."""
    monkeypatch.setattr(http, "GRACE_SECONDS", 0.01)
    door = SlowDoor()
    drain = Drain(door)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask(drain))
        await door.asked.wait()
        await drain.empty()
        assert not asking.done()
        asking.cancel()
