"""The sums that targets are judged by, against a recount of all that was copied."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

import asyncpg
import pytest

from services.alerting.core.copied import DayTotal, Stated, Stretch, TotalsBatch
from services.alerting.store import DefinitionStore, TotalsStore
from services.cli.migrate import _run_dbmate, dbmate_url
from services.cli.shipped import shipped_catalogue
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Catalogue, LocalityKey, Measure, Target
from shared.catalogue.periods import parse_period
from shared.postgres.pool import open_pool
from shared.settings import PostgresSettings

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]

FIRST: Final = date(2025, 12, 1)
SINCE: Final = date(2025, 7, 1)
STOCK, FLOW = "cashless_accounts", "ecommerce_transactions"
LEAVES: Final = tuple(
    LocalityKey(code, SINCE) for code in ("15961", "16000", "15469", "38-unallocated")
)
PLACES: Final = (
    LocalityKey("VN", date(1976, 7, 2)),
    LocalityKey("38", SINCE),
    LEAVES[0],
    LEAVES[3],
)
PERIODS: Final = ("2025-12", "2026-01", "2026-Q1", "2026")


@dataclass
class Recount:
    """What was logged, and what it comes to."""

    days: dict[tuple[str, str, LocalityKey, date], tuple[int, int]] = field(
        default_factory=dict
    )
    stated: dict[tuple[str, LocalityKey, date], tuple[int | None, int]] = field(
        default_factory=dict
    )

    def level(self, catalogue: Catalogue, target: Target) -> int:
        """Count a stock's level, or what came in a flow's span."""
        if target.measure is Measure.FLOW:
            by_day = self.by_day(catalogue, target)
            return sum(by_day[day] for day in by_day if day >= target.start_date)
        return sum(
            self._series(agency, leaf)
            for agency in ("a", "b")
            for leaf in _below(catalogue, target)
        )

    def by_day(self, catalogue: Catalogue, target: Target) -> dict[date, int]:
        """Sum effects per day, of a flow up to its due day."""
        below = _below(catalogue, target)
        found: dict[date, int] = {}
        for (indicator, _, leaf, day), (count, _) in self.days.items():
            is_flow = target.measure is Measure.FLOW
            is_out = is_flow and day > target.due
            if indicator == target.indicator and leaf in below and not is_out:
                found[day] = found.get(day, 0) + count
        return found

    def _series(self, agency: str, leaf: LocalityKey) -> int:
        of = {
            day: level
            for (who, where, day), (level, _) in self.stated.items()
            if (who, where) == (agency, leaf) and level is not None
        }
        latest = max(of, default=date.min)
        effects = sum(
            count
            for (what, who, where, day), (count, _) in self.days.items()
            if (what, who, where) == (STOCK, agency, leaf) and day > latest
        )
        return of.get(latest, 0) + effects


def _below(catalogue: Catalogue, target: Target) -> set[LocalityKey]:
    return {
        leaf for leaf in LEAVES if target.locality in catalogue.tree.ancestors(leaf)
    }


def all_targets() -> dict[str, Target]:
    """Make a target for each place: a stock's, and a flow's for each period."""
    targets = {}
    for place in PLACES:
        base = Target(
            "x", STOCK, place, FIRST, 0, date(2026, 12, 31), 10, issued_by="x"
        )
        targets[f"stock-{place.code}"] = base
        for name in PERIODS:
            period = parse_period(name)
            assert period is not None
            targets[f"{name}-{place.code}"] = replace(
                base,
                indicator=FLOW,
                measure=Measure.FLOW,
                start_date=period.first_day,
                due=period.last_day,
            )
    return {id_: replace(target, id=id_) for id_, target in targets.items()}


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """Open a database that has alerting's tables."""
    await _run_dbmate("alerting", dbmate_url(database))
    settings = PostgresSettings.model_validate({"postgres_dsn": database})
    opened = await open_pool(settings, role="uptake_alerting", size_max=2)
    yield opened
    await opened.close()


def draw_batch(dice: random.Random, number: int, recount: Recount) -> TotalsBatch:
    """Draw days and statements, some of them corrected, and note them."""
    stretch = Stretch(number, number + 1, b"0" * 32)
    batch = TotalsBatch({0: stretch})
    for _ in range(12):
        indicator, agency = dice.choice((STOCK, FLOW)), dice.choice("ab")
        leaf, day = dice.choice(LEAVES), FIRST + timedelta(days=dice.randrange(130))
        count, revision = dice.randint(-50, 100), dice.randint(1, 50)
        batch.days.append(
            DayTotal(indicator, agency, *leaf, day, count, 0, 0, revision)
        )
        key = (indicator, agency, leaf, day)
        if recount.days.get(key, (0, 0))[1] <= revision:
            recount.days[key] = (count, revision)
    for _ in range(3):
        agency, leaf = dice.choice("ab"), dice.choice(LEAVES)
        day = FIRST + timedelta(days=dice.randrange(130))
        level, revision = (
            dice.choice((None, dice.randrange(1_000))),
            dice.randint(1, 50),
        )
        batch.stated.append(Stated(STOCK, agency, *leaf, day, level, 0, revision))
        stated_key = (agency, leaf, day)
        if recount.stated.get(stated_key, (0, 0))[1] <= revision:
            recount.stated[stated_key] = (level, revision)
    return batch


@pytest.mark.parametrize("seed", [1, 2])
async def test_sums_of_stocks_and_flows_are_those_of_a_recount(
    pool: asyncpg.Pool, seed: int
) -> None:
    """After late days, corrections and statements, and as targets come and go."""
    dice = random.Random(seed)  # noqa: S311 -- draws a test's cases, guards nothing
    shipped = load_catalogue(shipped_catalogue())
    totals, definitions = TotalsStore(pool), DefinitionStore(pool)
    await totals.positions(1)
    recount, every, number = Recount(), all_targets(), 0
    for _ in range(5):
        kept = dice.sample(sorted(every), k=12)
        catalogue = replace(shipped, targets={id_: every[id_] for id_ in kept})
        await definitions.take_over(catalogue)
        for _ in range(5):
            await totals.apply(draw_batch(dice, number, recount))
            number += 1
        for id_ in kept:
            rows = await pool.fetch(
                "SELECT u.level, d.day, d.count FROM alerting.target "
                "JOIN alerting.unit AS u USING (unit_id) "
                "LEFT JOIN alerting.unit_day AS d USING (unit_id) WHERE target = $1",
                id_,
            )
            found = {row["day"]: row["count"] for row in rows if row["day"]}
            assert found == recount.by_day(catalogue, every[id_]), id_
            assert rows[0]["level"] == recount.level(catalogue, every[id_]), id_
