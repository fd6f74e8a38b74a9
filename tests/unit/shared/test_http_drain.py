"""A service that stops: old requests are answered, new ones told to come again."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from shared import http_drain
from shared.http_drain import Drain


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
    monkeypatch.setattr(http_drain, "GRACE_SECONDS", 0.01)
    door = SlowDoor()
    drain = Drain(door)
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(ask(drain))
        await door.asked.wait()
        await drain.empty()
        assert not asking.done()
        asking.cancel()
