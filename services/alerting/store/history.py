"""What was known of targets at an instant of the past, from the public views."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import asyncpg

from services.alerting.core.backtest import Knowledge
from services.alerting.core.forecast import HISTORY_DAYS_MAX
from services.alerting.core.pace import LONG_WINDOW_DAYS
from services.alerting.sql import BACKTEST
from services.alerting.store.session import Session, columns
from shared.catalogue.model import Measure, Target
from shared.errors import FatalError
from shared.postgres.pool import outages_as_transient

_LOOKED_BACK: Final = timedelta(days=max(HISTORY_DAYS_MAX, LONG_WINDOW_DAYS))
_ALL_DAYS: Final = date.max


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when history can be told; None where nothing was ever logged."""

    first_at: datetime | None
    last_at: datetime | None


class HistoryStore:
    """Reads schema `reporting`; writes nothing, and takes no role on."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def span(self) -> Span:
        """Find from when to when history can be told.

        Raises:
            TransientError: Postgres is away.
            FatalError: The views are missing or may not be read.
        """
        async with self._snapshot() as session:
            row = await session.fetchrow(BACKTEST["read_span"])
        assert row is not None, "the query gives one row"
        return Span(row["first_at"], row["last_at"])

    async def known_at(
        self, at: datetime, today: date, targets: Sequence[Target]
    ) -> list[Knowledge]:
        """Read what was known of targets, in their order.

        It takes memory for half a year of days of each: the caller bounds how many
        there are.

        Args:
            at: The instant, in the span.
            today: Its local day.
            targets: Of one catalogue.

        Raises:
            TransientError: Postgres is away.
            FatalError: What was known then cannot be told, or takes too long.
        """
        async with self._snapshot() as session:
            effects = await session.fetch(
                BACKTEST["read_effects"],
                *columns([_unit(target) for target in targets], 5),
                today - _LOOKED_BACK,
                at,
            )
            levels = await _levels(session, at, today, targets)
        return [
            Knowledge(
                at=at,
                level=levels.get((place, False), int(row["total"])),
                level_on_due=levels.get((place, True), int(row["total"])),
                effects=dict(zip(row["days"], row["counts"], strict=True)),
                first_day=row["first_day"],
            )
            for place, row in enumerate(effects)
        ]

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Session]:
        async with outages_as_transient():
            try:
                async with (
                    self._pool.acquire() as session,
                    session.transaction(isolation="repeatable_read", readonly=True),
                ):
                    yield session
            except asyncpg.QueryCanceledError as error:
                raise FatalError(
                    "a read took too long; set a higher "
                    "UPTAKE_POSTGRES_STATEMENT_TIMEOUT_SECONDS"
                ) from error
            except (
                asyncpg.UndefinedTableError,
                asyncpg.UndefinedFunctionError,
                asyncpg.InvalidSchemaNameError,
            ) as error:
                raise FatalError(
                    f"a reporting view is not there ({error}); run `uptake migrate`"
                ) from error
            except asyncpg.InvalidParameterValueError as error:
                # The functions refuse what they cannot tell any more, in a sentence.
                raise FatalError(str(error)) from error
            except asyncpg.InsufficientPrivilegeError as error:
                raise FatalError(
                    f"postgres: {error}; grant role uptake_reader to the user of "
                    "UPTAKE_POSTGRES_DSN"
                ) from error


def _unit(target: Target) -> tuple[str, str, date, date | None, date | None]:
    is_flow = target.measure is Measure.FLOW
    return (
        target.indicator,
        target.locality.code,
        target.locality.valid_from,
        target.start_date if is_flow else None,
        target.due if is_flow else None,
    )


async def _levels(
    session: Session, at: datetime, today: date, targets: Sequence[Target]
) -> dict[tuple[int, bool], int]:
    """Read levels of stocks; for those over also the one of their due day.

    Returns:
        By place in `targets`, and whether it is that of the due day.
    """
    wanted: dict[date, list[tuple[int, bool]]] = defaultdict(list)
    for place, target in enumerate(targets):
        if target.measure is Measure.STOCK:
            wanted[_ALL_DAYS].append((place, False))
            if target.due < today:
                wanted[target.due].append((place, True))
    found: dict[tuple[int, bool], int] = {}
    for day, places in wanted.items():
        units = [_unit(targets[place])[:3] for place, _ in places]
        rows = await session.fetch(BACKTEST["read_levels"], *columns(units, 3), day, at)
        found.update(
            (place, int(row["level"])) for place, row in zip(places, rows, strict=True)
        )
    return found
