"""What can be asked: one frozen question per endpoint, made of query parameters."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.board.core.parameters import BadParameterError, Parameters
from shared.catalogue.model import LocalityKey

TOTALS_MAX: Final = 10_000
TOTALS_DEFAULT: Final = 1_000
ROWS_MAX: Final = 1_000
ROWS_DEFAULT: Final = 100
SERIES_DAYS_MAX: Final = 100
SERIES_DAYS_DEFAULT: Final = 31
SERIES_SPAN_DAYS_MAX: Final = 3_660
# A year before and after which no local day is told apart from nonsense.
FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2999, 12, 31)

ALERT_STATES: Final = ("quiet", "pending", "firing", "kept", "resolved")
TARGET_STATUSES: Final = (
    "not_started",
    "met",
    "missed",
    "unknown",
    "lagging",
    "at_risk",
    "ahead",
    "on_track",
)

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be told to who asks; None does not narrow, and of none tells nothing.

    Attributes:
        indicators: Only rows of these.
        units: Only rows of these.
        agency: Of the alerts about agencies only those about this one.
    """

    indicators: tuple[str, ...] | None = None
    units: tuple[LocalityKey, ...] | None = None
    agency: str | None = None

    @property
    def codes(self) -> list[str] | None:
        """The units' codes, in the order of `since`."""
        return None if self.units is None else [unit.code for unit in self.units]

    @property
    def since(self) -> list[date] | None:
        """Since when each unit bears its code."""
        return None if self.units is None else [unit.valid_from for unit in self.units]


EVERYTHING: Final = Reach()


@dataclass(frozen=True, slots=True)
class TotalsQuestion:
    """Levels of a unit.

    Attributes:
        locality: A code; the nation when None.
        indicator: One of them; all when None.
        day: Up to this day; all that has been counted when None.
        borders_on: The day on which a code means its unit.
        with_children: Also what lies directly under the unit.
        known_at: Only what was logged up to this instant.
        limit: Most rows of a page.
        after: (indicator, code, valid_from) of the last row before; None at first.
        reach: What may be told.
    """

    locality: str | None
    indicator: str | None
    day: date | None
    borders_on: date
    with_children: bool
    known_at: datetime | None
    limit: int
    after: tuple[str, ...] | None
    reach: Reach = EVERYTHING


@dataclass(frozen=True, slots=True)
class SeriesQuestion:
    """One indicator of one unit, day by day.

    Attributes:
        first: The page's first day.
        last: The last one of the page.
        to: The last one asked for; the borders are those of this day.
    """

    locality: str | None
    indicator: str
    first: date
    last: date
    to: date
    reach: Reach = EVERYTHING


@dataclass(frozen=True, slots=True)
class TargetsQuestion:
    """Where targets stand; None does not narrow."""

    target: str | None
    status: str | None
    locality: str | None
    indicator: str | None
    limit: int
    after: str | None
    reach: Reach = EVERYTHING


@dataclass(frozen=True, slots=True)
class AlertsQuestion:
    """Which alerts; None does not narrow.

    Attributes:
        target: A target or a fingerprint.
        with_past: Also those that are quiet or resolved.
        after: (rank, target, kind, fingerprint) of the last one before.
    """

    target: str | None
    state: str | None
    kind: str | None
    locality: str | None
    with_past: bool
    limit: int
    after: tuple[str, ...] | None
    reach: Reach = EVERYTHING


def ask_totals(pairs: Pairs, today: date) -> TotalsQuestion:
    """Read the question of `GET /v1/totals`.

    Args:
        pairs: Names and values of the query.
        today: The local day; a code means the unit that bears it then, unless another
            day is asked for.

    Raises:
        BadParameterError: It cannot be answered.
    """
    given = Parameters(pairs)
    day = _day(given, "day")
    question = TotalsQuestion(
        locality=given.text("locality"),
        indicator=given.text("indicator"),
        day=day,
        borders_on=day or today,
        with_children=given.flag("children"),
        known_at=given.instant("known_at"),
        limit=given.number("limit", default=TOTALS_DEFAULT, most=TOTALS_MAX),
        after=given.cursor(3),
    )
    given.finish()
    return question


def ask_series(pairs: Pairs, today: date) -> SeriesQuestion:
    """Read the question of `GET /v1/series`.

    Args:
        pairs: Names and values of the query.
        today: The local day, on which a series ends unless another is asked for.

    Raises:
        BadParameterError: It cannot be answered.
    """
    given = Parameters(pairs)
    indicator = given.text("indicator")
    if indicator is None:
        raise BadParameterError("indicator: say which one, e.g. indicator=eid_accounts")
    to = _day(given, "to") or today
    if to > today:
        raise BadParameterError(f"to: {to} is in the future; today is {today}")
    since = _day(given, "from") or to - timedelta(days=SERIES_DAYS_DEFAULT - 1)
    if not 0 <= (to - since).days < SERIES_SPAN_DAYS_MAX:
        raise BadParameterError(
            f"from: at most {SERIES_SPAN_DAYS_MAX:,} days up to `to`, and not after it"
        )
    limit = given.number("limit", default=SERIES_DAYS_DEFAULT, most=SERIES_DAYS_MAX)
    first = _series_cursor(given, since, to)
    question = SeriesQuestion(
        locality=given.text("locality"),
        indicator=indicator,
        first=first,
        last=min(first + timedelta(days=limit - 1), to),
        to=to,
    )
    given.finish()
    return question


def ask_targets(pairs: Pairs) -> TargetsQuestion:
    """Read the question of `GET /v1/targets`.

    Raises:
        BadParameterError: It cannot be answered.
    """
    given = Parameters(pairs)
    after = given.cursor(1)
    question = TargetsQuestion(
        target=given.text("target"),
        status=given.choice("status", TARGET_STATUSES),
        locality=given.text("locality"),
        indicator=given.text("indicator"),
        limit=given.number("limit", default=ROWS_DEFAULT, most=ROWS_MAX),
        after=after[0] if after else None,
    )
    given.finish()
    return question


def ask_alerts(pairs: Pairs) -> AlertsQuestion:
    """Read the question of `GET /v1/alerts`.

    Raises:
        BadParameterError: It cannot be answered.
    """
    given = Parameters(pairs)
    state = given.choice("state", ALERT_STATES)
    question = AlertsQuestion(
        target=given.text("target"),
        state=state,
        kind=given.text("kind"),
        locality=given.text("locality"),
        # Whoever names a state that is over means it.
        with_past=given.flag("all") or state in {"quiet", "resolved"},
        limit=given.number("limit", default=ROWS_DEFAULT, most=ROWS_MAX),
        after=given.cursor(4),
    )
    given.finish()
    return question


def _day(given: Parameters, name: str) -> date | None:
    day = given.day(name)
    if day is not None and not FIRST_DAY <= day <= LAST_DAY:
        raise BadParameterError(f"{name}: a day from {FIRST_DAY} to {LAST_DAY}")
    return day


def _series_cursor(given: Parameters, since: date, to: date) -> date:
    """Return the first day of the page that is asked for."""
    cursor = given.cursor(1)
    if cursor is None:
        return since
    day = Parameters([("cursor", cursor[0])]).day("cursor")
    if day is None or not since <= day <= to:
        raise BadParameterError("cursor: give back `next` of the page before, as is")
    return day
