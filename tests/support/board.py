"""A running board, asked over HTTP."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.support.catalogues import KEYS
from tests.support.stack import Stack, eventually

Receipt = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Board:
    """The board of a stack.

    Attributes:
        name: Of the service; a replica has a number.
    """

    stack: Stack
    name: str = "board"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.stack.ports[self.name]}"

    async def get(self, path: str, *, key: str = KEYS["census"]) -> tuple[int, Any]:
        """Read a page, with a key that reaches everything; return status and body."""
        headers = {"authorization": f"Bearer {key}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(self.url + path) as answer,
        ):
            return answer.status, json.loads(await answer.read())

    async def post(
        self, events: Sequence[Mapping[str, object]], *, key: str = KEYS["bank"]
    ) -> tuple[int, Any]:
        """Ask for receipts; return status and body."""
        headers = {
            "authorization": f"Bearer {key}",
            "content-type": "application/json",
        }
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(
                f"{self.url}/v1/receipts", data=json.dumps({"events": events})
            ) as answer,
        ):
            return answer.status, json.loads(await answer.read())

    async def receipts(self, *events: Mapping[str, Any]) -> list[Receipt]:
        """Ask what became of CloudEvents that were sent."""
        asked = [{"source": each["source"], "id": each["id"]} for each in events]
        status, body = await self.post(asked)
        assert status == 200, body
        found: list[Receipt] = body["receipts"]
        return found

    async def wait_ready_says(self, words: str) -> None:
        """Wait until it says what it waits for."""

        async def says_it() -> bool:
            return words in (await self.stack.get(self.name, "/health/ready"))[1]

        await eventually(says_it, what=f"ready says {words}")
