"""Reads the public views as role uptake_reader; an answer is of one snapshot.

Nothing is written, nothing is kept between requests: a crash loses nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from services.board.core.known_at import KnownRange, check_known
from services.board.core.parameters import encode_cursor
from services.board.core.questions import (
    AlertsQuestion,
    SeriesQuestion,
    TargetsQuestion,
    TotalsQuestion,
)
from services.board.settings import BoardSettings
from services.board.sql import QUERIES
from shared.errors import FatalError, TransientError, UptakeError
from shared.events.board_v1 import (
    AlertsV1,
    AlertV1Row,
    SeriesDayV1,
    SeriesV1,
    TargetsV1,
    TargetV1,
    TotalsV1,
    TotalV1,
    UnitV1,
)
from shared.events.receipts_v1 import AskedEventV1, ReceiptsV1
from shared.postgres.pool import open_pool, outages_as_transient
from shared.postgres.receipts import read_receipts

ROLE: Final = "uptake_reader"
ACQUIRE_SECONDS_MAX: Final = 2.0
CLOSE_SECONDS_MAX: Final = 2.0

Snapshot: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
Rows: TypeAlias = Sequence[asyncpg.Record]


class UnknownUnitError(UptakeError):
    """No locality bears the code on the day."""


class TooSlowError(UptakeError):
    """The read took longer than a statement may."""


class BusyError(UptakeError):
    """Every connection is in use; others will be done in a moment."""


class NotMigratedError(UptakeError):
    """A view is not there, or not readable: `uptake migrate` has to run."""


class BoardStore:
    """The public views; one method is one answer."""

    def __init__(self, settings: BoardSettings) -> None:
        self._settings = settings
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        """Connect.

        Raises:
            TransientError: Postgres does not answer, or has no roles yet; try again.
            FatalError: It turns us away.
        """
        try:
            self._pool = await open_pool(
                self._settings,
                role=ROLE,
                size_max=self._settings.postgres_connections_max,
            )
        except FatalError as error:
            # Roles come with the first migration, which may run after us.
            if not isinstance(error.__cause__, asyncpg.InvalidParameterValueError):
                raise
            raise TransientError(f"{error}; run `uptake migrate`") from error

    async def close(self) -> None:
        """Let go of Postgres, in the end without its consent."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS_MAX):
                await pool.close()
        except TimeoutError:
            # A server that hangs must not hold up the end of this process.
            pool.terminate()

    async def check(self) -> None:
        """Look whether everything that is read is there.

        Raises:
            TransientError: Postgres does not answer for now.
            NotMigratedError: A view is missing.
        """
        async with self._connection() as connection:
            await connection.fetch(QUERIES["check_views"])

    async def receipts(
        self, asked: Sequence[AskedEventV1], *, agency: str
    ) -> ReceiptsV1:
        """Tell an agency what became of its events."""
        # One statement, and not in a transaction: see the query.
        async with self._connection() as connection:
            return await read_receipts(connection, asked, agency=agency)

    async def totals(self, question: TotalsQuestion) -> TotalsV1:
        """Tell levels of a unit and of what lies directly under it.

        Raises:
            UnknownUnitError: No unit bears the code.
            CannotBeKnownError: Nobody can know what was known then.
        """
        async with self._snapshot() as snapshot:
            unit = await _find_unit(snapshot, question.locality, question.borders_on)
            units = [unit]
            if question.with_children:
                below = await snapshot.fetch(
                    QUERIES["find_children"],
                    *(unit.code, unit.valid_from, question.borders_on, unit.kind),
                )
                units += [UnitV1(**row) for row in below]
            rows = await _read_totals(snapshot, question, units)
            state = await _state(snapshot)
        page, following = _cut_totals(rows, units, question)
        return TotalsV1(
            unit=unit,
            day=question.day,
            known_at=question.known_at,
            totals=page,
            next=following,
            **state,
        )

    async def series(self, question: SeriesQuestion) -> SeriesV1:
        """Tell one indicator of one unit day by day.

        Raises:
            UnknownUnitError: No unit bears the code.
        """
        async with self._snapshot() as snapshot:
            unit = await _find_unit(snapshot, question.locality, question.to)
            asked = (question.first, question.last)
            of = (unit.code, unit.valid_from, question.indicator)
            last = await snapshot.fetchval(QUERIES["read_last_day"])
            levels = await snapshot.fetch(QUERIES["read_levels"], *asked, *of)
            days = await snapshot.fetch(QUERIES["read_days"], *asked, *of)
            state = await _state(snapshot)
        has_more = question.last < question.to
        after = question.last + timedelta(days=1)
        return SeriesV1(
            unit=unit,
            indicator=question.indicator,
            series=_series_days(question, last, levels, days),
            next=encode_cursor([after.isoformat()]) if has_more else None,
            **state,
        )

    async def targets(self, question: TargetsQuestion) -> TargetsV1:
        """Tell where targets stand."""
        reach = question.reach
        async with self._snapshot() as snapshot:
            rows = await snapshot.fetch(
                QUERIES["read_targets"],
                *(question.after, question.target, question.status),
                *(question.locality, question.indicator, question.limit + 1),
                *(reach.indicators, reach.codes, reach.since),
            )
            state = await _state(snapshot)
        page = [TargetV1(**exact_values(row)) for row in rows[: question.limit]]
        has_more = len(rows) > question.limit
        return TargetsV1(
            targets=page,
            next=encode_cursor([page[-1].target]) if has_more else None,
            **state,
        )

    async def alerts(self, question: AlertsQuestion) -> AlertsV1:
        """Tell alerts."""
        reach = question.reach
        async with self._snapshot() as snapshot:
            rows = await snapshot.fetch(
                QUERIES["read_alerts"],
                *(question.after or (None, None, None, None)),
                *(question.target, question.state, question.kind, question.locality),
                *(question.with_past, question.limit + 1),
                *(reach.indicators, reach.codes, reach.since, reach.agency),
            )
            state = await _state(snapshot)
        following = None
        if len(rows) > question.limit:
            end = rows[question.limit - 1]
            parts = (end["rank"], end["target"] or "", end["kind"], end["fingerprint"])
            following = encode_cursor(parts)
        page = [AlertV1Row(**exact_values(row)) for row in rows[: question.limit]]
        return AlertsV1(alerts=page, next=following, **state)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Snapshot]:
        pool = self._pool
        if pool is None:
            raise TransientError("postgres has not been reached yet")
        async with outages_as_transient(), _faults_told_apart():
            try:
                connection = await pool.acquire(timeout=ACQUIRE_SECONDS_MAX)
            except TimeoutError as error:
                raise BusyError(
                    f"no connection to postgres in {ACQUIRE_SECONDS_MAX:g} s"
                ) from error
            try:
                yield connection
            finally:
                await pool.release(connection)

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Snapshot]:
        """Read several statements of one state of the database."""
        async with (
            self._connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection


@asynccontextmanager
async def _faults_told_apart() -> AsyncIterator[None]:
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        raise TooSlowError(f"a statement was ended: {error}") from error
    except (
        asyncpg.UndefinedTableError,
        asyncpg.UndefinedFunctionError,
        asyncpg.UndefinedColumnError,
        asyncpg.InvalidSchemaNameError,
        asyncpg.InsufficientPrivilegeError,
    ) as error:
        raise NotMigratedError(f"{error}; run `uptake migrate`") from error


async def _find_unit(snapshot: Snapshot, code: str | None, on: date) -> UnitV1:
    found = await snapshot.fetchrow(QUERIES["find_unit"], code, on)
    if found is None:
        what = f"locality {code}" if code else "nation"
        raise UnknownUnitError(f"no {what} on {on}")
    return UnitV1(**found)


async def _read_totals(
    snapshot: Snapshot, question: TotalsQuestion, units: Sequence[UnitV1]
) -> list[TotalV1]:
    then = question.known_at
    if then is not None:
        known = await snapshot.fetchrow(QUERIES["read_known_range"], then)
        assert known is not None, "a query without FROM has one row"
        check_known(then, KnownRange(**known))
    rows = await snapshot.fetch(
        QUERIES["read_totals" if then is None else "read_totals_known_at"],
        question.day,
        [unit.code for unit in units],
        [unit.valid_from for unit in units],
        question.indicator,
        question.reach.indicators,
        *(() if then is None else (then,)),
    )
    return [TotalV1(**exact_values(row)) for row in rows]


def _cut_totals(
    rows: Sequence[TotalV1], units: Sequence[UnitV1], question: TotalsQuestion
) -> tuple[list[TotalV1], str | None]:
    """Return the page asked for, and where it ends if another one follows.

    Units have some thousand rows at most, so all are read and one page is told.
    """
    place = {(each.code, str(each.valid_from)): at for at, each in enumerate(units)}

    def order(indicator: str, code: str, since: str) -> tuple[str, int]:
        # A unit that is not among those asked for ended no page of this question.
        return indicator, place.get((code, since), len(units))

    def name(row: TotalV1) -> tuple[str, str, str]:
        return row.indicator, row.locality, str(row.valid_from)

    in_order = sorted(rows, key=lambda row: order(*name(row)))
    if question.after is not None:
        indicator, code, since = question.after
        end = order(indicator, code, since)
        in_order = [row for row in in_order if order(*name(row)) > end]
    page = in_order[: question.limit]
    has_more = len(in_order) > len(page)
    return page, encode_cursor(name(page[-1])) if has_more else None


def _series_days(
    question: SeriesQuestion, last: date | None, levels: Rows, days: Rows
) -> list[SeriesDayV1]:
    """Lay the days side by side; after the last one with anything levels stay."""
    level_of = {row["day"]: exact_values(row) for row in levels}
    sums_of = {row["day"]: exact_values(row) for row in days}
    found = []
    for number in range((question.last - question.first).days + 1):
        day = question.first + timedelta(days=number)
        level = level_of.get(day if last is None else min(day, last), {})
        sums = sums_of.get(day, {})
        found.append(
            SeriesDayV1(
                day=day,
                count=level.get("count", 0),
                amount=level.get("amount", 0),
                day_count=sums.get("count", 0),
                day_amount=sums.get("amount", 0),
            )
        )
    return found


async def _state(snapshot: Snapshot) -> dict[str, Any]:
    state = await snapshot.fetchrow(QUERIES["read_newest"])
    assert state is not None, "a query without FROM has one row"
    return dict(state)


def exact_values(row: asyncpg.Record) -> dict[str, Any]:
    """Return a row's columns, numeric ones as integers where they are whole."""
    return {name: _exact(value) for name, value in row.items()}


def _exact(value: object) -> object:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value
