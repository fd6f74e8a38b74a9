"""Asks whether agencies can send: whether ingest says that it is ready."""

import logging
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

import aiohttp

READY_PATH: Final = "/health/ready"
TIMEOUT_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


class Door:
    """Ingest as agencies find it, at the address that they use."""

    def __init__(self, url: str) -> None:
        """Take what is needed.

        Args:
            url: Ingest's base address.
        """
        self._url = url.rstrip("/") + READY_PATH
        self._session: aiohttp.ClientSession | None = None
        self._was_open = True

    async def __aenter__(self) -> Self:
        """Get ready to ask."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the connection."""
        if self._session is not None:
            await self._session.close()

    async def is_open(self) -> bool:
        """Ask once; no answer in time is an answer too."""
        reason = await self._reason_closed()
        is_open = reason is None
        if is_open is not self._was_open:
            self._was_open = is_open
            if is_open:
                _log.info("door_open_again")
            else:
                _log.warning("door_closed", extra={"reason": reason})
        return is_open

    async def _reason_closed(self) -> str | None:
        assert self._session is not None, "asked outside of its context"
        try:
            async with self._session.get(self._url, allow_redirects=False) as answer:
                return (
                    None
                    if answer.status == HTTPStatus.OK
                    else f"status {answer.status}"
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return f"{type(error).__name__}: {error}".removesuffix(": ")
