"""Messages of `uptake.totals` and targets, for tests of alerting alone."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from aiokafka import TopicPartition

from shared.events.alert_v1 import AlertV1
from shared.events.topics import ALERTS, TOTALS
from shared.events.totals_v1 import (
    DailyTotalV1,
    LastReportV1,
    StatedLevelV1,
    WatermarkV1,
)
from shared.kafka.broker import make_consumer, make_producer
from tests.support.events import HOANG_LOC, now
from tests.support.stack import PARTITIONS, Stack, eventually

Total = DailyTotalV1 | StatedLevelV1 | LastReportV1 | WatermarkV1
SINCE = date(2025, 7, 1)
"""First day of the communes and provinces of the shipped catalogue."""


def local_today() -> date:
    """Return the local day of the shipped catalogue."""
    return now().astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()


def day_total(
    count: int,
    *,
    days_ago: int = 1,
    revision: int = 1,
    locality: str = HOANG_LOC,
    agency: str = "bank",
    indicator: str = "cashless_accounts",
) -> DailyTotalV1:
    """Build the effects of an agency at a commune on a day."""
    return DailyTotalV1(
        indicator=indicator,
        agency=agency,
        locality=locality,
        valid_from=SINCE,
        day=local_today() - timedelta(days=days_ago),
        count=count,
        amount=0,
        partition=0,
        revision=revision,
    )


def stated(
    level: int | None, *, days_ago: int, revision: int = 1, agency: str = "bank"
) -> StatedLevelV1:
    """Build a statement about a commune's cashless accounts."""
    return StatedLevelV1(
        indicator="cashless_accounts",
        agency=agency,
        locality=HOANG_LOC,
        valid_from=SINCE,
        day=local_today() - timedelta(days=days_ago),
        level=level,
        partition=0,
        revision=revision,
    )


def watermarks(at: datetime | None = None, *, revision: int = 1) -> list[WatermarkV1]:
    """Build fresh watermarks of all partitions."""
    instant = at or now()
    return [
        WatermarkV1(partition=partition, at=instant, revision=revision)
        for partition in range(PARTITIONS)
    ]


async def publish_totals(stack: Stack, totals: Iterable[Total]) -> None:
    """Append messages as aggregation does: keyed, each with its own partition."""
    producer = make_producer(stack.kafka_settings, linger_ms=0)
    await producer.start()
    try:
        for total in totals:
            value = total.model_dump_json().encode()
            await producer.send_and_wait(TOTALS, value, key=total.key())
    finally:
        await producer.stop()


async def read_alerts(stack: Stack) -> list[AlertV1]:
    """Read all of `uptake.alerts`."""
    consumer = make_consumer(stack.kafka_settings, group_id=None)
    await consumer.start()
    partition = TopicPartition(ALERTS, 0)
    found: list[AlertV1] = []
    try:
        consumer.assign([partition])
        consumer.seek(partition, 0)
        while True:
            records = (await consumer.getmany(timeout_ms=500)).get(partition, [])
            for record in records:
                message = AlertV1.model_validate_json(record.value)
                assert record.key == message.data.fingerprint.encode()
                found.append(message)
            end = consumer.highwater(partition)
            if end is not None and await consumer.position(partition) >= end:
                return found
    finally:
        await consumer.stop()


def write_targets(catalogue: Path, *targets: dict[str, Any]) -> None:
    """Make these the only targets of a catalogue."""
    folder = catalogue / "targets"
    for file in folder.iterdir():
        file.unlink()
    text = yaml.safe_dump(list(targets), allow_unicode=True)
    (folder / "test.yaml").write_text(text, encoding="utf-8")


def target(
    id_: str = "test-cashless",
    *,
    days_ago: int = 50,
    days: int = 100,
    start: int = 0,
    goal: int = 1000,
    locality: str = "38",
    wait: str = "1s",
    keep: str = "1s",
) -> dict[str, Any]:
    """Build a target that began some days ago and runs for some days."""
    begin = local_today() - timedelta(days=days_ago)
    return {
        "id": id_,
        "indicator": "cashless_accounts",
        "locality": locality,
        "start": {"date": begin, "value": start},
        "due": begin + timedelta(days=days),
        "goal": {"value": goal},
        "behind": {"enter": 0.9, "leave": 0.95, "for": wait, "keep": keep},
        "illustrative": True,
    }


async def status_of(stack: Stack, target_id: str = "test-cashless") -> dict[str, Any]:
    """Read where a target stands; empty before its first evaluation."""
    rows = await stack.fetch(
        "SELECT * FROM reporting.target_status WHERE target = $1", target_id
    )
    return dict(rows[0]) if rows else {}


async def wait_status(
    stack: Stack, wanted: str, *, target_id: str = "test-cashless", **figures: object
) -> dict[str, Any]:
    """Wait until a target has a status and figures; return all of them."""

    async def has_it() -> bool:
        row = await status_of(stack, target_id)
        return row.get("status") == wanted and all(
            row[name] == value for name, value in figures.items()
        )

    await _until(stack, has_it, f"{target_id} {wanted} {figures}")
    return await status_of(stack, target_id)


async def wait_alert(
    stack: Stack, state: str, *, kind: str = "TargetLagging", episode: int = 1
) -> None:
    """Wait until the alert of a kind is in a state."""

    async def is_in_it() -> bool:
        rows = await stack.fetch(
            "SELECT state FROM reporting.alert WHERE kind = $1 AND episode = $2",
            kind,
            episode,
        )
        return [row["state"] for row in rows] == [state]

    await _until(stack, is_in_it, f"{kind} {state}")


async def wait_notices(stack: Stack, count: int) -> list[AlertV1]:
    """Wait until the outbox is empty; return the so many notices on the topic."""

    async def is_empty() -> bool:
        return not await stack.fetch("SELECT 1 FROM alerting.outbox")

    await _until(stack, is_empty, "empty outbox")
    notices = await read_alerts(stack)
    assert len(notices) == count, [notice.id for notice in notices]
    return notices


async def _until(
    stack: Stack, condition: Callable[[], Awaitable[bool]], what: str
) -> None:
    try:
        await eventually(condition, seconds=20, what=what)
    except AssertionError as error:
        seen = [
            dict(row)
            for view in ("target_status", "alert")
            for row in await stack.fetch(f"SELECT * FROM reporting.{view}")  # noqa: S608 -- two fixed names
        ]
        tail = stack.log_tail("alerting")
        raise AssertionError(
            f"{error}; there are {seen}; its log ends {tail}"
        ) from None
