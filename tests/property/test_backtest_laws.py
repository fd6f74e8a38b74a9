"""Laws of the backtest: it tells what a service that never rests would have told."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerting.core.backtest import (
    UNSEEN,
    Knowledge,
    Turn,
    Watch,
    Watched,
    reading_of,
    watch,
)
from services.alerting.core.evaluation import Memory, evaluate
from services.alerting.core.path import local_day
from services.alerting.core.risk import Outlook
from services.alerting.core.texts import Names
from shared.catalogue.model import Behind, LocalityKey, Target

TIMEZONE = "Asia/Ho_Chi_Minh"
NAMES = Names("Accounts", "Tài khoản", "Thanh Hóa")
LOOK = timedelta(minutes=5)
HOUR = timedelta(hours=1)
FIRST = datetime(2026, 3, 1, 17, tzinfo=UTC)
"""A midnight in Vietnam."""
STEPS = 16


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of a target every six hours, and what is forecast."""

    target: Target
    known: tuple[Knowledge, ...]
    outlooks: tuple[Outlook | None, ...]

    @property
    def watching(self) -> Watch:
        """Look as often as the slow way does."""
        return Watch(self.target, NAMES, TIMEZONE, interval=LOOK)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Draw four days around the start or the due day of a target."""
    minutes = st.sampled_from([0, 30, 300, 1_440])
    target = Target(
        id="drawn",
        indicator="cashless_accounts",
        locality=LocalityKey("38", date(2025, 7, 1)),
        start_date=draw(st.sampled_from([date(2026, 2, 1), date(2026, 3, 4)])),
        start_value=0,
        due=draw(st.sampled_from([date(2026, 3, 5), date(2026, 5, 1)])),
        goal_value=1_000,
        behind=Behind(for_seconds=60 * draw(minutes), keep_seconds=60 * draw(minutes)),
    )
    levels = draw(
        st.lists(st.integers(0, 1_100), min_size=STEPS, max_size=STEPS).map(
            lambda some: some[:1] + [some[at - at % 3] for at in range(1, STEPS)]
        )
    )
    blind = draw(st.sets(st.integers(0, STEPS - 1), max_size=8))
    chances = st.none() | st.sampled_from([None, 3_000, 4_500, 6_000, 9_000])
    known, outlooks = [], []
    for step, level in enumerate(levels):
        at = FIRST + 6 * HOUR * step
        today = local_day(at, TIMEZONE)
        effects = {today - timedelta(days=1): draw(st.integers(-50, 200))}
        late = at - LOOK if step in blind else None
        known.append(Knowledge(at, level, level, effects, today, complete_until=late))
        chance = draw(chances)
        said = Outlook(today - timedelta(days=1), chance)
        outlooks.append(said if draw(st.booleans()) else None)
    return Story(target, tuple(known), tuple(outlooks))


def replayed(story: Story, left: Watched = UNSEEN) -> list[Turn]:
    """Take a target through its story, by the instants that matter."""
    turns: list[Turn] = []
    for known, outlook in zip(story.known, story.outlooks, strict=True):
        until = known.at + 6 * HOUR
        left, some = watch(story.watching, left, known, outlook, until)
        turns += some
    return turns


def looked_at(story: Story) -> list[tuple[datetime, str, str]]:
    """Look every five minutes, and remember as the service's store does."""
    memory = Memory(None, None, None, is_lagging=False, lives={})
    found = []
    for known, outlook in zip(story.known, story.outlooks, strict=True):
        for look in range(6 * 12):
            now = known.at + look * LOOK
            today = local_day(now, TIMEZONE)
            seen = evaluate(
                story.target,
                NAMES,
                memory,
                reading_of(story.target, known, outlook, today=today, now=now),
                is_removed=False,
                today=today,
                now=now,
                interval=LOOK,
            )
            said = seen.assessment
            memory = Memory(
                said.status,
                said.reason,
                seen.status_since,
                is_lagging=said.is_lagging,
                lives={
                    **memory.lives,
                    **{each.kind: each.life for each in seen.alerts},
                },
                is_at_risk=said.is_at_risk,
            )
            found += [
                (now, each.kind.value, each.notice.value)
                for each in seen.alerts
                if each.notice is not None
            ]
    return found


@settings(max_examples=20)
@given(stories())
def test_a_replay_tells_what_constant_looking_tells(story: Story) -> None:
    """State by state and instant by instant, whatever the patience."""
    quick = [(each.at, each.kind.value, each.state.value) for each in replayed(story)]
    assert quick == looked_at(story)


@settings(max_examples=40)
@given(stories())
def test_what_was_known_may_be_told_in_more_pieces(story: Story) -> None:
    """Telling the same again half-way through changes nothing."""
    twice = [
        (replace(known, at=known.at + late), outlook)
        for known, outlook in zip(story.known, story.outlooks, strict=True)
        for late in (timedelta(), 3 * HOUR)
    ]
    turns: list[Turn] = []
    left = UNSEEN
    for known, outlook in twice:
        until = known.at + 3 * HOUR
        left, some = watch(story.watching, left, known, outlook, until)
        turns += some
    assert turns == replayed(story)


@given(stories())
def test_no_state_of_an_episode_is_told_twice(story: Story) -> None:
    """Kind, episode and state are the id of what is told."""
    ids = [(each.kind, each.episode, each.state) for each in replayed(story)]
    assert len(ids) == len(set(ids))
