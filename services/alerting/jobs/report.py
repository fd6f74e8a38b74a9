"""Shows what a backtest found: a table for people, JSON for programs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from statistics import median
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from services.alerting.core.alerts import Kind
from services.alerting.core.backtest import Episode
from services.alerting.core.status import Status, basis_points
from services.alerting.jobs.backtest import Order, Outcome

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_WIDTHS: Final = (8, 9, 16, 13, 9)
_WARNINGS: Final = frozenset({Kind.LAGGING, Kind.AT_RISK})


@dataclass(frozen=True, slots=True)
class Score:
    """How one kind of alert did.

    Attributes:
        kind: Which.
        raised: How often it was raised.
        targets: About how many targets.
        met: How many of those were met at the end: false alarms, if it warns.
        days: Median of the days that it stayed on, those still on included; None
            where none was raised.
        passed: How often it waited and was not raised.
    """

    kind: str
    raised: int
    targets: int
    met: int
    days: float | None
    passed: int


def scores(outcome: Outcome) -> tuple[Score, ...]:
    """Sum up by kind."""
    return tuple(_score(kind, outcome) for kind in Kind)


def _score(kind: Kind, outcome: Outcome) -> Score:
    some = [each for each in outcome.episodes if each.kind is kind]
    lengths = [
        ((each.ended_at or outcome.last_at) - each.firing_at) / _DAY
        for each in some
        if each.firing_at is not None
    ]
    targets = {each.target for each in some if each.firing_at is not None}
    return Score(
        kind=kind.value,
        raised=len(lengths),
        targets=len(targets),
        met=sum(outcome.ends.get(target) is Status.MET for target in targets),
        days=round(median(lengths), 1) if lengths else None,
        passed=sum(
            each.firing_at is None and each.ended_at is not None for each in some
        ),
    )


def to_json(order: Order, outcome: Outcome) -> str:
    """Write all that was found, with instants as ISO 8601."""
    return _json(
        {
            "from": outcome.first_at,
            "until": outcome.last_at,
            "every_hours": order.every // _HOUR,
            "scores": scores(outcome),
            "targets": [
                {"target": target, "status": status.value}
                for target, status in sorted(outcome.ends.items())
            ],
            "alerts": [
                {
                    "target": each.target,
                    "kind": each.kind.value,
                    "episode": each.number,
                    "pending_since": each.pending_at,
                    "firing_since": each.firing_at,
                    "ended_at": each.ended_at,
                    "position_bp": basis_points(each.position),
                    "summary": each.text,
                }
                for each in outcome.episodes
            ],
        }
    )


def _json(value: Mapping[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def to_text(order: Order, outcome: Outcome, timezone: str, *, whole: bool) -> str:
    """Write for people, in 80 columns unless a target's id is longer.

    Args:
        order: What was asked.
        outcome: What came of it.
        timezone: For days and times.
        whole: Also alerts that were never raised, and targets without any.
    """
    zone = ZoneInfo(timezone)
    first, last = _instant(outcome.first_at, zone), _instant(outcome.last_at, zone)
    targets = _counted(len(order.targets), "target")
    lines = [
        f"{targets} from {first} to {last}, looked at every {order.every // _HOUR} h",
        "",
        *_alert_lines(outcome, zone, whole=whole),
        *_score_lines(outcome),
    ]
    quiet = len(order.targets) - len(
        {each.target for each in outcome.episodes if each.firing_at is not None}
    )
    lines.append(f"nothing raised about {_counted(quiet, 'target')}")
    return "\n".join(lines) + "\n"


def _alert_lines(outcome: Outcome, zone: ZoneInfo, *, whole: bool) -> Iterator[str]:
    by_target: dict[str, list[Episode]] = {target: [] for target in outcome.ends}
    for each in outcome.episodes:
        if whole or each.firing_at is not None:
            by_target[each.target].append(each)
    for target, some in sorted(by_target.items()):
        if not some and not whole:
            continue
        yield f"{target}   at the end: {outcome.ends[target].value}"
        for each in some:
            yield _episode_line(each, outcome.last_at, zone)
    yield ""


def _episode_line(each: Episode, last_at: datetime, zone: ZoneInfo) -> str:
    raised = each.firing_at
    since = raised or each.began_at
    until = "still on" if each.ended_at is None else _instant(each.ended_at, zone)
    days = ((each.ended_at or last_at) - since) / _DAY
    what = each.kind.value if raised else f"({each.kind.value})"
    return (
        f"  {what:<17} {_instant(since, zone)}  to {until:<16} {days:>7.1f} d"
        f"   at {_ratio(each.position)}"
    )


def _score_lines(outcome: Outcome) -> Iterator[str]:
    yield _row("alert", "raised", "targets", "met at the end", "median days", "pending")
    for each in scores(outcome):
        yield _row(
            each.kind,
            f"{each.raised:,}",
            f"{each.targets:,}",
            f"{each.met:,}" if Kind(each.kind) in _WARNINGS else "-",
            "-" if each.days is None else f"{each.days:.1f}",
            f"{each.passed:,}",
        )


def _row(kind: str, *figures: str) -> str:
    cells = zip(figures, _WIDTHS, strict=True)
    return f"{kind:<17}" + "".join(f"{cell:>{width}}" for cell, width in cells)


def _instant(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _ratio(position: Fraction | None) -> str:
    """Write two decimals, rounded down: below a limit must not look like at it."""
    shown = basis_points(position)
    if shown is None:
        return "-"
    sign, hundredths = "-" if shown < 0 else "", abs(shown // 100)
    return f"{sign}{hundredths // 100}.{hundredths % 100:02d}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
