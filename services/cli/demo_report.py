"""What the demo says at its end. Pure: readings in, lines of at most 80 columns out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from services.cli.demo_reading import Progress, TargetReading

Totals = Mapping[str, tuple[int, int]]

LAGGING: Final = "lagging"
FIRING: Final = "firing"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was published, and what was counted.

    Attributes:
        published: Count and VND by indicator, in the order to show.
        counted: Levels of the province.
        progress: What became of the log.
        target: Where the demo's target stands; None when never evaluated.
        target_value: What the target's indicator was published as.
    """

    published: Totals
    counted: Totals
    progress: Progress
    target: TargetReading | None
    target_value: int

    @property
    def differences(self) -> list[str]:
        """What is not as it should be, a line each; empty when all is well."""
        found = [
            f"{_name(indicator)}: published {figures}, counted "
            f"{self.counted.get(indicator, (0, 0))}"
            for indicator, figures in self.published.items()
            if self.counted.get(indicator, (0, 0)) != figures
        ]
        if not self.progress.adds_up:
            found.append("the classes do not add up to the records applied")
        if self.progress.rejected:
            found.append(f"{self.progress.rejected:,} records were rejected")
        if not self.is_alert_firing:
            found.append("the target's alert does not fire")
        return found

    @property
    def is_alert_firing(self) -> bool:
        """Whether the alert fires for the target as it stands with all counted."""
        return has_fired(self.target, self.target_value)


def has_fired(target: TargetReading | None, value: int) -> bool:
    """Say whether a target lags at a value and its alert fires."""
    return (
        target is not None
        and target.status == LAGGING
        and target.alert_state == FIRING
        and target.actual == value
    )


def report_totals(outcome: Outcome) -> list[str]:
    """Render the table of figures, and the equation of the log."""
    lines = [f"  {'indicator':<30}{'published':>16}{'counted':>16}"]
    for indicator, (count, amount) in outcome.published.items():
        counted, counted_amount = outcome.counted.get(indicator, (0, 0))
        lines.append(_row(_name(indicator), count, counted))
        if amount:
            lines.append(_row("  value, VND", amount, counted_amount))
    return [*lines, "", *_equation(outcome.progress)]


def _equation(progress: Progress) -> list[str]:
    in_flight = "unknown" if progress.in_flight is None else f"{progress.in_flight:,}"
    head = f"  applied {progress.applied:,} "
    first = f"= counted {progress.counted:,} + duplicates {progress.duplicates:,}"
    second = f"+ reversed {progress.reversed:,} + rejected {progress.rejected:,}"
    return [head + first, f"{'':<{len(head)}}{second}   in flight {in_flight}"]


def _row(name: str, published: int, counted: int) -> str:
    verdict = "equal" if published == counted else f"DIFFERS {counted - published:+,}"
    return f"  {name:<30}{published:>16,}{counted:>16,}   {verdict}"


def _name(indicator: str) -> str:
    return indicator.replace("_", " ")


def report_target(target_id: str, outcome: Outcome) -> list[str]:
    """Render where the target stands, and its alert."""
    target = outcome.target
    if target is None:
        return [f"  {target_id} (illustrative)   not evaluated yet"]
    head = f"  {target_id} (illustrative)   {target.status.upper()}"
    lines = [
        f"{head}   {target.actual:,} of {target.expected:,} due by now",
        f"    position {_ratio(target.position_bp)}, 7-day pace "
        f"{_ratio(target.pace_7_bp)}" + (f", {target.reason}" if target.reason else ""),
    ]
    if target.firing_seconds is None:
        return [*lines, f"    alert: {target.alert_state or 'none'}"]
    return [*lines, f"    alert: firing since {target.firing_seconds} s"]


def _ratio(basis_points: int | None) -> str:
    if basis_points is None:
        return "unknown"
    whole, part = divmod(basis_points // 100, 100)
    return f"{whole}.{part:02}"


@dataclass(frozen=True, slots=True)
class Doors:
    """Where to look and what to try.

    Attributes:
        ingest: Address of ingest.
        board: Address of the board.
        key: A key of the demo.
        event: An event that this key may send.
        command: How the user calls us, e.g. `.venv/bin/uptake`.
        data: The demo's folder.
    """

    ingest: str
    board: str
    key: str
    event: Mapping[str, object]
    command: str
    data: str


def report_doors(doors: Doors) -> list[str]:
    """Render addresses and commands that work as they stand."""
    return [
        "  send one yourself:",
        "",
        f"curl -sS {doors.ingest}/v1/events \\",
        f"  -H 'Authorization: Bearer {doors.key}' \\",
        "  -H 'Content-Type: application/cloudevents+json' \\",
        *_quoted(doors.event),
        "",
        "  and ask what is counted, or what became of it:",
        "",
        f"curl -sS '{doors.board}/v1/totals?locality=38' \\",
        f"  -H 'Authorization: Bearer {doors.key}'",
        f"{doors.command} event {doors.event['source']} {doors.event['id']}",
        "",
        f"  see:  {doors.command} totals",
        f"        {doors.command} targets",
        f"        {doors.command} alerts",
        f"  logs: {doors.data}/logs   keys of all agencies: {doors.data}/keys.json",
    ]


def _quoted(event: Mapping[str, object]) -> list[str]:
    """Render an event as the argument of curl's `-d`, on lines that fit."""
    compact = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    # Cut before these attributes; a shell joins quoted parts that touch.
    cuts = [0, *(compact.index(f'"{name}"') for name in ("type", "data")), len(compact)]
    parts = [f"'{compact[at:end]}'" for at, end in pairwise(cuts)]
    return [f"  -d {parts[0]}\\", *(f"{part}\\" for part in parts[1:-1]), parts[-1]]
