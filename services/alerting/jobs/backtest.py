"""`uptake targets backtest`: what a file of targets would have told.

Reads what was known at the beginning of each step, judges by the same functions as the
service, and writes nothing. Stopped at any time it leaves nothing behind.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.alerting.core.backtest import (
    UNSEEN,
    Episode,
    Knowledge,
    Watch,
    Watched,
    course_of,
    episodes_of,
    watch,
)
from services.alerting.core.forecast import forecast_all, outlook_of
from services.alerting.core.path import local_day
from services.alerting.core.risk import Outlook, RiskLimits
from services.alerting.core.status import Status
from services.alerting.core.texts import Names
from services.alerting.store import HistoryStore
from shared.catalogue.model import Catalogue, Target
from shared.errors import FatalError

TARGETS_MAX: Final = 2_000
"""Bounds memory: half a year of days of each is held at a time."""
STEPS_MAX: Final = 10_000
FORECAST_SLICE: Final = 100
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be replayed.

    Attributes:
        targets: Each other than the others by its id, at most `TARGETS_MAX`.
        first: Local day to begin with; None: as early as there is anything to see.
        last: Local day to end with; None: the last complete one.
        every: Time between two looks at the ledger: a divisor of a day.
    """

    targets: tuple[Target, ...]
    first: date | None
    last: date | None
    every: timedelta


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        first_at: When the replay began, a local midnight.
        last_at: When it ended.
        episodes: Lives of alerts, in the order in which they began.
        ends: Status of each target at the end, by id.
    """

    first_at: datetime
    last_at: datetime
    episodes: tuple[Episode, ...]
    ends: dict[str, Status]


def check_targets(targets: Mapping[str, Target]) -> tuple[Target, ...]:
    """Take a file's targets, by id, unless there are too many.

    Raises:
        FatalError: There are.
    """
    if len(targets) > TARGETS_MAX:
        raise FatalError(
            f"{len(targets):,} targets are more than {TARGETS_MAX:,}; split the file"
        )
    return tuple(targets[target] for target in sorted(targets))


async def backtest(
    store: HistoryStore,
    catalogue: Catalogue,
    order: Order,
    limits: RiskLimits,
    on_step: Callable[[int, int], None],
) -> Outcome:
    """Replay the ledger's history for targets.

    Args:
        store: Reads it.
        catalogue: Names and time zone.
        order: What is wanted.
        limits: Of risk.
        on_step: Told how many steps are done, of how many.

    Raises:
        TransientError: Postgres is away.
        FatalError: There is nothing to replay, or too much of it.
    """
    steps = await _steps(store, catalogue.timezone, order)
    replay = _Replay(catalogue, order.targets, limits)
    for done, (at, until) in enumerate(itertools.pairwise(steps), start=1):
        today = local_day(at, catalogue.timezone)
        known = await store.known_at(at, today, order.targets)
        replay.go_on(known, today, until)
        on_step(done, len(steps) - 1)
    return replay.outcome(steps[0], steps[-1])


async def _steps(
    store: HistoryStore, timezone: str, order: Order
) -> tuple[datetime, ...]:
    """List the instants at which the ledger is looked at, and the end.

    Steps are cut from local midnights, so that none falls beside one where the clock
    is put forward or back.
    """
    span = await store.span()
    if span.first_at is None or span.last_at is None:
        raise FatalError("nothing was ever logged; there is no history to replay")
    zone = ZoneInfo(timezone)
    earliest = local_day(span.first_at, timezone)
    latest = local_day(span.last_at, timezone) - _DAY
    first = order.first or max(
        earliest, min(target.start_date for target in order.targets)
    )
    last = latest if order.last is None else order.last
    if first < earliest:
        raise FatalError(
            f"--from {first}: the ledger tells of {earliest} and later days only"
        )
    if last > latest:
        raise FatalError(f"--until {last}: {latest} is the last complete day")
    found = []
    for number in range((last - first).days + 1):
        day = first + number * _DAY
        midnight = datetime.combine(day, time(), zone)
        end = datetime.combine(day + _DAY, time(), zone)
        # What was logged before the ledger's first row is known to be nothing; before
        # it was kept nobody can tell.
        at = max(midnight, span.first_at)
        while at < end:
            found.append(at)
            at = min(at + order.every, end)
        if len(found) > STEPS_MAX:
            raise FatalError(
                f"more than {STEPS_MAX:,} looks at the ledger; give a shorter time or "
                "longer steps"
            )
    if not found:
        raise FatalError(
            f"there is no complete day from {first} to {last} to replay; targets that "
            "start later are judged when their time comes"
        )
    return (*found, datetime.combine(last + _DAY, time(), zone))


class _Replay:
    """Targets on their way through history."""

    def __init__(
        self, catalogue: Catalogue, targets: Sequence[Target], limits: RiskLimits
    ) -> None:
        self._watches = [
            Watch(target, _names(target, catalogue), catalogue.timezone, limits)
            for target in targets
        ]
        self._left: list[Watched] = [UNSEEN] * len(targets)
        self._outlooks: list[Outlook | None] = [None] * len(targets)
        self._forecast_on: date | None = None
        self._episodes: list[tuple[Episode, ...]] = [()] * len(targets)

    def go_on(self, known: Sequence[Knowledge], today: date, until: datetime) -> None:
        """Take all targets one step further."""
        if self._forecast_on != today:
            self._forecast(known, today)
            self._forecast_on = today
        for place, each in enumerate(known):
            self._left[place], turns = watch(
                self._watches[place],
                self._left[place],
                each,
                self._outlooks[place],
                until,
            )
            if turns:
                before = self._episodes[place]
                self._episodes[place] = episodes_of(turns, before)

    def outcome(self, first_at: datetime, last_at: datetime) -> Outcome:
        """Sum up."""
        episodes = [each for some in self._episodes for each in some]
        ends = {
            watching.target.id: left.memory.status
            for watching, left in zip(self._watches, self._left, strict=True)
        }
        return Outcome(
            first_at,
            last_at,
            tuple(sorted(episodes, key=lambda each: (each.began_at, each.target))),
            {target: status for target, status in ends.items() if status is not None},
        )

    def _forecast(self, known: Sequence[Knowledge], today: date) -> None:
        """Forecast the targets under way, as each morning."""
        due = [
            place
            for place, each in enumerate(self._watches)
            if each.target.start_date <= today <= each.target.due
        ]
        for begin in range(0, len(due), FORECAST_SLICE):
            places = due[begin : begin + FORECAST_SLICE]
            courses = [
                course_of(self._watches[place].target, known[place], today)
                for place in places
            ]
            for place, said in zip(places, forecast_all(courses), strict=True):
                self._outlooks[place] = outlook_of(said, today)


def _names(target: Target, catalogue: Catalogue) -> Names:
    indicator = catalogue.indicators[target.indicator]
    place = catalogue.tree.get(target.locality)
    assert place is not None, "the check of the file found the target's locality"
    return Names(indicator.name, indicator.name_vi, place.name)
