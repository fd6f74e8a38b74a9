"""The job in Quix Streams: state in RocksDB with changelog topics, its Postgres sink.

As its documents advise: state is kept per message key (the agency), the guarantee is
`exactly-once`, and the sink upserts once per checkpoint.
"""

import os
from typing import Any
from urllib.parse import unquote, urlsplit

from quixstreams import Application, State
from quixstreams.sinks.community.postgresql import PostgreSQLSink

COLUMNS = ["indicator", "agency", "locality", "day"]


def new_total(event: dict[str, Any], state: State) -> dict[str, Any] | None:
    """Return the total that an event changes; None where it changes nothing."""
    own = f"{event['source']} {event['id']}"
    if state.exists(own):
        return None
    data = event["data"]
    if event["effect"] == "reverse":
        state.set(own, "reversal")
        original = f"{data['source']} {data['id']}"
        counted = state.get(original)
        if not isinstance(counted, list):
            return None
        state.set(original, "reversed")
        *place, count, amount = counted
        count, amount = -count, -amount
    else:
        place = [event["indicator"], event["locality"], event["localday"]]
        count, amount = data["count"], data["amount"]
        state.set(own, [*place, count, amount])
    name = "total " + " ".join(place)
    before = state.get(name, default=[0, 0])
    after = [before[0] + count, before[1] + amount]
    state.set(name, after)
    indicator, locality, day = place
    values = [indicator, event["agency"], locality, day, *after]
    return dict(zip([*COLUMNS, "count", "amount"], values, strict=True))


def main() -> None:
    """Read, count, sink."""
    dsn = urlsplit(os.environ["PEER_DSN"])
    app = Application(
        broker_address=os.environ["PEER_BOOTSTRAP_SERVERS"],
        consumer_group=os.environ["PEER_GROUP"],
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=float(os.environ["PEER_COMMIT_SECONDS"]),
        # A name of its own for each start, as is the default, leaves a killed one's
        # transaction open: state is then recovered only up to where that began.
        producer_extra_config={"transactional.id": os.environ["PEER_GROUP"]},
        consumer_extra_config={"session.timeout.ms": 6_000},
        state_dir=os.environ["PEER_STATE"],
        loglevel="WARNING",
    )
    sink = PostgreSQLSink(
        host=dsn.hostname or "",
        port=dsn.port or 5432,
        dbname=dsn.path.lstrip("/"),
        user=unquote(dsn.username or ""),
        password=unquote(dsn.password or ""),
        table_name="total",
        schema_auto_update=False,
        primary_key_columns=COLUMNS,
        upsert_on_primary_key=True,
        include_metadata=False,
    )
    events = app.topic(os.environ["PEER_TOPIC"], value_deserializer="json")
    totals = app.dataframe(events).apply(new_total, stateful=True)
    totals.filter(lambda total: total is not None).sink(sink)
    app.run()


if __name__ == "__main__":
    main()
