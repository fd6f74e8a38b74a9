"""What Kafka did not confirm: 503, a time to come back, and nothing remembered."""

from collections.abc import Callable

import pytest

from tests.contract.door_answers import (
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

EVENTS = [make_event(id=f"e-{number}") for number in range(3)]
WAYS: dict[str, Callable[[], Request]] = {
    "one event": lambda: one(EVENTS[0]),
    "a batch": lambda: batch(EVENTS),
    "a stream": lambda: stream(*EVENTS),
}


@pytest.mark.parametrize("way", WAYS)
async def test_what_was_not_confirmed_is_taken_when_it_comes_again(way: str) -> None:
    """Nothing of the first try makes the second one vanish, and neither is a 202."""
    log = FakeLog(make_settings())
    log.failing_after = 0
    app = make_frame(publisher=log).app
    asked = WAYS[way]
    expected = ["e-0"] if way == "one event" else ["e-0", "e-1", "e-2"]
    for _ in range(2):
        answer = await ask(app, asked())
        assert answer.status == 503
        assert answer.json()["type"].endswith("/not-confirmed")
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json().get("accepted", 0) == 0
    assert log.handed == expected * 2
    assert log.ids == []
    log.failing_after = None
    answer = await ask(app, asked())
    assert (answer.status, answer.json()["accepted"]) == (202, len(expected))
    assert log.ids == expected
