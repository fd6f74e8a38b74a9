"""The door as alerting asks it: open, closed, or not there at all."""

import logging

import pytest
from aiohttp import web

from services.alerting.door import Door
from services.cli.embedded.ports import free_port
from tests.support.hooks import receiving

pytestmark = [pytest.mark.embedded]


async def test_door_is_open_while_ingest_is_ready(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line when it closes, and one when it opens again."""
    status = 200
    async with receiving() as ingest:
        ingest.answer = lambda _request, _before: web.Response(status=status)
        async with Door(f"http://127.0.0.1:{ingest.port}/") as door:
            with caplog.at_level(logging.INFO):
                assert await door.is_open()
                status = 503
                assert not await door.is_open()
                assert not await door.is_open()
                status = 200
                assert await door.is_open()
        assert {each.path for each in ingest.received} == {"/health/ready"}
    said = [record.message for record in caplog.records if "door" in record.message]
    assert said == ["door_closed", "door_open_again"]


async def test_door_that_leads_elsewhere_or_nowhere_is_closed() -> None:
    """Whoever is redirected, or finds nobody, cannot send."""
    async with receiving() as ingest:
        ingest.answer = lambda _request, _before: web.Response(
            status=302, headers={"location": "/elsewhere"}
        )
        async with Door(f"http://127.0.0.1:{ingest.port}") as door:
            assert not await door.is_open()
    async with Door(f"http://127.0.0.1:{free_port()}") as door:
        assert not await door.is_open()
