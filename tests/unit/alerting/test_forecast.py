"""When a target will be reached: what the forecast says, and when it says nothing."""

from dataclasses import replace

import numpy as np
import pytest

from services.alerting.core.forecast import (
    HISTORY_DAYS_MAX,
    HORIZON_DAYS,
    Course,
    Forecast,
    NoForecast,
    forecast_all,
)

WEEK = (12, 9, 11, 10, 8, 3, 3)
LIFT = (0, 2, 1, -1, 3, 0, -2, 1)


def steady(weeks: int = 12) -> tuple[int, ...]:
    """Return days of about 56 a week, never two weeks alike in a row."""
    return tuple(
        count + (LIFT[week % len(LIFT)] if place == 0 else 0)
        for week in range(weeks)
        for place, count in enumerate(WEEK)
    )


STEADY = Course(
    effects=steady(),
    level=1_000,
    goal=1_560,
    rises=True,
    ceiling=None,
    days_left=70,
)
"""Ten weeks' progress is missing, and ten weeks are left."""


def forecast(course: Course) -> Forecast:
    """Forecast one target that can be forecast."""
    (answer,) = forecast_all([course])
    assert isinstance(answer, Forecast), answer
    return answer


def objection(course: Course) -> NoForecast:
    """Return why one target cannot be forecast."""
    (answer,) = forecast_all([course])
    assert isinstance(answer, NoForecast), answer
    return answer


def test_steady_progress_ends_when_arithmetic_says() -> None:
    """Ten weeks' worth of progress takes about seventy days."""
    answer = forecast(STEADY)
    assert answer.p50_days is not None
    assert abs(answer.p50_days - 70) <= 2


def test_quantiles_stand_in_order() -> None:
    """P10 comes before P50, and P50 before P90."""
    answer = forecast(STEADY)
    assert answer.p10_days is not None
    assert answer.p50_days is not None
    assert answer.p90_days is not None
    assert answer.p10_days <= answer.p50_days <= answer.p90_days


@pytest.mark.parametrize(
    ("days_left", "least", "most"), [(35, 9_900, 10_000), (140, 0, 100)]
)
def test_chance_of_missing_follows_the_time_left(
    days_left: int, least: int, most: int
) -> None:
    """Half of the time needed is nearly surely too little, twice as much enough."""
    answer = forecast(replace(STEADY, days_left=days_left))
    assert least <= answer.miss_bp <= most


def test_a_falling_target_is_forecast_as_its_mirror_image() -> None:
    """Losses towards a lower goal are progress."""
    falling = replace(
        STEADY,
        effects=tuple(-count for count in STEADY.effects),
        level=-STEADY.level,
        goal=-STEADY.goal,
        rises=False,
    )
    assert forecast(falling) == forecast(STEADY)


def test_the_same_course_gives_the_same_answer_in_any_company() -> None:
    """No seed and no slice enters: an answer can be repeated on any machine."""
    others = [replace(STEADY, goal=1_200 + 50 * place) for place in range(20)]
    alone = [forecast(course) for course in others]
    assert forecast_all([*others, STEADY])[:-1] == alone


def test_days_before_the_window_change_nothing() -> None:
    """What lies further back than the longest history does not enter."""
    recent = steady(weeks=26)
    assert len(recent) == HISTORY_DAYS_MAX
    long = (5_000, *recent)
    assert forecast(replace(STEADY, effects=long)) == forecast(
        replace(STEADY, effects=recent)
    )


def test_wilder_weeks_make_a_wider_interval() -> None:
    """The same mean with more spread is less sure."""
    wild = tuple(
        3 * count if (place // 7) % 3 == 0 else 0
        for place, count in enumerate(STEADY.effects)
    )
    calm, stormy = forecast(STEADY), forecast(replace(STEADY, effects=wild))
    assert calm.p10_days is not None
    assert calm.p90_days is not None
    assert stormy.p10_days is not None
    assert stormy.p10_days < calm.p10_days
    assert stormy.p90_days is None or stormy.p90_days > calm.p90_days


def test_a_slow_down_shows_in_the_chance() -> None:
    """Five weeks at a quarter of the rate weigh more than the twelve before."""
    slow = tuple(count // 4 for count in steady(weeks=5))
    answer = forecast(replace(STEADY, effects=steady() + slow))
    assert answer.miss_bp > forecast(STEADY).miss_bp + 3_000


def test_what_takes_more_than_ten_years_has_no_date() -> None:
    """Beyond the horizon no day is named, and missing is sure."""
    answer = forecast(replace(STEADY, goal=10**9))
    assert answer == Forecast(None, None, None, 10_000)


def test_a_due_day_beyond_the_horizon_is_judged_at_the_horizon() -> None:
    """Nothing is said of later days, so the chance is that of ten years."""
    far = forecast(replace(STEADY, days_left=2 * HORIZON_DAYS))
    assert far == forecast(replace(STEADY, days_left=HORIZON_DAYS))


def test_the_days_of_a_started_week_count_by_what_they_bring() -> None:
    """Five working days bring 50 of a week's 56, not five sevenths, which are 40."""
    course = replace(STEADY, goal=1_046, days_left=5)
    assert forecast(course).miss_bp < 5_000


def logistic_days(level: float, ceiling: int, days: int) -> tuple[list[int], float]:
    """Grow by 1.5 % a day of what both is there and is left."""
    effects = []
    for day in range(days):
        wave = 1.1 if (day // 7) % 2 else 0.9
        came = 0.015 * level * (1 - level / ceiling) * wave
        effects.append(round(came))
        level += round(came)
    return effects, level


def test_a_known_ceiling_tells_that_growth_will_slow() -> None:
    """Past the middle of an S-curve a straight line would be far too early."""
    effects, level = logistic_days(400_000, 1_000_000, 182)
    course = Course(
        effects=effects,
        level=round(level),
        goal=950_000,
        rises=True,
        ceiling=None,
        days_left=100,
    )
    later, _ = logistic_days(level, 1_000_000, 400)
    reached = int(np.searchsorted(np.cumsum(later), 950_000 - level)) + 1
    straight, curved = forecast(course), forecast(replace(course, ceiling=1_000_000))
    assert straight.p90_days is not None
    assert curved.p10_days is not None
    assert curved.p90_days is not None
    assert straight.p90_days < reached
    assert curved.p10_days <= reached <= curved.p90_days


def test_a_goal_near_the_ceiling_may_never_be_reached() -> None:
    """Where nine tenths are asked of a curve that may end there, no P90 is named."""
    effects, level = logistic_days(200_000, 1_000_000, 84)
    course = Course(
        effects=effects,
        level=round(level),
        goal=950_000,
        rises=True,
        ceiling=1_000_000,
        days_left=3_000,
    )
    answer = forecast(course)
    assert answer.p90_days is None
    assert answer.miss_bp > 1_000


def test_a_goal_at_the_ceiling_is_forecast_for_nearly_all_of_it() -> None:
    """No curve that levels off ever reaches the whole of its ceiling."""
    full = replace(STEADY, goal=2_000, ceiling=2_000)
    assert forecast(full) == forecast(replace(full, goal=1_980))


def test_a_ceiling_says_nothing_about_a_falling_target() -> None:
    """What falls moves away from it."""
    falling = replace(
        STEADY,
        effects=tuple(-count for count in STEADY.effects),
        level=1_560,
        goal=1_000,
        rises=False,
    )
    assert forecast(replace(falling, ceiling=2_000)) == forecast(falling)


def test_levels_that_no_curve_could_have_leave_the_plain_count() -> None:
    """A census far below what was counted since makes levels before it negative."""
    odd = replace(STEADY, level=100, goal=660)
    assert forecast(replace(odd, ceiling=5_000)) == forecast(odd)


def test_weeks_that_are_all_alike_are_still_not_certain() -> None:
    """Counts have at least the spread of chance."""
    alike = replace(STEADY, effects=WEEK * 12, goal=1_111)
    answer = forecast(alike)
    assert answer.p10_days is not None
    assert answer.p90_days is not None
    assert answer.p90_days > answer.p10_days


@pytest.mark.parametrize(
    ("course", "reason"),
    [
        (replace(STEADY, effects=steady(weeks=10)[1:]), NoForecast.SHORT_HISTORY),
        (replace(STEADY, effects=()), NoForecast.SHORT_HISTORY),
        (replace(STEADY, effects=(0,) * 84), NoForecast.NO_PROGRESS),
        (replace(STEADY, effects=(-1,) * 84), NoForecast.NO_PROGRESS),
        (
            replace(STEADY, level=1_990, goal=2_000, ceiling=2_000),
            NoForecast.SATURATED,
        ),
        (replace(STEADY, level=1_560), NoForecast.REACHED),
        (replace(STEADY, days_left=0), NoForecast.OVER),
    ],
)
def test_where_nothing_can_be_told_the_reason_is_given(
    course: Course, reason: NoForecast
) -> None:
    """No date is invented from too little, from nothing, or for what is over."""
    assert objection(course) is reason


def test_a_history_that_is_just_long_enough_is_forecast() -> None:
    """Ten complete weeks suffice."""
    forecast(replace(STEADY, effects=steady(weeks=10)))


def test_answers_come_in_the_order_of_the_questions() -> None:
    """Targets with histories of different lengths do not change places."""
    courses = [
        STEADY,
        replace(STEADY, effects=()),
        replace(STEADY, effects=steady(weeks=11)),
        replace(STEADY, goal=1_100),
    ]
    assert forecast_all(courses) == [forecast_all([course])[0] for course in courses]
