"""What must hold at every moment, read while the faults go on.

Each observation is one snapshot. While Postgres is
away nothing can be observed, which is counted and not held against anybody.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from shared.errors import TransientError
from shared.postgres.pool import outages_as_transient
from tests.faults.chaos.house import House

INTERVAL_SECONDS: Final = 0.5
SECONDS_MAX: Final = 5.0
ROOM_FOR_POSTGRES_SECONDS: Final = 0.2
NATION: Final = "VN"

PROGRESS: Final = """
SELECT partition, applied, counted, duplicates, reversed, rejected
FROM reporting.progress
ORDER BY partition
"""
TOTALS: Final = """
SELECT
    t.indicator, t.locality, t.kind, t.count::bigint, t.amount::bigint,
    (
        SELECT l.code
        FROM reporting.locality_above AS a
        JOIN reporting.locality AS l USING (code, valid_from)
        WHERE a.leaf = t.locality AND a.leaf_valid_from = t.valid_from
            AND l.kind = 'province'
    ) AS province
FROM reporting.running_total AS t
"""
EFFECTS: Final = """
SELECT indicator, sum(count)::bigint AS count
FROM reporting.daily_total
GROUP BY indicator
"""


@dataclass(frozen=True, slots=True)
class UnitTotal:
    """What a unit has; of a leaf, the code of the province that it lies in."""

    indicator: str
    locality: str
    kind: str
    count: int
    amount: int
    province: str | None


@dataclass(slots=True)
class Watch:
    """Promises 3 and 4, observed again and again.

    Attributes:
        observations: How often everything was read and held.
        blind: How often Postgres could not be read.
        applied: Records applied, by partition, as last seen; never goes back.
    """

    house: House
    observations: int = 0
    blind: int = 0
    applied: dict[int, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Observe until cancelled.

        Raises:
            AssertionError: A promise is broken, or a service ended by itself.
        """
        while True:
            began = time.monotonic()
            fallen = self.house.fallen()
            assert fallen is None, fallen
            try:
                await self._observe()
            except TransientError:
                self.blind += 1
            passed = time.monotonic() - began
            await asyncio.sleep(
                max(ROOM_FOR_POSTGRES_SECONDS, INTERVAL_SECONDS - passed)
            )

    async def _observe(self) -> None:
        async with outages_as_transient(), asyncio.timeout(SECONDS_MAX):
            connection = await asyncpg.connect(self.house.stack.dsn)
            try:
                async with connection.transaction(
                    isolation="repeatable_read", readonly=True
                ):
                    progress = await connection.fetch(PROGRESS)
                    totals = await connection.fetch(TOTALS)
                    effects = await connection.fetch(EFFECTS)
            finally:
                connection.terminate()
        self._hold_progress(progress)
        hold_bank(
            [UnitTotal(*row.values()) for row in totals],
            {row["indicator"]: row["count"] for row in effects},
        )
        self.observations += 1

    def _hold_progress(self, rows: Sequence[asyncpg.Record]) -> None:
        """Hold promise 3, and that nothing applied is ever taken back."""
        seen = {row["partition"]: row["applied"] for row in rows}
        for row in rows:
            classed = (
                row["counted"] + row["duplicates"] + row["reversed"] + row["rejected"]
            )
            assert row["applied"] == classed, f"promise 3: {dict(row)}"
        for partition, applied in self.applied.items():
            assert seen.get(partition, 0) >= applied, (
                f"partition {partition} went back from {applied} to "
                f"{seen.get(partition)}"
            )
        self.applied = seen


def hold_bank(totals: Sequence[UnitTotal], effects: Mapping[str, int]) -> None:
    """Hold promise 4 on one snapshot: each level is the sum of the one below.

    Args:
        totals: Of every unit that has one.
        effects: Sum of all daily totals, by indicator; the load states no levels.

    Raises:
        AssertionError: Naming what differs.
    """
    own: dict[tuple[str, str], tuple[int, int]] = {}
    under: dict[tuple[str, str], tuple[int, int]] = {}
    for total in totals:
        key = (total.indicator, total.locality)
        if total.kind in ("nation", "province"):
            own[key] = (total.count, total.amount)
        if total.kind != "nation":
            above = (total.indicator, total.province or NATION)
            count, amount = under.get(above, (0, 0))
            under[above] = (count + total.count, amount + total.amount)
    assert own == under, f"promise 4: {own} is not the sum of what lies below: {under}"
    nation = {key[0]: sums[0] for key, sums in own.items() if key[1] == NATION}
    assert nation == effects, f"promise 4: nation {nation}, daily totals {effects}"
