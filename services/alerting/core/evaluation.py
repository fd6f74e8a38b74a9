"""One look at one target: its status, its alerts, and what has to be told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final

from services.alerting.core.alerts import (
    MET_TOLD,
    Kind,
    condition_of,
    fingerprint,
    policy_of,
)
from services.alerting.core.life_cycle import (
    Firing,
    Life,
    Pending,
    Quiet,
    State,
    Step,
    retire,
    step,
)
from services.alerting.core.life_cycle import waits as waiting_time
from services.alerting.core.path import day_number, days_left
from services.alerting.core.risk import RiskLimits, is_grave
from services.alerting.core.shipped_texts import SHIPPED
from services.alerting.core.standing import (
    LastLook,
    Standing,
    are_words_new,
    changed_at,
    standing_of,
    stays_written,
)
from services.alerting.core.status import (
    DEFAULT_LIMITS,
    Assessment,
    Reading,
    Reason,
    Status,
    assess,
)
from services.alerting.core.templates import Texts
from services.alerting.core.texts import Names, Summary, Tense, summarize
from shared.catalogue.model import Target

# After the due day, and until the eve of the start, only late events and corrections
# change a target, and those mark it for evaluation themselves.
SETTLED_INTERVAL: Final = timedelta(minutes=10)
# The shortest wait, so that a deadline in the past does not make the ticker spin.
NEXT_MIN: Final = timedelta(milliseconds=200)
_NEVER: Final = Quiet()
_KINDS: Final = tuple(Kind)
# Later than any look; Postgres and every time zone can say it.
_LAST_INSTANT: Final = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the look before left behind.

    Attributes:
        status: None before the first look.
        reason: Reason of that status.
        status_since: Since when it holds; None before the first look.
        is_lagging: Whether it lagged when last it could be judged.
        lives: Of the alerts that ever left their quiet state, as the last look left
            them.
        is_at_risk: Whether it was at risk when last it could be judged.
        last: What that look has shown; None: write all of it anew, because there was
            none, or because the target was taken over from the catalogue since.
    """

    status: Status | None
    reason: Reason | None
    status_since: datetime | None
    is_lagging: bool
    lives: Mapping[Kind, Life]
    is_at_risk: bool = False
    last: LastLook | None = None


@dataclass(frozen=True, slots=True)
class AlertLook:
    """One alert after a look.

    Attributes:
        kind: What it says.
        fingerprint: Its name for ever.
        life: Where it is.
        notice: The state to tell on `uptake.alerts`, if any.
        summary: Its text now.
    """

    kind: Kind
    fingerprint: str
    life: Life
    notice: State | None
    summary: Summary


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A target after a look.

    Attributes:
        target: The target.
        assessment: What was found, exactly.
        standing: What is shown of it.
        status_since: Since when it has its status.
        alerts: What is to be written down: alerts that began, moved or ended just now,
            and raised ones that have to be put into words anew. One that only goes on
            is not among them (`life_cycle.carry`).
        changed_at: When last a look found something new to show.
        is_news: Whether it was this one.
        next_at: When to look again.
        calm_until: Looks before this instant, on the same local day and none more than
            `CREDIT_MAX` after the one before it, find again what this one found, unless
            what is read is another or we ourselves fall behind. None: who knows.
    """

    target: Target
    assessment: Assessment
    standing: Standing
    status_since: datetime
    alerts: tuple[AlertLook, ...]
    changed_at: datetime
    is_news: bool
    next_at: datetime
    calm_until: datetime | None


def evaluate(
    target: Target,
    names: Names,
    memory: Memory,
    reading: Reading,
    *,
    is_removed: bool,
    today: date,
    now: datetime,
    interval: timedelta,
    limits: RiskLimits = DEFAULT_LIMITS,
    texts: Texts = SHIPPED,
) -> Evaluation:
    """Judge a target and take its alerts one look further.

    Args:
        target: The target.
        names: For its texts.
        memory: What the look before left.
        reading: What the copy of totals says.
        is_removed: The catalogue has it no more; its alerts end.
        today: The local day of `now`.
        now: By the database's clock.
        interval: Longest time to the next look while anything can change.
        limits: Between which a chance of missing is a risk.
        texts: What alerts say.
    """
    assessment = _assess(target, memory, reading, limits, today=today, now=now)
    since = _since(memory, assessment.status, now)
    grave = is_grave(assessment.outlook, limits)
    standing = standing_of(assessment)
    last = memory.last
    changed = changed_at(last, standing, today, now)
    say = partial(
        summarize, target=target, names=names, now=assessment, today=today, texts=texts
    )
    looks, rests = [], []
    for kind in _KINDS:
        life = memory.lives.get(kind, _NEVER)
        condition = condition_of(
            kind, target, assessment.status, since, is_grave=grave, today=today, now=now
        )
        policy = policy_of(kind, target)
        after = retire(life, now) if is_removed else step(life, condition, policy, now)
        if not stays_written(last, kind, life, after.life, changed=changed, now=now):
            tense = _tense(after.life, is_removed=is_removed)
            looks.append(_look(kind, target, after, say(kind, tense=tense)))
        rests.append(waiting_time(after.life, policy))
    settled = _is_settled(target, assessment, today)
    return Evaluation(
        target=target,
        assessment=assessment,
        standing=standing,
        status_since=since,
        alerts=tuple(looks),
        changed_at=changed,
        is_news=changed == now,
        next_at=now + _next_in(rests, interval, is_settled=settled),
        calm_until=_calm_until(memory, standing, changed, looks, rests, now=now),
    )


def _next_in(
    rests: Iterable[timedelta | None], interval: timedelta, *, is_settled: bool
) -> timedelta:
    """Return in what time something may change by the clock alone."""
    waits = [rest for rest in rests if rest is not None]
    # An alert that still waits is credited for its looks, so these go on.
    if is_settled and not waits:
        return max(interval, SETTLED_INTERVAL)
    return max(min([interval, *waits]), NEXT_MIN)


def _calm_until(
    memory: Memory,
    found: Standing,
    changed: datetime,
    alerts: Sequence[AlertLook],
    rests: Iterable[timedelta | None],
    *,
    now: datetime,
) -> datetime | None:
    """Return until when looks find again what the last two have found.

    A look has turned what it remembered into just that. From the same figures it will
    do so again, whatever its rules are: all that it has besides is the time.

    Args:
        memory: What this look remembered.
        found: What is shown.
        changed: When that was last something new.
        alerts: What is to be written down of alerts.
        rests: How long alerts wait at least for their next change.
        now: The instant of this look.
    """
    last, since = memory.last, memory.status_since
    if last is None or since is None or changed == now or alerts:
        return None
    if found.status is Status.UNKNOWN or now == last.at:
        # Time stands still for what waits, or did between these two looks.
        return None
    if not are_words_new(last, memory.lives):
        return None
    instants = [now + rest for rest in rests if rest is not None]
    if found.status is Status.MET and now < since + MET_TOLD:
        instants.append(since + MET_TOLD)
    return min(instants, default=_LAST_INSTANT)


def _since(memory: Memory, status: Status, now: datetime) -> datetime:
    """Return since when a target has its status."""
    if memory.status_since is None or memory.status is not status:
        return now
    return memory.status_since


def _assess(
    target: Target,
    memory: Memory,
    reading: Reading,
    limits: RiskLimits,
    *,
    today: date,
    now: datetime,
) -> Assessment:
    return assess(
        target,
        reading,
        was_lagging=memory.is_lagging,
        was_at_risk=memory.is_at_risk,
        limits=limits,
        today=today,
        now=now,
    )


def _is_settled(target: Target, assessment: Assessment, today: date) -> bool:
    """Tell whether the clock alone can change nothing more, or not today."""
    if day_number(target, today) < -1:
        return True
    return days_left(target, today) < 0 and assessment.status in {
        Status.MET,
        Status.MISSED,
    }


def _tense(life: Life, *, is_removed: bool) -> Tense:
    if is_removed:
        return Tense.REMOVED
    return Tense.HOLDS if isinstance(life, Pending | Firing) else Tense.OVER


def _look(kind: Kind, target: Target, after: Step, summary: Summary) -> AlertLook:
    return AlertLook(
        kind=kind,
        fingerprint=fingerprint(kind, target.id),
        life=after.life,
        notice=after.notice,
        summary=summary,
    )
