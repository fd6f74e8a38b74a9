"""The way through the year: figures, clock, kills, and Alertmanager's absences."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.events.alert_v1 import AlertV1
from shared.events.totals_v1 import LastReportV1
from tests.faults.year.account import Notice, Outcome
from tests.faults.year.figures import instant_of, look_at, openings, totals_by_day
from tests.faults.year.house import House
from tests.faults.year.plan import Kill, Moment, Plan
from tests.faults.year.receiver import Subject
from tests.support.hasty_truth import (
    Episode,
    Look,
    Truth,
    episodes,
    is_outage,
    looks_of,
    raised_at,
)
from tests.support.scripted_year import Province
from tests.support.totals import Total, read_alerts, watermarks
from tests.support.year_truth import AT_RISK, Told

WAIT_SECONDS_MAX: Final = 120.0
TOLD_SECONDS_MAX: Final = 60.0
POLL_SECONDS: Final = 0.01
DIFFERENCES_MAX: Final = 20
SAYS_EVERY_DAYS: Final = 20
FINE: Final = frozenset({"on_track", "ahead", "at_risk"})
"""What is no cause for an alert, or rests on a forecast."""


EVE: Final = Look(-1, 0)
"""When the service begins."""


class StoryBrokenError(Exception):
    """The replay cannot go on: the service fell, or does not do what is due."""


@dataclass(slots=True)
class Replay:
    """One run of the story.

    Attributes:
        house: The service.
        year: Its provinces.
        truths: What is expected, by province's code.
        plan: What befalls the service.
        say: Told how far it is.
    """

    house: House
    year: Sequence[Province]
    truths: Mapping[str, Truth]
    plan: Plan
    say: Callable[[str], None]
    differences: list[str] = field(default_factory=list)
    statuses: int = 0
    _began: float = field(default_factory=time.monotonic)
    _revision: int = 1
    _published: int = 0
    _episodes: list[Episode] = field(default_factory=list)
    _last: Look | None = None
    _heard_until: datetime = field(default_factory=lambda: instant_of(EVE))
    _orphans: set[Subject] = field(default_factory=set)

    async def run(self, days: int) -> Outcome:
        """Go through the year, and read what was told."""
        for truth in self.truths.values():
            self._episodes += episodes(truth.told)
        await self._tell([*openings(self.year), *self._watermarks(EVE)], None)
        await self._see_judged(EVE)
        for day, totals in enumerate(totals_by_day(self.year, days)):
            await self._live(day, totals)
            if day % SAYS_EVERY_DAYS == 0 or day == days - 1:
                self._say_day(day, days)
            if len(self.differences) > DIFFERENCES_MAX:
                self.say("too much is wrong: the rest of the story is left out")
                break
        await self._until(self.house.is_told, "empty outbox")
        notices = await read_alerts(self.house.stack)
        await self.house.stack.stop()
        return Outcome(
            notices=[
                Notice(each.id, _told(each))
                for each in notices
                if each.data.kind.value != AT_RISK
            ],
            raises=self._raises(),
            differences=self.differences,
            statuses=self.statuses,
        )

    async def _live(self, day: int, totals: Sequence[Total]) -> None:
        looks = looks_of(day)
        figures = list(totals)
        if not is_outage(day):
            figures += self._watermarks(looks[-1])
        for look in looks:
            await self._look(look, figures if look == looks[0] else ())
        await self._compare_statuses(day)

    async def _look(self, look: Look, figures: Sequence[Total]) -> None:
        """Bring figures, move the clock, and see all done that is due then."""
        absence = self.plan.absence_at(look)
        receiver = self.house.receiver
        is_back = absence is None and receiver.is_away
        await receiver.go(None if absence is None else absence.manner)
        if is_back and self._last is not None:
            # It came back some time before this look, and heard of the last one.
            await self._compare_alertmanager(self._last)
        kill = self.plan.kill_at(look)
        is_down = kill is not None and kill.moment is Moment.MIDNIGHT
        # Who listens hears at once of a report, so none comes before its instant.
        reports = [total for total in figures if isinstance(total, LastReportV1)]
        others = [total for total in figures if not isinstance(total, LastReportV1)]
        await self._tell(others, kill if is_down else None)
        # Whatever the dead had claimed is free again: the clock leaps further.
        self._orphans.clear()
        receiver.begin_look()
        await self.house.move_clock(instant_of(look), is_complete=not is_down)
        await self._tell(reports, None if is_down else kill, waits=False)
        if kill is not None:
            self.house.spawn()
        await self._until(self._is_copied, "totals copied")
        await self._see_judged(look)
        if absence is None:
            await self._compare_alertmanager(look)
        self._last = look

    async def _tell(
        self, totals: Sequence[Total], kill: Kill | None, *, waits: bool = True
    ) -> None:
        """Publish totals, and see them copied before anybody looks.

        Args:
            totals: Any number.
            kill: Of the service meanwhile; it copies the rest when it comes back.
            waits: Whether to wait for the copy, if nobody is killed.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.house.publish(totals))
            if kill is not None:
                tasks.create_task(self._die(kill))
        self._published += len(totals)
        if waits and kill is None:
            await self._until(self._is_copied, "totals copied")

    async def _is_copied(self) -> bool:
        return await self.house.copied() >= self._published

    async def _die(self, kill: Kill) -> None:
        # A moment that follows from the seed, in the middle of what it does.
        await asyncio.sleep(kill.delay_seconds)
        self._orphans = await self.house.kill()

    async def _see_judged(self, look: Look) -> None:
        at = instant_of(look)
        if not is_outage(look.day):
            self._heard_until = at

        async def is_judged() -> bool:
            return await self.house.is_judged(at, self._heard_until)

        await self._until(is_judged, f"all judged at {at}")

    async def _compare_alertmanager(self, look: Look) -> None:
        """See Alertmanager told of what is raised, since when, and nothing else.

        But for what a killed service had claimed and may not have told: the next
        look finds that claim outlived. The clock stands still until what was told is
        noted as told, as it all but does between two looks ten seconds apart.
        """
        at = instant_of(look)
        wanted = {
            Subject(each.kind, each.subject): instant_of(each.raised)
            for each in raised_at(self._episodes, look)
        }
        known = {
            key: value for key, value in wanted.items() if key not in self._orphans
        }

        async def is_told() -> bool:
            if await self.house.owes(at):
                return False
            heard = self.house.receiver.active(at)
            return {
                key: value for key, value in heard.items() if key not in self._orphans
            } == known and await self.house.claimed(at) <= self._orphans

        try:
            await self._until(is_told, "Alertmanager told", seconds=TOLD_SECONDS_MAX)
        except TimeoutError:
            heard = self.house.receiver.active(at)
            wrong = set(heard.items()) ^ set(wanted.items())
            self.differences.append(f"Alertmanager at {at}: {sorted(wrong)}")

    async def _compare_statuses(self, day: int) -> None:
        found = await self.house.statuses()
        for province in self.year:
            wanted = self.truths[province.code].statuses[day]
            status = found[province.target]
            if wanted == ("fine" if status in FINE else status):
                self.statuses += 1
            else:
                words = f"{province.target} is {status} on day {day}, not {wanted}"
                self.differences.append(words)

    async def _until(
        self,
        condition: Callable[[], Awaitable[bool]],
        what: str,
        *,
        seconds: float = WAIT_SECONDS_MAX,
    ) -> None:
        """Wait for something.

        Raises:
            StoryBrokenError: The service has fallen.
            TimeoutError: Not within the seconds.
        """
        deadline = time.monotonic() + seconds
        while not await condition():
            fallen = self.house.fallen()
            if fallen is not None:
                raise StoryBrokenError(fallen)
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{what}: {self.house.stack.log_tail('alerting')[-2_000:]}"
                )
            # Another process does what is waited for.
            await asyncio.sleep(POLL_SECONDS)

    def _watermarks(self, look: Look) -> Sequence[Total]:
        """Say that all is in the totals that was logged until a look."""
        self._revision += 1
        return watermarks(instant_of(look), revision=self._revision)

    def _raises(self) -> Mapping[Subject, set[Look]]:
        found: dict[Subject, set[Look]] = defaultdict(set)
        for subject, times in self.house.receiver.raises.items():
            found[subject] = {look_at(starts) for starts in times}
        return found

    def _say_day(self, day: int, days: int) -> None:
        absence = self.plan.absence_at(looks_of(day)[-1])
        away = "" if absence is None else f", Alertmanager away ({absence.manner})"
        self.say(
            f"day {day + 1:3} of {days}  {time.monotonic() - self._began:5.0f} s  "
            f"killed {self.house.kills} times{away}"
        )


def _told(notice: AlertV1) -> Told:
    """Write a notice as the truth writes it."""
    data = notice.data
    day, minute = look_at(notice.time)
    # What is about an agency names no target.
    subject = data.target or notice.subject
    return Told(day, subject, data.kind.value, data.state.value, data.episode, minute)
