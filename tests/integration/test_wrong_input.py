"""Wrong input gets its clear answer, and nothing of it is lost or half-done."""

import json
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.support.events import CAO_BANG, HOANG_LOC, THANH_HOA, event, now, opened
from tests.support.stack import Stack


@pytest.fixture
async def door(stack: Stack) -> AsyncIterator[Stack]:
    """Run ingest and aggregation."""
    await stack.start("ingest", "aggregation")
    yield stack
    assert stack.children["ingest"].is_running(), stack.log_tail("ingest")


def changed(**members: Any) -> dict[str, Any]:  # noqa: ANN401 -- any JSON value
    """Build a good event with members replaced; None removes one."""
    sent = {**opened(1), **members}
    return {name: value for name, value in sent.items() if value is not None}


def wrong_events() -> list[tuple[str, object, int, str]]:
    """List (name, body, status, code); made when asked, since some tell the time."""
    return [
        ("foreign_place", opened(1, locality=CAO_BANG), 403, "locality_not_yours"),
        ("no_such_place", opened(1, locality="99999"), 422, "unknown_locality"),
        ("unknown_type", changed(type="uptake.eid.sold"), 422, "unknown_type"),
        ("naive_time", changed(time="2026-11-21T09:00:00"), 422, "time_naive"),
        ("no_time", changed(time=None), 422, "bad_time"),
        ("negative_count", opened(-1), 422, "bad_count"),
        ("huge_count", opened(10**30), 422, "bad_count"),
        ("fraction", event(locality=HOANG_LOC, count=1.5), 422, "bad_count"),
        ("nul_in_id", changed(id="a\x00b"), 422, "bad_id"),
        ("surrogate_in_id", changed(id="a\ud800"), 422, "bad_id"),
        ("foreign_source", changed(source="/test/shop"), 403, "source_not_yours"),
        ("prefix_trick", changed(source="/test/bank2"), 403, "source_not_yours"),
        ("future", opened(1, at=now() + timedelta(minutes=20)), 422, "time_ahead"),
        ("closed_day", opened(1, at=now() - timedelta(days=70)), 422, "too_late"),
        ("data_is_text", changed(data="1"), 422, "bad_data"),
        ("not_an_event", 7, 422, "not_an_object"),
        ("a_person", changed(subject="0912345678"), 422, "personal_data"),
    ]


async def test_each_wrong_event_gets_its_code(door: Stack) -> None:
    """One clear line each, with what, where and what to do; nothing is logged."""
    for name, body, status, code in wrong_events():
        answer = await door.post(body)
        assert answer.status == status, (name, answer.body)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.body["refused"][0]["code"] == code, (name, answer.body)
        assert "\n" not in answer.body["detail"]
    assert await door.applied() == 0
    # And the door still takes what is right.
    assert (await door.post(opened(1))).status == 202


async def test_half_a_bad_batch_does_not_block_the_good_half(door: Stack) -> None:
    """Good events are counted, bad ones come back with index, id and code."""
    batch = [opened(2), opened(-5), opened(3), changed(id="")]
    answer = await door.post(batch)
    assert answer.status == 202
    assert answer.body["accepted"] == 2
    assert [(row["index"], row["code"]) for row in answer.body["refused"]] == [
        (1, "bad_count"),
        (3, "bad_id"),
    ]
    await door.wait_applied(2)
    assert await door.total("cashless_accounts", THANH_HOA) == (5, 0)


async def test_atomic_refuses_all_and_dry_run_sends_nothing(door: Stack) -> None:
    """Neither leaves anything in the log."""
    batch = [opened(2), opened(-5)]
    assert (await door.post(batch, query="?atomic=true")).status == 422
    assert (await door.post(batch, query="?dry_run=true")).body["accepted"] == 1
    assert (await door.post([opened(4)], query="?atomic=true")).status == 202
    await door.wait_applied(1)
    assert await door.total("cashless_accounts", THANH_HOA) == (4, 0)


async def test_requests_that_are_no_events_get_a_problem(door: Stack) -> None:
    """Keys, media types, noise, depth and size are answered in bounded time."""
    noise = random.Random(1).randbytes(5_000_000)  # noqa: S311 -- just noise
    deep = b"[" * 100_000
    as_batch = {"content_type": "application/cloudevents-batch+json"}
    repeated = json.dumps(opened(1)).replace('"data"', '"id": "twice", "data"')
    cases: list[tuple[int, object, dict[str, Any]]] = [
        (401, opened(1), {"headers": {"authorization": ""}}),
        (401, opened(1), {"headers": {"authorization": "Bearer wrong"}}),
        (401, opened(1), {"headers": {"authorization": "Basic key-of-bank"}}),
        (415, opened(1), {"content_type": "text/plain"}),
        (413, noise, as_batch),
        (400, noise[:3_000_000], as_batch),
        (400, deep, as_batch),
        (400, b'{"id": NaN}', {}),
        (400, b"", {}),
        (400, [], {}),
        (400, b"{}", as_batch),
        (413, [1] * 10_001, {}),
        (422, repeated.encode(), {}),
        (400, b'{"id": ' + b"9" * 5_000 + b"}", {}),
    ]
    for status, body, how in cases:
        answer = await door.post(body, **how)
        assert answer.status == status, (body if len(str(body)) < 200 else "", answer)
        assert set(answer.body) >= {"type", "title", "status", "detail"}
    assert await door.applied() == 0


async def test_metrics_name_refusals_by_code(door: Stack) -> None:
    """An operator sees why events are turned away."""
    await door.post(opened(-1))
    await door.post(opened(1), headers={"authorization": "Bearer wrong"})
    _, metrics = await door.get("ingest", "/metrics")
    assert 'uptake_events_refused_total{code="bad_count"} 1.0' in metrics
    assert 'uptake_requests_denied_total{reason="unknown_key"} 1.0' in metrics
