"""The job in Pathway: tables, its Postgres output as a snapshot, persistence.

As its documents advise: one row per (source, id) by `groupby`, and what a later event
takes back is a difference of tables, which Pathway keeps up to date by itself.
"""

import os
from urllib.parse import unquote, urlsplit

import pathway as pw


class Event(pw.Schema):
    """What is read of a record; a reversal has no indicator, another no `reverses`."""

    source: str
    event_id: str
    effect: str
    agency: str
    day: str
    indicator: str = pw.column_definition(default_value="")
    locality: str = pw.column_definition(default_value="")
    count: int = pw.column_definition(default_value=0)
    amount: int = pw.column_definition(default_value=0)
    reverses_source: str = pw.column_definition(default_value="")
    reverses_id: str = pw.column_definition(default_value="")


# `id` is what Pathway calls the name of a row.
PATHS = {
    "event_id": "/id",
    "day": "/localday",
    "count": "/data/count",
    "amount": "/data/amount",
    "reverses_source": "/data/source",
    "reverses_id": "/data/id",
}


def running_totals(events: pw.Table) -> pw.Table:
    """Return the total of each (indicator, agency, locality, day)."""
    counts = events.filter(pw.this.effect == "count")
    counted = counts.groupby(pw.this.source, pw.this.event_id).reduce(
        agency=pw.reducers.any(pw.this.agency),
        day=pw.reducers.any(pw.this.day),
        indicator=pw.reducers.any(pw.this.indicator),
        locality=pw.reducers.any(pw.this.locality),
        count=pw.reducers.any(pw.this.count),
        amount=pw.reducers.any(pw.this.amount),
    )
    # Grouped rows are named by what they are grouped by: both tables by (source, id).
    reversals = events.filter(pw.this.effect == "reverse")
    reversed_ = reversals.groupby(pw.this.reverses_source, pw.this.reverses_id).reduce()
    standing = counted.difference(reversed_)
    key = [pw.this.indicator, pw.this.agency, pw.this.locality, pw.this.day]
    return standing.groupby(*key).reduce(
        *key,
        count=pw.reducers.sum(pw.this.count),
        amount=pw.reducers.sum(pw.this.amount),
    )


def main() -> None:
    """Read, count, write."""
    milliseconds = int(float(os.environ["PEER_COMMIT_SECONDS"]) * 1000)
    events = pw.io.kafka.read(
        {
            "bootstrap.servers": os.environ["PEER_BOOTSTRAP_SERVERS"],
            "group.id": os.environ["PEER_GROUP"],
            "auto.offset.reset": "earliest",
            "session.timeout.ms": "6000",
        },
        topic=os.environ["PEER_TOPIC"],
        format="json",
        schema=Event,
        json_field_paths=PATHS,
        autocommit_duration_ms=milliseconds,
        name="events",
    )
    totals = running_totals(events)
    dsn = urlsplit(os.environ["PEER_DSN"])
    pw.io.postgres.write(
        totals,
        {
            "host": dsn.hostname,
            "port": dsn.port,
            "dbname": dsn.path.lstrip("/"),
            "user": unquote(dsn.username or ""),
            "password": unquote(dsn.password or ""),
        },
        "total",
        output_table_type="snapshot",
        primary_key=[totals.indicator, totals.agency, totals.locality, totals.day],
    )
    pw.run(
        monitoring_level=pw.MonitoringLevel.NONE,
        persistence_config=pw.persistence.Config(
            pw.persistence.Backend.filesystem(os.environ["PEER_STATE"]),
            snapshot_interval_ms=milliseconds,
        ),
    )


if __name__ == "__main__":
    main()
