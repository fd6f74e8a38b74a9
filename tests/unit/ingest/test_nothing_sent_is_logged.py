"""Whatever becomes of what is sent, no part of it stands in the log."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.log import JsonFormatter
from tests.contract.door_answers import (
    KEY,
    Request,
    ask,
    batch,
    make_frame,
    make_settings,
    one,
    stream,
)
from tests.support.fake_log import FakeLog
from tests.unit.ingest.doors import make_event
from tests.unit.ingest.test_submission_reader import World, records, take

MARK = "an-apple-a-day"
EVENT = make_event(
    id=f"{MARK}-id",
    source=f"/vn/38/bank/{MARK}",
    subject=f"{MARK} subject",
    anextension=f"{MARK} extension",
)
UNKNOWN = {**EVENT, "type": f"uptake.{MARK}.opened"}
FOREIGN = {**EVENT, "source": f"/vn/38/shop/{MARK}"}
PERSON = {**EVENT, "subject": f"0912345678 {MARK}"}
WORDY = {**EVENT, "data": {**EVENT["data"], "remark": f"{MARK} remark"}}
BAD = (UNKNOWN, FOREIGN, PERSON, WORDY)

ASKED: dict[str, tuple[Callable[[], Request], int]] = {
    "taken": (lambda: one(EVENT), 202),
    "taken in part": (lambda: batch([EVENT, *BAD]), 202),
    "a stream taken in part": (lambda: stream(EVENT, *BAD, f"{{{MARK}"), 202),
    "refused": (lambda: batch(BAD), 422),
    "another's": (lambda: one(FOREIGN), 403),
    "no JSON": (lambda: Request(f'{{"id": "{MARK}'.encode()), 400),
    "no key": (lambda: one(EVENT, key=MARK), 401),
    "a wish that is none": (lambda: one(EVENT, query=f"{MARK}=true"), 400),
    "not confirmed": (lambda: one(EVENT), 503),
    "a stream not confirmed": (lambda: stream(EVENT, *BAD), 503),
    "too many": (lambda: batch([EVENT] * 5), 429),
}


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Return everything that was logged, as it is written, at any level."""
    caplog.set_level(logging.DEBUG)
    formatter = JsonFormatter("ingest")

    def read() -> str:
        return "\n".join(formatter.format(each) for each in caplog.records)

    return read


@pytest.mark.parametrize("name", ASKED)
async def test_nothing_of_a_request_is_logged(
    said: Callable[[], str], name: str
) -> None:
    """Neither of what was taken nor of what was not; nor the key."""
    make, status = ASKED[name]
    log = FakeLog(make_settings())
    log.failing_after = 0 if status == 503 else None
    limits: dict[str, Any] = (
        {"agency_burst_events": 5, "agency_events_per_second": 0.001}
        if status == 429
        else {}
    )
    app = make_frame(publisher=log, limits=limits).app
    if status == 429:
        assert (await ask(app, one(EVENT))).status == 202
    answer = await ask(app, replace(make(), headers=(("x-remark", MARK),)))
    assert answer.status == status, answer
    assert MARK not in said()
    assert KEY not in said()


@pytest.mark.parametrize("failures", [0, 1])
async def test_nothing_of_a_submission_is_logged(
    said: Callable[[], str], failures: int
) -> None:
    """Where it stands and how many there were; what it was, its topic knows."""
    world = World(records(EVENT, *BAD, f"{MARK}"), failures=failures)
    await take(world)
    event = "submissions_put_back" if failures else "submissions_taken"
    assert event in said()
    assert MARK not in said()
    assert json.loads(said().splitlines()[-1])["agency"] == "bank"
