"""What the demo reads through the public doors: reporting views and metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import aiohttp
import asyncpg

from shared.postgres.pool import open_pool, outages_as_transient
from shared.postgres.queries import load_queries
from shared.settings import PostgresSettings

READER: Final = "uptake_reader"
QUERIES: Final = load_queries("services.cli", "sql/demo.sql")
LAG_RECORDS: Final = "uptake_aggregation_lag_records"
LAG_SECONDS: Final = "uptake_aggregation_lag_seconds"
METRICS_TIMEOUT: Final = aiohttp.ClientTimeout(total=2)


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of the log so far.

    Attributes:
        applied: Records applied: the sum of the four classes.
        counted: Records in the ledger.
        duplicates: Records that were there already.
        reversed: Reversals taken.
        rejected: Records refused by aggregation.
        in_flight: Records in the log and not applied; None when nobody can tell now.
        lag_seconds: Age of the oldest of them; None when nobody can tell now.
    """

    applied: int = 0
    counted: int = 0
    duplicates: int = 0
    reversed: int = 0
    rejected: int = 0
    in_flight: int | None = None
    lag_seconds: float | None = None

    @property
    def adds_up(self) -> bool:
        """Whether every applied record is in exactly one class."""
        return self.applied == (
            self.counted + self.duplicates + self.reversed + self.rejected
        )


@dataclass(frozen=True, slots=True)
class TargetReading:
    """Where a target stands.

    Attributes:
        status: E.g. `lagging`.
        reason: Why it is unknown; None else.
        actual: Its value.
        expected: What the path asks for by now.
        position_bp: Share of that path covered, in basis points.
        pace_7_bp: Achieved over required rate of 7 days, in basis points.
        alert_state: Of its lagging alert, e.g. `firing`; None when there is none.
        firing_seconds: How long the alert has been firing; None when it is not.
    """

    status: str
    reason: str | None
    actual: int
    expected: int
    position_bp: int | None
    pace_7_bp: int | None
    alert_state: str | None
    firing_seconds: int | None


class DemoReader:
    """Reads as anybody with the reader's role may."""

    def __init__(
        self, pool: asyncpg.Pool, session: aiohttp.ClientSession, metrics_url: str
    ) -> None:
        """Describe the reader.

        Args:
            pool: Sessions with the reader's role.
            session: For the metrics.
            metrics_url: Of aggregation.
        """
        self._pool = pool
        self._session = session
        self._metrics_url = metrics_url

    async def progress(self) -> Progress:
        """Read what became of the log.

        Raises:
            TransientError: Postgres does not answer for now.
        """
        async with outages_as_transient():
            row = await self._pool.fetchrow(QUERIES["progress"])
        lags = await self._lags()
        assert row is not None, "an aggregate always gives a row"
        return Progress(
            **dict(row),
            in_flight=None if lags is None else int(lags[0]),
            lag_seconds=None if lags is None else lags[1],
        )

    async def totals(self, unit: str) -> Mapping[str, tuple[int, int]]:
        """Read a unit's levels: count and VND by indicator.

        Raises:
            TransientError: Postgres does not answer for now.
        """
        async with outages_as_transient():
            rows = await self._pool.fetch(QUERIES["unit_totals"], unit)
        return {row["indicator"]: (row["count"], row["amount"]) for row in rows}

    async def target(self, target_id: str) -> TargetReading | None:
        """Read where a target stands; None before it was evaluated.

        Raises:
            TransientError: Postgres does not answer for now.
        """
        async with outages_as_transient():
            row = await self._pool.fetchrow(QUERIES["target"], target_id)
        if row is None:
            return None
        return TargetReading(
            status=row["status"],
            reason=row["reason"],
            actual=row["actual"] or 0,
            expected=row["expected"] or 0,
            position_bp=row["position_bp"],
            pace_7_bp=row["pace_7_bp"],
            alert_state=row["state"],
            firing_seconds=_seconds_since(row["firing_since"], row["read_at"]),
        )

    async def _lags(self) -> tuple[float, float] | None:
        """Read records and seconds of lag; None while aggregation is away."""
        try:
            async with self._session.get(
                self._metrics_url, timeout=METRICS_TIMEOUT
            ) as response:
                text = await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        return parse_lags(text)


def parse_lags(text: str) -> tuple[float, float] | None:
    """Take the lag from aggregation's metrics: records in all, seconds at most.

    Returns:
        None where no partition has told its lag yet.
    """
    found: dict[str, list[float]] = {LAG_RECORDS: [], LAG_SECONDS: []}
    for line in text.splitlines():
        name = line.partition("{")[0]
        if name in found:
            found[name].append(float(line.rpartition(" ")[2]))
    if not found[LAG_RECORDS]:
        return None
    return sum(found[LAG_RECORDS]), max(found[LAG_SECONDS], default=0.0)


def _seconds_since(since: datetime | None, now: datetime) -> int | None:
    return None if since is None else max(0, int((now - since).total_seconds()))


async def open_reader_pool(settings: PostgresSettings) -> asyncpg.Pool:
    """Open the reader's sessions.

    Raises:
        TransientError: Postgres does not answer for now.
        FatalError: It turns us away.
    """
    return await open_pool(settings, role=READER, size_max=2)
