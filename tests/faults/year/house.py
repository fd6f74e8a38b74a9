"""The service on servers of its own, under a clock that the story moves."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
from aiokafka import AIOKafkaProducer

from services.cli.embedded.broker import EmbeddedBroker
from services.cli.embedded.postgres import EmbeddedPostgres
from shared.events.topics import TOTALS
from shared.kafka.broker import make_producer
from tests.faults.year.figures import write_catalogue
from tests.faults.year.receiver import Receiver, Subject
from tests.support.apache_kafka import ApacheKafka
from tests.support.catalogues import copy_catalogue
from tests.support.scripted_year import Province
from tests.support.stack import Stack, eventually
from tests.support.totals import Total

SERVICE: Final = "alerting"
READY_SECONDS_MAX: Final = 120.0
RESEND: Final = timedelta(seconds=60)
"""The service's own; what is told is told again after that, by its clock."""
CLOCK: Final = (
    "CREATE SCHEMA replay",
    "CREATE TABLE replay.clock (at timestamptz NOT NULL)",
    (
        "CREATE FUNCTION replay.clock_timestamp() RETURNS timestamptz "
        "LANGUAGE sql VOLATILE AS 'SELECT at FROM replay.clock'"
    ),
    "GRANT USAGE ON SCHEMA replay TO PUBLIC",
    "GRANT SELECT ON replay.clock TO PUBLIC",
    "INSERT INTO replay.clock VALUES ('epoch')",
)
"""Unqualified, `clock_timestamp()` then means the story's."""
BEFORE_THE_REAL_ONE: Final = (
    'ALTER DATABASE "{name}" SET search_path = replay, pg_catalog, public'
)
MOVE: Final = """
WITH moved AS (UPDATE replay.clock SET at = $1)
UPDATE alerting.position SET caught_up_at = $1 WHERE $2 AND caught_up_at IS NOT NULL
"""
"""$2: the copy holds all there is, that was seen to, and nothing comes meanwhile."""
SESSIONS: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
    AND pid <> pg_backend_pid()
"""
"""Of the service: nobody else but this house is connected."""
SETTLE_SECONDS_MAX: Final = 30.0
COPIED: Final = "SELECT coalesce(sum(next_offset), 0)::bigint FROM alerting.position"
DUE: Final = """
SELECT EXISTS (SELECT FROM alerting.target WHERE next_evaluation_at <= $1)
    OR EXISTS (
        SELECT FROM alerting.position WHERE caught_up_at IS DISTINCT FROM $1
    )
    OR EXISTS (
        SELECT FROM alerting.listening
        WHERE seen_at IS DISTINCT FROM $2 OR gaps_at < $1 - interval '1 hour'
    )
    OR $1 = $2 AND EXISTS (
        SELECT FROM alerting.duty AS d
        JOIN alerting.last_report AS r USING (agency, indicator)
        CROSS JOIN alerting.listening AS l
        WHERE r.reported_at > coalesce(d.heard_at, '-infinity')
            AND (
                d.voice <> 'heard'
                OR d.heard_at IS NULL
                OR d.noted <= l.reading - interval '1 minute'
            )
    )
"""
CLAIMED: Final = """
SELECT to_jsonb(a) ->> 'kind' AS kind,
    coalesce(to_jsonb(a) ->> 'target', to_jsonb(a) ->> 'agency') AS name
FROM alerting.alert AS a
WHERE a.next_delivery_at > $1 AND a.next_delivery_at < $2
"""
"""Alerts that are being told: taken, and neither told nor put off."""
OWED: Final = """
SELECT count(*) FROM alerting.alert AS a
WHERE a.next_delivery_at <= $1 AND a.told_from IS NOT NULL AND a.told_until IS NULL
"""
"""Raised alerts that have to be told, and that nobody has taken yet."""
UNTOLD: Final = "SELECT count(*) FROM alerting.outbox"
STATUSES: Final = "SELECT target, status FROM reporting.target_status"


@dataclass(slots=True)
class House:
    """What a replay works with.

    Attributes:
        stack: The service and its servers.
        receiver: Alertmanager's stand-in.
        connection: To the database, which nobody kills.
        producer: Of totals, in the place of aggregation.
        kills: How often the service was killed.
        now: Where the story's clock stands.
    """

    stack: Stack
    receiver: Receiver
    connection: asyncpg.Connection
    producer: AIOKafkaProducer
    now: datetime
    kills: int = 0

    async def move_clock(self, at: datetime, *, is_complete: bool) -> None:
        """Let the service's time be another.

        Args:
            at: Which.
            is_complete: Whether its copy holds all that there is. What it would find
                out itself a second later it then need not: its clock leaps by more.
        """
        await self.connection.execute(MOVE, at, is_complete)
        self.now = at

    async def publish(self, totals: Sequence[Total]) -> None:
        """Append totals as aggregation does: keyed, all on the log at the end."""
        sent = [
            await self.producer.send(
                TOTALS, total.model_dump_json().encode(), key=total.key()
            )
            for total in totals
        ]
        for each in sent:
            await each

    async def copied(self) -> int:
        """Return how many records of the log the service has copied."""
        return int(await self.connection.fetchval(COPIED))

    async def is_judged(self, at: datetime, heard_until: datetime) -> bool:
        """Tell whether all was looked at that is due at an instant.

        Args:
            at: The instant.
            heard_until: Up to when agencies can have been listened to.
        """
        return not await self.connection.fetchval(DUE, at, heard_until)

    async def is_told(self) -> bool:
        """Tell whether all notices are on their topic."""
        return not await self.connection.fetchval(UNTOLD)

    async def statuses(self) -> dict[str, str]:
        """Read where each target stands."""
        rows = await self.connection.fetch(STATUSES)
        return {row["target"]: row["status"] for row in rows}

    async def claimed(self, at: datetime) -> set[Subject]:
        """List the alerts that somebody took in order to tell them at an instant."""
        rows = await self.connection.fetch(CLAIMED, at, at + RESEND)
        return {Subject(row["kind"], row["name"]) for row in rows}

    async def owes(self, at: datetime) -> bool:
        """Tell whether an alert that is raised still has to be told at an instant."""
        return bool(await self.connection.fetchval(OWED, at))

    async def kill(self) -> set[Subject]:
        """End the service as a crash would.

        Returns:
            Alerts that it had taken in order to tell them: nobody else does so
            before its claim is over.
        """
        await self.stack.kill(SERVICE)
        self.kills += 1
        # What it had sent before it died Postgres still does, or undoes.
        await eventually(
            self._is_left_alone, seconds=SETTLE_SECONDS_MAX, what="end of its sessions"
        )
        return await self.claimed(self.now)

    async def _is_left_alone(self) -> bool:
        return not await self.connection.fetchval(SESSIONS)

    def spawn(self) -> None:
        """Start it again, without waiting for it."""
        self.stack.spawn(SERVICE)

    def fallen(self) -> str | None:
        """Say why the service ended by itself; None while it runs."""
        child = self.stack.children[SERVICE]
        if child.is_running():
            return None
        return (
            f"alerting ended by itself with status {child.exit_status()}: "
            f"{self.stack.log_tail(SERVICE)}"
        )


@asynccontextmanager
async def open_house(
    folder: Path, year: Sequence[Province], *, is_embedded: bool, eve: datetime
) -> AsyncIterator[House]:
    """Start servers and service; all of it ends with the context.

    Args:
        folder: For data and logs; made.
        year: Whose targets and agencies the catalogue has.
        is_embedded: Whether the broker is the embedded one.
        eve: The instant at which the service begins.
    """
    folder.mkdir(parents=True)  # noqa: ASYNC240 -- nothing else runs yet
    receiver = Receiver()
    async with AsyncExitStack() as opened:
        postgres = EmbeddedPostgres(folder / "postgres", durable=False)
        await opened.enter_async_context(postgres)
        kind = EmbeddedBroker if is_embedded else ApacheKafka
        broker = kind(folder / "broker")
        await opened.enter_async_context(broker)
        catalogue = copy_catalogue(folder / "catalogue")
        write_catalogue(catalogue, year)
        stack = Stack(
            broker=broker,
            bootstrap_servers=broker.bootstrap_servers,
            dsn=postgres.dsn,
            catalogue=catalogue,
            folder=folder,
            is_embedded=is_embedded,
            overrides={
                "UPTAKE_ALERTMANAGER_URL": f"http://127.0.0.1:{receiver.port}",
            },
            program=("-m", "tests.support.hurried"),
        )
        await stack.migrate()
        connection = await asyncpg.connect(stack.dsn)
        opened.push_async_callback(connection.close)
        for statement in CLOCK:
            await connection.execute(statement)
        name = stack.dsn.rpartition("/")[2]
        await connection.execute(BEFORE_THE_REAL_ONE.format(name=name))
        producer = make_producer(stack.kafka_settings, linger_ms=0)
        await producer.start()
        opened.push_async_callback(producer.stop)
        opened.push_async_callback(receiver.close)
        opened.push_async_callback(stack.stop)
        house = House(stack, receiver, connection, producer, eve)
        await house.move_clock(eve, is_complete=False)
        house.spawn()
        await stack.wait_ready(SERVICE, seconds=READY_SECONDS_MAX)
        yield house
