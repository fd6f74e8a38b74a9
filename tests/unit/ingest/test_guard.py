"""Who is let in, how much is let in, and what is written about who is not."""

import asyncio
import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.exposition import generate_latest
from starlette.types import ASGIApp

from services.cli.agency_file import make_key
from services.ingest.guard.guard import Guard
from services.ingest.web import EventsDoor, make_app
from shared.catalogue.keys import Bearer
from shared.catalogue.model import Agency, AgencyKey, AgencyLimits
from shared.events.cloudevent_v1 import BATCH
from shared.http import Readiness
from shared.log import JsonFormatter
from shared.metrics import HttpMetrics, new_registry
from tests.contract.door_answers import (
    Answer,
    ConfirmingLog,
    Noon,
    Request,
    ask,
    batch,
    make_guard,
    make_settings,
    one,
)
from tests.support.stack import eventually
from tests.unit.ingest.doors import (
    BANK,
    COUNTED,
    NOON,
    REVERSED,
    SHOP,
    make_data,
    make_event,
)
from tests.unit.shared.test_keys import sha256

SECRET = make_key("made-up").text
SHOP_SECRET = make_key("made-up").text
EVENT = make_event()
# Slow enough that nothing comes back while a test runs.
RARE = 0.001


class Knocking:
    """A door with agencies before it, and what was logged at it."""

    def __init__(self, caplog: pytest.LogCaptureFixture, **settings: Any) -> None:  # noqa: ANN401 -- any setting
        self._caplog = caplog
        self.registry = new_registry()
        self.settings = make_settings().model_copy(update=settings)
        self.guard: Guard | None = None

    def open(self, *agencies: Agency) -> ASGIApp:
        """Build the door for these agencies, with metrics of its own."""
        self.registry = new_registry()
        self.guard, metrics = make_guard(self.settings, self.registry, *agencies)
        door = EventsDoor(
            self.settings,
            self.guard,
            ConfirmingLog(self.settings, ack_timeout_seconds=1),
            Noon(),
            metrics=metrics,
            http_metrics=HttpMetrics(self.registry),
        )
        return make_app(door, Readiness(), self.registry)

    def lines(self, event: str = "attempt_refused") -> list[dict[str, Any]]:
        """Return the log lines of an event, as they are written."""
        written = [
            json.loads(JsonFormatter("ingest").format(record))
            for record in self._caplog.records
        ]
        return [line for line in written if line["event"] == event]

    def metrics(self) -> str:
        """Return the metrics as they are scraped."""
        return generate_latest(self.registry).decode()


@pytest.fixture
def knocking(caplog: pytest.LogCaptureFixture) -> Knocking:
    """Knock at a door with the settings that are shipped."""
    caplog.set_level(logging.INFO)
    return Knocking(caplog)


def with_key(agency: Agency, secret: str = SECRET, **bound: Any) -> Agency:  # noqa: ANN401 -- any of a key's fields
    """Give an agency one key."""
    return replace(agency, keys=(AgencyKey("key-1", sha256(secret), **bound),))


def code_of(answer: Answer) -> str:
    """Return the code of the one refusal."""
    (refusal,) = answer.json()["refused"]
    return str(refusal["code"])


@pytest.mark.parametrize(
    ("key", "reason", "agency"),
    [
        (None, "no_key", None),
        ("", "no_key", None),
        (SECRET[:-1], "unknown_key", None),
        (SECRET + "x", "unknown_key", None),
        (sha256(SECRET), "unknown_key", None),
        ("x" * 300, "malformed", None),
        ("expired", "expired_key", "shop"),
    ],
)
async def test_attempt_without_a_valid_key_is_one_line_without_the_key(
    knocking: Knocking, key: str | None, reason: str, agency: str | None
) -> None:
    """From where and why; 401, and nothing of the body is looked at."""
    yesterday = NOON.date() - timedelta(days=1)
    door = knocking.open(with_key(BANK), with_key(SHOP, "expired", last_day=yesterday))
    answer = await ask(door, Request(b"no JSON", key=key))
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    (line,) = knocking.lines()
    assert (line["status"], line["reason"]) == (401, reason)
    assert (line["client"], line["agency"]) == ("192.0.2.7", agency)
    if key:
        assert key[:6] not in json.dumps(line).replace("expired_key", "")
    assert f'denied_total{{reason="{reason}"}} 1.0' in knocking.metrics()


async def test_key_of_another_agency_opens_only_that_ones_door(
    knocking: Knocking,
) -> None:
    """Nobody speaks in another's name; who claimed to be whom is written down."""
    door = knocking.open(with_key(BANK), with_key(SHOP, SHOP_SECRET))
    answer = await ask(door, one(EVENT, key=SHOP_SECRET))
    assert (answer.status, code_of(answer)) == (403, "source_not_yours")
    (line,) = knocking.lines()
    assert (line["status"], line["reason"]) == (403, "not_yours")
    assert (line["agency"], line["key"]) == ("shop", "key-1")
    assert line["claimed"] == ["bank"]
    assert line["codes"] == {"source_not_yours": 1}


async def test_spoofed_events_among_good_ones_are_written_down_too(
    knocking: Knocking,
) -> None:
    """One line for the request, with how many of which kind; nothing that was sent."""
    door = knocking.open(with_key(BANK), with_key(SHOP, SHOP_SECRET))
    foreign = make_event(source="/vn/38/shop/secret-branch", id="secret-id")
    elsewhere = make_data(locality="01273")
    answer = await ask(door, batch([EVENT, foreign, foreign, elsewhere, 7], key=SECRET))
    assert answer.status == 202
    (line,) = knocking.lines()
    assert line["status"] == 202
    assert line["codes"] == {"locality_not_yours": 1, "source_not_yours": 2}
    assert line["claimed"] == ["shop"]
    assert "secret" not in json.dumps(line)


async def test_refusals_that_are_only_mistakes_are_no_attempts(
    knocking: Knocking,
) -> None:
    """A wrong count is the sender's own affair."""
    door = knocking.open(with_key(BANK))
    answer = await ask(door, batch([EVENT, make_data(count=0)], key=SECRET))
    assert answer.status == 202
    assert knocking.lines() == []


BINDINGS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"sources": ("/vn/38/bank/a",)}, EVENT, "source_not_yours"),
    (
        {"sources": ("/vn/38/bank/a",)},
        make_event(source="/vn/38/bank/ab"),
        "source_not_yours",
    ),
    (
        {"indicators": frozenset({"cashless_accounts"})},
        make_data(COUNTED),
        "indicator_not_yours",
    ),
    ({"locality": "15961"}, make_data(locality="38"), "locality_not_yours"),
    ({"locality": "15961"}, make_data(locality="16000"), "locality_not_yours"),
]


@pytest.mark.parametrize(("bound", "event", "code"), BINDINGS, ids=str)
async def test_key_does_no_more_than_it_is_bound_to(
    knocking: Knocking, bound: dict[str, Any], event: dict[str, Any], code: str
) -> None:
    """Though another key of the same agency may."""
    wide = AgencyKey("wide", sha256("wide"))
    narrow = AgencyKey("narrow", sha256(SECRET), **bound)
    door = knocking.open(replace(BANK, keys=(wide, narrow)))
    assert (await ask(door, one(event, key="wide"))).status == 202
    answer = await ask(door, one(event, key=SECRET))
    assert (answer.status, code_of(answer)) == (403, code)


async def test_bound_key_does_what_it_is_bound_to(knocking: Knocking) -> None:
    """A branch sends as the branch, for its commune."""
    bound: dict[str, Any] = {
        "sources": ("/vn/38/bank/a",),
        "indicators": frozenset({"cashless_accounts"}),
        "locality": "15961",
    }
    door = knocking.open(with_key(BANK, **bound))
    event = make_event(source="/vn/38/bank/a/till-1")
    assert (await ask(door, one(event, key=SECRET))).status == 202


async def test_agency_that_sends_too_much_waits_and_no_other_does(
    knocking: Knocking,
) -> None:
    """429 with the seconds to wait; nothing of the request is taken."""
    knocking.settings = knocking.settings.model_copy(
        update={"agency_events_per_second": RARE, "agency_burst_events": 10}
    )
    door = knocking.open(with_key(BANK), with_key(SHOP, SHOP_SECRET))
    assert (await ask(door, batch([EVENT] * 6, key=SECRET))).status == 202
    answer = await ask(door, batch([EVENT] * 6, key=SECRET))
    assert answer.status == 429
    assert answer.media_type == "application/problem+json"
    assert 1_000 <= int(answer.headers["retry-after"]) <= 2_000
    # The other key of an agency, or a smaller request, is no way round.
    for _ in range(4):
        await ask(door, one(EVENT, key=SECRET))
    assert (await ask(door, one(EVENT, key=SECRET))).status == 429
    sale = make_event("uptake.ecommerce.completed", source="/vn/38/shop")
    assert (await ask(door, one(sale, key=SHOP_SECRET))).status == 202
    assert 'limited_total{agency="bank"}' in knocking.metrics()
    assert {line["agency"] for line in knocking.lines()} == {"bank"}
    assert {line["reason"] for line in knocking.lines()} == {"rate"}


async def test_request_that_came_too_early_is_taken_when_it_comes_again(
    knocking: Knocking,
) -> None:
    """The same bytes: nothing is remembered that would make a retry vanish."""
    knocking.settings = knocking.settings.model_copy(
        update={"agency_events_per_second": 50, "agency_burst_events": 10}
    )
    door = knocking.open(with_key(BANK))
    request = batch([EVENT] * 10, key=SECRET)

    async def is_early() -> bool:
        answer = await ask(door, request)
        return answer.status == 429 and answer.headers["retry-after"] == "1"

    async def is_taken() -> bool:
        return (await ask(door, request)).status == 202

    await eventually(is_early, what="refused because it came too early")
    await eventually(is_taken, what="taken after a while")


async def test_dry_runs_and_refused_events_cost_as_much(knocking: Knocking) -> None:
    """They are as much work."""
    knocking.settings = knocking.settings.model_copy(
        update={"agency_events_per_second": RARE, "agency_burst_events": 3}
    )
    door = knocking.open(with_key(BANK))
    assert (await ask(door, one(EVENT, key=SECRET, query="dry_run=true"))).status == 202
    assert (await ask(door, one(7, key=SECRET))).status == 422
    assert (await ask(door, Request(b"{", key=SECRET))).status == 400
    assert (await ask(door, one(EVENT, key=SECRET))).status == 429


async def test_batch_that_could_never_pass_is_too_long_and_not_too_early(
    knocking: Knocking,
) -> None:
    """A sender who waits for what never comes would wait for ever."""
    bank = replace(with_key(BANK), limits=AgencyLimits(burst_events=3))
    door = knocking.open(bank)
    answer = await ask(door, batch([EVENT] * 5, key=SECRET))
    assert answer.status == 413
    assert "3 events at once" in answer.json()["detail"]


async def test_agency_may_have_limits_of_its_own(knocking: Knocking) -> None:
    """For its body, too; never more than every body may have."""
    body = json.dumps(EVENT).encode()
    small = replace(with_key(BANK), limits=AgencyLimits(body_bytes=len(body)))
    door = knocking.open(small)
    assert (await ask(door, Request(body, key=SECRET))).status == 202
    assert (await ask(door, Request(body + b" ", key=SECRET))).status == 413
    large = replace(small, limits=AgencyLimits(body_bytes=10**9))
    too_long = b" " * (knocking.settings.body_bytes_max + 1)
    # A batch, since a single event is bounded before.
    batch = Request(too_long, key=SECRET, content_type=BATCH)
    assert (await ask(knocking.open(large), batch)).status == 413


async def test_stream_is_slowed_down_and_not_refused(knocking: Knocking) -> None:
    """More than the burst passes, part by part."""
    knocking.settings = knocking.settings.model_copy(
        update={"agency_events_per_second": 1_000, "agency_burst_events": 10}
    )
    knocking.open(BANK)
    assert knocking.guard is not None
    await knocking.guard.wait(Bearer(BANK, "key-1"), 45)
    assert knocking.lines() == []


async def test_stream_waits_for_its_time(knocking: Knocking) -> None:
    """It is not let through by asking again."""
    knocking.settings = knocking.settings.model_copy(
        update={"agency_events_per_second": RARE, "agency_burst_events": 10}
    )
    knocking.open(BANK)
    assert knocking.guard is not None
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(knocking.guard.wait(Bearer(BANK, "key-1"), 11))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()


async def test_original_of_a_foreign_reversal_is_another_name_too(
    knocking: Knocking,
) -> None:
    """Nobody voids what another has sent."""
    door = knocking.open(with_key(BANK), with_key(SHOP, SHOP_SECRET))
    void = make_data(REVERSED, source="/vn/38/shop")
    answer = await ask(door, one(void, key=SECRET))
    assert (answer.status, code_of(answer)) == (403, "source_not_yours")
    assert knocking.lines()[0]["claimed"] == ["shop"]


async def test_flood_of_bad_keys_fills_no_disk_and_hides_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """So many lines and no more; the others are counted and said; agencies apart."""
    caplog.set_level(logging.INFO)
    knocking = Knocking(caplog, audit_lines_per_minute=5)
    door = knocking.open(with_key(BANK), with_key(SHOP, SHOP_SECRET))
    for number in range(200):
        await ask(
            door, one(EVENT, key=f"guess-{number}", client=f"198.51.100.{number}")
        )
    assert len(knocking.lines()) == 5
    await ask(door, one(EVENT, key=SHOP_SECRET))
    assert knocking.lines()[-1]["agency"] == "shop"
    assert len(knocking.lines()) == 6
    assert knocking.guard is not None
    knocking.guard.audit.say_suppressed()
    (said,) = knocking.lines("attempts_suppressed")
    assert said["count"] == 195
    assert said["reasons"] == {"unknown_key": 195}
    assert 'suppressed_total{reason="unknown_key"} 195.0' in knocking.metrics()
    knocking.guard.audit.say_suppressed()
    assert len(knocking.lines("attempts_suppressed")) == 1
    assert "guess" not in caplog.text


async def test_what_had_no_line_is_said_when_the_service_stops(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever was counted last is not lost."""
    caplog.set_level(logging.INFO)
    knocking = Knocking(caplog, audit_lines_per_minute=1)
    door = knocking.open(with_key(BANK))
    assert knocking.guard is not None
    async with asyncio.TaskGroup() as group:
        running = group.create_task(knocking.guard.audit.run())
        for _ in range(3):
            await ask(door, one(EVENT, key=None))
            await asyncio.sleep(0)
        running.cancel()
    (said,) = knocking.lines("attempts_suppressed")
    assert said["reasons"] == {"no_key": 2}


async def test_address_is_cut_and_may_be_unknown(knocking: Knocking) -> None:
    """A line has a length, whatever stands before us."""
    door = knocking.open(with_key(BANK))
    await ask(door, one(EVENT, key=None, client=None))
    await ask(door, one(EVENT, key=None, client="f" * 500))
    assert [len(line["client"]) for line in knocking.lines()] == [len("unknown"), 64]
