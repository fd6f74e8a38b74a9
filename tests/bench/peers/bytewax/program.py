"""The job in Bytewax: keyed state with recovery snapshots, a sink of our own.

Bytewax has no Postgres sink; its documents say how to write one, and that output may
be repeated from the last snapshot. Whole totals are upserted, so a repeat is harmless.
Started as `python -m bytewax.run program:flow -r STATE -s SECONDS`.
"""

import os
from collections.abc import Iterable
from datetime import timedelta

import orjson
import psycopg
from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSourceMessage
from bytewax.connectors.kafka import operators as kafka
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition

Effect = tuple[str, int, int]
Written = tuple[str, int, int]
ROWS_MAX = 5_000
COLLECT_TIME = timedelta(seconds=float(os.environ["PEER_COMMIT_SECONDS"]))
UPSERT = """
    INSERT INTO total (indicator, agency, locality, day, count, amount)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[],
        %s::bigint[], %s::bigint[])
    ON CONFLICT (indicator, agency, locality, day)
    DO UPDATE SET count = excluded.count, amount = excluded.amount
"""


def decode(message: KafkaSourceMessage[bytes, bytes]) -> tuple[str, Effect | None]:
    """Return the id that an event is about, and its effect; None for a reversal."""
    event = orjson.loads(message.value)
    data = event["data"]
    if event["effect"] == "reverse":
        return f"{data['source']} {data['id']}", None
    total = [event[name] for name in ("indicator", "agency", "locality", "localday")]
    effect = (" ".join(total), data["count"], data["amount"])
    return f"{event['source']} {event['id']}", effect


def once(
    state: Effect | str | None, effect: Effect | None
) -> tuple[Effect | str | None, Iterable[Effect]]:
    """Let an event's effect pass once, and take it out again once."""
    if effect is not None:
        return (effect, [effect]) if state is None else (state, [])
    if isinstance(state, tuple):
        total, count, amount = state
        return "reversed", [(total, -count, -amount)]
    return state, []


class Total(StatefulBatchLogic[tuple[int, int], tuple[int, int], tuple[int, int]]):
    """A running total: one new value for each batch, not for each event."""

    def __init__(self, resumed: tuple[int, int] | None) -> None:
        self._count, self._amount = resumed or (0, 0)

    def on_batch(
        self, values: list[tuple[int, int]]
    ) -> tuple[Iterable[tuple[int, int]], bool]:
        """Add a batch."""
        for count, amount in values:
            self._count += count
            self._amount += amount
        return [(self._count, self._amount)], StatefulBatchLogic.RETAIN

    def snapshot(self) -> tuple[int, int]:
        """Return what a restart needs."""
        return self._count, self._amount


class TotalWriter(StatelessSinkPartition[tuple[str, list[Written]]]):
    """Writes totals, a collected list in one transaction."""

    def __init__(self) -> None:
        self._connection = psycopg.connect(os.environ["PEER_DSN"])

    def write_batch(self, items: list[tuple[str, list[Written]]]) -> None:
        """Upsert the last value of each total."""
        last = {total[0]: total for _, totals in items for total in totals}
        rows = [(*name.split(" "), *values) for name, *values in last.values()]
        self._connection.execute(
            UPSERT, [list(each) for each in zip(*rows, strict=True)]
        )
        self._connection.commit()

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()


class TotalSink(DynamicSink[tuple[str, list[Written]]]):
    """One writer for each worker."""

    def build(
        self, _step_id: str, _worker_index: int, _worker_count: int
    ) -> TotalWriter:
        """Connect."""
        return TotalWriter()


def by_total(item: tuple[str, Effect]) -> tuple[str, tuple[int, int]]:
    """Key an effect by its total instead of its event."""
    total, count, amount = item[1]
    return total, (count, amount)


def to_be_written(item: tuple[str, tuple[int, int]]) -> tuple[str, Written]:
    """Key all totals alike, so that they are collected into common lists."""
    return "totals", (item[0], *item[1])


def dataflow() -> Dataflow:
    """Describe the way of an event."""
    flow = Dataflow("totals")
    servers = [os.environ["PEER_BOOTSTRAP_SERVERS"]]
    topics = [os.environ["PEER_TOPIC"]]
    read = kafka.input("read", flow, brokers=servers, topics=topics)
    events = op.map("decode", read.oks, decode)
    effects = op.stateful_flat_map("once", events, once)
    totals = op.stateful_batch("total", op.map("by_total", effects, by_total), Total)
    keyed = op.map("to_be_written", totals, to_be_written)
    lists = op.collect("collect", keyed, COLLECT_TIME, ROWS_MAX)
    op.output("write", lists, TotalSink())
    return flow


flow = dataflow()
