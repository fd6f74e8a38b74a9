"""A year of 34 provinces whose every day is written down.

Each has a target that asks for 100 more accounts a day from 1 August 2025 to
31 July 2026, and a character: how it comes along, what it reports late, what it takes
back. What follows for its alerts is worked out in `tests.support.year_truth`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

START: Final = date(2025, 8, 1)
DUE: Final = date(2026, 7, 31)
LENGTH: Final = 364
"""Days from start to due."""
PER_DAY: Final = 100
START_VALUE: Final = 100_000
WAY: Final = PER_DAY * LENGTH
"""From the start value to the goal."""
END: Final = LENGTH + 40
"""The day on which the story ends: what is told of a missed target is over by then."""
TIMEZONE: Final = "Asia/Ho_Chi_Minh"
OUTAGES: Final = (range(100, 103), range(250, 251))
"""Days at whose beginning the platform itself was behind: nothing could be judged."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one province reported at once.

    Attributes:
        logged_on: Day, by number from the start, in whose course it came.
        day: Day that it is about.
        count: Effect; below 0 where something was taken back.
    """

    logged_on: int
    day: int
    count: int


@dataclass(frozen=True, slots=True)
class Province:
    """One province's year.

    Attributes:
        code: Its own.
        character: What it is in the story for.
        reports: In the order in which they came.
        silence: Days in whose course its agency sent nothing, not even that there is
            nothing to report.
        is_required: Whether nothing is said of it before its agency has reported.
    """

    code: str
    character: str
    reports: tuple[Report, ...]
    silence: range = range(0)
    is_required: bool = False

    @property
    def target(self) -> str:
        """The id of its target."""
        return f"year-{self.code}"

    @property
    def agency(self) -> str:
        """The id of the agency that reports for it."""
        return f"office-{self.code}"

    def last_report(self, day: int) -> int:
        """Return the last day before a day in whose course it reported; -1: none."""
        before = day - 1
        return self.silence.start - 1 if before in self.silence else before


_Pace = Callable[[int], int]
# All that still exist after the mergers of 2025.
# fmt: off
CODES: Final = (
    "01", "04", "08", "11", "12", "14", "15", "19", "20", "22", "24", "25", "31",
    "33", "37", "38", "40", "42", "44", "46", "48", "51", "52", "56", "66", "68",
    "75", "79", "80", "82", "86", "91", "92", "96",
)
# fmt: on


def date_of(number: int) -> date:
    """Return the day that is so many days after the start."""
    return START + timedelta(days=number)


def scripted_year() -> tuple[Province, ...]:
    """Write the year down, by code."""
    codes = iter(CODES)
    told = [
        Province(next(codes), name, _daily(pace))
        for name, paces in _STORIES.items()
        for pace in paces
    ]
    told += [
        Province(next(codes), "silent, then late", _with_gap(gap), silence=gap)
        for gap in _GAPS
    ]
    given_up = range(200, END)
    reports = _until(_even(105), given_up.start)
    told += [
        Province(next(codes), "silent for good", reports, silence=given_up),
        Province(next(codes), "taken back", _taken_back()),
        Province(next(codes), "never reports", (), range(END), is_required=True),
    ]
    assert len(told) == len(CODES), "each province has its story"
    return tuple(told)


def _even(count: int) -> _Pace:
    return lambda _day: count


def _weekly(count: int) -> _Pace:
    """Nothing at weekends; in a week as much as `count` a day."""
    return lambda day: 0 if date_of(day).weekday() in {5, 6} else count * 7 // 5


def _turning(*parts: tuple[int, int]) -> _Pace:
    """Go at a pace from a day on; the first part begins on day 0."""
    return lambda day: next(count for since, count in reversed(parts) if day >= since)


_STORIES: Final[Mapping[str, tuple[_Pace, ...]]] = {
    "steady": (_even(100), _even(104), _even(101), _even(99)),
    "quiet weekends": (_weekly(100), _weekly(110)),
    "at the limit": (_even(90), _even(89)),
    "ahead": (_even(130), _even(182)),
    "laggard": (_even(60), _even(40), _weekly(70), _even(0)),
    "late laggard": (
        _turning((0, 100), (120, 30)),
        _turning((0, 110), (200, 0)),
        _turning((0, 105), (320, 10)),
    ),
    "recovery": (
        _turning((0, 50), (60, 250)),
        _turning((0, 70), (150, 180), (250, 101)),
        _turning((0, 80), (30, 120)),
    ),
    "relapse": (
        _turning((0, 50), (40, 300), (70, 20), (180, 260)),
        _turning((0, 95), (90, 10), (110, 400), (125, 20), (200, 90)),
        # Over the limit and back within a day: nobody is told.
        _turning((0, 89), (12, 200), (13, 80), (14, 220), (16, 85), (60, 130)),
    ),
    "flat start": (
        _turning((0, 0), (60, 160)),
        _turning((0, 0), (9, 130)),
    ),
    "late burst": (
        _turning((0, 20), (300, 700)),
        _turning((0, 10), (352, 2_900)),
        _turning((0, 60), (360, 3_300)),
    ),
}
_GAPS: Final = (range(80, 101), range(180, 260), range(345, 372))


def _daily(pace: _Pace) -> tuple[Report, ...]:
    """Report each day on the day itself, also when the target is over.

    Days of nothing are not reported.
    """
    days = ((day, pace(day)) for day in range(END))
    return tuple(Report(day, day, count) for day, count in days if count)


def _until(pace: _Pace, end: int) -> tuple[Report, ...]:
    return tuple(report for report in _daily(pace) if report.day < end)


def _with_gap(gap: range) -> tuple[Report, ...]:
    """Report nothing for a while, and all of it on the day after."""
    late = (
        Report(gap.stop if each.day in gap else each.day, each.day, each.count)
        for each in _daily(_even(102))
    )
    return tuple(sorted(late, key=lambda each: each.logged_on))


def _taken_back() -> tuple[Report, ...]:
    """Reach the goal by a slip in the figures, which is taken back ten days on."""
    slip = (Report(210, 210, 30_000), Report(220, 210, -30_000))
    reports = (*_daily(_even(100)), *slip)
    return tuple(sorted(reports, key=lambda each: each.logged_on))
