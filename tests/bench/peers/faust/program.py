"""The job in Faust: tables in RocksDB with changelog topics, a timer that writes.

Faust has no Postgres sink; its documents advise an ordinary asyncio driver. Whole
totals are upserted, so a repeat is harmless.
"""

import os
from typing import Any

import asyncpg
import faust

UPSERT = """
    INSERT INTO total (indicator, agency, locality, day, count, amount)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
        $5::bigint[], $6::bigint[])
    ON CONFLICT (indicator, agency, locality, day)
    DO UPDATE SET count = excluded.count, amount = excluded.amount
"""
COMMIT_SECONDS = float(os.environ["PEER_COMMIT_SECONDS"])

app = faust.App(
    os.environ["PEER_GROUP"],
    broker=f"kafka://{os.environ['PEER_BOOTSTRAP_SERVERS']}",
    store="rocksdb://",
    datadir=os.environ["PEER_STATE"],
    topic_partitions=int(os.environ["PEER_PARTITIONS"]),
    topic_disable_leader=True,
    broker_session_timeout=6.0,
    broker_heartbeat_interval=1.5,
    broker_commit_interval=COMMIT_SECONDS,
    web_enabled=False,
)
events = app.topic(os.environ["PEER_TOPIC"], value_serializer="json", key_type=str)
effects = app.Table("effects", options={"driver": "rocksdict"})
totals = app.Table("totals", options={"driver": "rocksdict"})
changed: dict[str, list[int]] = {}


def new_total(event: dict[str, Any]) -> tuple[str, list[int]] | None:
    """Return the total that an event changes; None where it changes nothing."""
    own = f"{event['source']} {event['id']}"
    if own in effects:
        return None
    data = event["data"]
    if event["effect"] == "reverse":
        effects[own] = "reversal"
        original = f"{data['source']} {data['id']}"
        counted = effects.get(original)
        if not isinstance(counted, list):
            return None
        effects[original] = "reversed"
        name, count, amount = counted
        count, amount = -count, -amount
    else:
        fields = ("indicator", "agency", "locality", "localday")
        name = " ".join(event[field] for field in fields)
        count, amount = data["count"], data["amount"]
        effects[own] = [name, count, amount]
    before = totals.get(name) or [0, 0]
    totals[name] = after = [before[0] + count, before[1] + amount]
    return name, after


@app.agent(events)
async def count(stream: faust.Stream[dict[str, Any]]) -> None:
    """Count one by one: only then may tables be changed (`take` would not let us)."""
    async for event in stream:
        if total := new_total(event):
            changed.update([total])


@totals.on_recover
async def write_all_again() -> None:
    """Write what was counted, and perhaps not written, before a crash."""
    changed.update(totals.items())


@app.timer(COMMIT_SECONDS)
async def write() -> None:
    """Write the totals that changed since the last time."""
    if not changed:
        return
    rows = [(*name.split(" "), *total) for name, total in changed.items()]
    changed.clear()
    connection = await asyncpg.connect(os.environ["PEER_DSN"])
    await connection.execute(UPSERT, *map(list, zip(*rows, strict=True)))
    await connection.close()


if __name__ == "__main__":
    app.main()
