"""What the story's targets and agencies are, and what each of its days brings."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import yaml

from shared.events.totals_v1 import DailyTotalV1, LastReportV1, StatedLevelV1
from tests.support.hasty_truth import (
    CADENCE_SECONDS,
    PATIENCE_SECONDS,
    STEP_MINUTES,
    Look,
)
from tests.support.scripted_year import (
    DUE,
    START,
    START_VALUE,
    TIMEZONE,
    WAY,
    Province,
    date_of,
)
from tests.support.totals import SINCE, Total, write_targets

INDICATOR: Final = "cashless_accounts"
OPENED_BY: Final = "census"
"""Of whom no reports are expected; it stated what there was before the year."""
LAST_REPORT: Final = timedelta(minutes=STEP_MINUTES)
"""How long before midnight the last report of a day comes."""


def instant_of(look: Look) -> datetime:
    """Return the instant of a look."""
    midnight = datetime.combine(date_of(look.day), time(), ZoneInfo(TIMEZONE))
    return midnight + timedelta(minutes=look.minute)


def look_at(instant: datetime) -> Look:
    """Name an instant as a look."""
    local = instant.astimezone(ZoneInfo(TIMEZONE))
    return Look((local.date() - START).days, 60 * local.hour + local.minute)


def write_catalogue(folder: Path, year: Sequence[Province]) -> None:
    """Give a catalogue the story's targets and agencies, and no other targets."""
    write_targets(folder, *(_target(province) for province in year))
    for province in year:
        text = yaml.safe_dump(_agency(province), allow_unicode=True)
        path = folder / "agencies" / f"{province.agency}.yaml"
        path.write_text(text, encoding="utf-8")


def _target(province: Province) -> dict[str, Any]:
    patience = f"{PATIENCE_SECONDS // 60}m"
    return {
        "id": province.target,
        "indicator": INDICATOR,
        "locality": province.code,
        "start": {"date": START, "value": START_VALUE},
        "due": DUE,
        "goal": {"value": START_VALUE + WAY},
        "behind": {"enter": 0.9, "leave": 0.95, "for": patience, "keep": patience},
        "illustrative": True,
    }


def _agency(province: Province) -> dict[str, Any]:
    digest = hashlib.sha256(f"key of {province.agency}".encode()).hexdigest()
    return {
        "id": province.agency,
        "name": f"Office of {province.code} (illustrative)",
        "sources": [f"/year/{province.code}"],
        "indicators": [INDICATOR],
        "locality": province.code,
        "keys": [{"id": f"{province.agency}-1", "sha256": digest}],
        "cadence": f"{CADENCE_SECONDS // 3_600}h",
        "required": province.is_required,
    }


def openings(year: Sequence[Province]) -> Iterator[Total]:
    """State what each province began with."""
    for province in year:
        yield StatedLevelV1(
            indicator=INDICATOR,
            agency=OPENED_BY,
            locality=_leaf(province),
            valid_from=SINCE,
            day=START - timedelta(days=1),
            level=START_VALUE,
            partition=0,
            revision=1,
        )


def totals_by_day(year: Sequence[Province], days: int) -> list[list[Total]]:
    """List what is told of totals before each day's first look.

    Absolute, as aggregation tells it: what was logged in the course of the day before.
    """
    told: list[list[Total]] = [[] for _ in range(days)]
    for province in year:
        sums: dict[int, int] = defaultdict(int)
        for revision, report in enumerate(province.reports, start=2):
            sums[report.day] += report.count
            if report.logged_on + 1 < days:
                told[report.logged_on + 1].append(
                    DailyTotalV1(
                        indicator=INDICATOR,
                        agency=province.agency,
                        locality=_leaf(province),
                        valid_from=SINCE,
                        day=date_of(report.day),
                        count=sums[report.day],
                        amount=0,
                        partition=0,
                        revision=revision,
                    )
                )
        for day in range(1, days):
            if province.last_report(day) == day - 1:
                told[day].append(_last_report(province, day))
    return told


def _last_report(province: Province, day: int) -> LastReportV1:
    return LastReportV1(
        agency=province.agency,
        indicator=INDICATOR,
        at=instant_of(Look(day, 0)) - LAST_REPORT,
        partition=0,
        revision=day + 1,
    )


def _leaf(province: Province) -> str:
    return f"{province.code}-unallocated"
