"""Looks that are left to Postgres find what a look in full would have found."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerting.core.alerts import MET_TOLD, Kind
from services.alerting.core.evaluation import Evaluation, Memory, evaluate
from services.alerting.core.life_cycle import CREDIT_MAX, Life, carry
from services.alerting.core.risk import Outlook, RiskLimits
from services.alerting.core.standing import LastLook
from services.alerting.core.status import BEHIND_MAX, DEFAULT_LIMITS, Reading
from services.alerting.store.rows import calm_until
from shared.catalogue.model import Behind, Target
from tests.unit.alerting.cases import NOON, RISING, on_day, reading
from tests.unit.alerting.test_standing import NAMES

TIMEZONE: Final = "Asia/Ho_Chi_Minh"
INTERVAL: Final = timedelta(seconds=10)
START_DAY: Final = 49
"""Seven in the evening in Viet Nam; midnight is five hours away."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look meets.

    Attributes:
        after: Time since the look before.
        level: The level then; another one was copied, so the target was marked.
        miss_bp: The chance of missing of the last forecast; 0: none was made.
        behind: How far we are behind.
    """

    after: timedelta
    level: int
    miss_bp: int
    behind: timedelta


@dataclass(slots=True)
class Rows:
    """One target's rows, as the store writes them.

    Attributes:
        leaves_out: Whether calm looks are left out, or all are done in full.
        limits: Between which a chance of missing is a risk.
        memory: What the target's row remembers.
        written: The alerts' rows: when each was put into words, and its life then.
        calm: Until when looks are left out.
        met: The look before.
        notices: What was told, and when.
        left_out: How many looks were left out.
    """

    leaves_out: bool
    limits: RiskLimits = DEFAULT_LIMITS
    memory: Memory = field(
        default_factory=lambda: Memory(None, None, None, is_lagging=False, lives={})
    )
    written: dict[Kind, tuple[datetime, Life]] = field(default_factory=dict)
    calm: datetime | None = None
    met: Look | None = None
    notices: list[Any] = field(default_factory=list)
    left_out: int = 0

    def take(self, target: Target, look: Look, now: datetime) -> Self:
        """Look once, in full or, where the row says so, not."""
        if self._is_calm(look, now):
            assert self.memory.last is not None
            self._remember(replace(self.memory.last, at=now))
            self.left_out += 1
        else:
            self._look(target, look, now)
        self.met = look
        return self

    def _is_calm(self, look: Look, now: datetime) -> bool:
        """Decide as the query `look_at_calm_targets` does."""
        last = self.memory.last
        if not self.leaves_out or self.calm is None or last is None or not self.met:
            return False
        is_unmoved = (look.level, look.miss_bp) == (self.met.level, self.met.miss_bp)
        return (
            is_unmoved
            and now < self.calm
            and now - last.at <= CREDIT_MAX
            and look.behind <= BEHIND_MAX
        )

    def _look(self, target: Target, look: Look, now: datetime) -> None:
        today = _today(now)
        result = evaluate(
            target,
            NAMES,
            self.memory,
            _reading(look, now),
            is_removed=False,
            today=today,
            now=now,
            interval=INTERVAL,
            limits=self.limits,
        )
        for each in result.alerts:
            self.written[each.kind] = (now, each.life)
            if each.notice is not None:
                self.notices.append((now, each.kind, each.notice, each.summary))
        self.calm = calm_until(result, now, TIMEZONE)
        seen = result.assessment
        self.memory = Memory(
            status=seen.status,
            reason=seen.reason,
            status_since=result.status_since,
            is_lagging=seen.is_lagging,
            lives={},
            is_at_risk=seen.is_at_risk,
        )
        self._remember(_last_look(result, now))

    def _remember(self, last: LastLook) -> None:
        self.memory = replace(
            self.memory,
            lives={kind: carry(life, last.at) for kind, (_, life) in self.rows()},
            last=replace(last, written={kind: at for kind, (at, _) in self.rows()}),
        )

    def rows(self) -> list[tuple[Kind, tuple[datetime, Life]]]:
        """List the alerts' rows."""
        return sorted(self.written.items())


def _last_look(result: Evaluation, now: datetime) -> LastLook:
    return LastLook(now, _today(now), result.standing, result.changed_at, {})


def _today(now: datetime) -> date:
    return (now + timedelta(hours=7)).date()


def _reading(look: Look, now: datetime) -> Reading:
    made = None
    if look.miss_bp:
        made = Outlook(on_day(START_DAY), look.miss_bp, made_at=NOON)
    full = reading(look.level, short_effect=1, long_effect=5)
    return replace(full, complete_until=now - look.behind, outlook=made)


pauses = st.one_of(
    st.sampled_from([CREDIT_MAX, MET_TOLD, timedelta(hours=5)]),
    st.integers(min_value=0, max_value=400_000_000).map(
        lambda us: timedelta(microseconds=us)
    ),
)
# Behind and on the path, at its edges, and at the goal; most often as it was.
levels = st.sampled_from([1_000, 1_449, 1_475, 1_500, 1_600, 2_000])
phases = st.lists(
    st.tuples(
        st.none() | levels,
        st.none() | st.sampled_from([0, 1_000, 4_000, 4_500, 5_000, 9_000]),
        st.sampled_from([timedelta(), timedelta(), BEHIND_MAX, BEHIND_MAX * 2]),
        st.one_of(
            st.integers(min_value=1, max_value=9).map(lambda count: [INTERVAL] * count),
            st.lists(pauses, min_size=1, max_size=12),
        ),
    ),
    min_size=1,
    max_size=6,
)
spans = st.sampled_from([0, 10, 25, 60, 300, 86_400])
targets = st.builds(
    lambda wait, keep: replace(
        RISING, behind=Behind(for_seconds=wait, keep_seconds=keep)
    ),
    spans,
    spans,
)


# With the second, a chance of 0.5 begins and ends a risk at each look.
limits_drawn = st.sampled_from([RiskLimits(), RiskLimits(5_000, 5_000, 8_000)])


@settings(max_examples=300)
@given(targets, limits_drawn, phases)
def test_target_that_is_let_alone_while_calm_is_as_if_looked_at_each_time(
    target: Target,
    limits: RiskLimits,
    course: list[tuple[int | None, int | None, timedelta, list[timedelta]]],
) -> None:
    """Status, figures, lives, words and what is told: all the same after each look."""
    full, calm = (Rows(leaves_out, limits) for leaves_out in (False, True))
    now, level, miss_bp = NOON, 1_000, 0
    for new_level, new_miss, behind, waits in course:
        level = level if new_level is None else new_level
        miss_bp = miss_bp if new_miss is None else new_miss
        for wait in waits:
            now += wait
            look = Look(wait, level, miss_bp, behind)
            full.take(target, look, now)
            calm.take(target, look, now)
            assert calm.memory == full.memory
            assert calm.written == full.written
            assert calm.notices == full.notices


def test_target_that_lags_all_day_is_looked_at_six_times() -> None:
    """First, when it fires, at midnight, and each time once more to see it stay."""
    target = replace(RISING, behind=Behind(for_seconds=3_600, keep_seconds=3_600))
    rows, now, looks = Rows(leaves_out=True), NOON, 6 * 60 * 16
    for _ in range(looks):
        now += INTERVAL
        rows.take(target, Look(INTERVAL, 1_000, 0, timedelta()), now)
    assert [notice for _, _, notice, _ in rows.notices] == ["pending", "firing"]
    assert looks - rows.left_out == 6


def test_alert_of_a_met_target_ends_when_it_would_have_ended() -> None:
    """Seven days after it was met, also where nothing but the time has moved."""
    full, calm = Rows(leaves_out=False), Rows(leaves_out=True)
    pauses = [INTERVAL, INTERVAL, MET_TOLD - 4 * INTERVAL, *[INTERVAL] * 8]
    for rows in (full, calm):
        now = NOON
        for pause in pauses:
            now += pause
            rows.take(RISING, Look(pause, 2_000, 0, timedelta()), now)
    assert calm.left_out > 0
    assert calm.notices == full.notices
    assert [notice for _, _, notice, _ in full.notices] == ["firing", "resolved"]
