"""`make bench-forecast`: coverage of the intervals, and what thresholds cost."""

import argparse
import asyncio
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import scipy

from services.alerting.core.forecast import Course, forecast_all
from tests.bench.forecast.coverage import WEEKS_SEEN, Coverage, measure_coverage
from tests.bench.forecast.stored import TARGETS as STORED
from tests.bench.forecast.stored import measure_stored
from tests.bench.forecast.thresholds import (
    RULES,
    Operation,
    operate,
    run_targets,
    together,
)
from tests.bench.forecast.truths import (
    Sample,
    bass,
    linear,
    linear_under_ceiling,
    logistic,
    stop_and_go,
    with_wrong_ceiling,
    without_ceiling,
)
from tests.bench.report import Report, Table

OUT: Final = Path(".uptake/bench")
ASKED: Final = (0.70, 0.90)
TARGETS: Final = 10_000
SLICE: Final = 200
TRUTHS: Final[Sequence[Callable[[np.random.Generator, int], Sample]]] = (
    linear,
    logistic,
    bass,
    stop_and_go,
)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20_261_122)
    parser.add_argument("--courses", type=int, default=1_000, help="of each kind")
    return parser.parse_args()


def draw(seed: int, size: int) -> list[Sample]:
    """Draw every kind of course: first what is claimed, then what is not."""
    rng = np.random.default_rng(seed)
    claimed = [truth(rng, size) for truth in (*TRUTHS, linear_under_ceiling)]
    curves = [sample for sample in claimed if sample.name in {"logistic", "Bass"}]
    return [
        *claimed,
        *(without_ceiling(sample) for sample in curves),
        *(
            with_wrong_ceiling(sample, percent)
            for sample in curves
            for percent in (110, 120, 90)
        ),
    ]


def coverage_table(found: Sequence[Coverage]) -> Table:
    """Render how often the interval held, and how it failed."""
    return Table(
        (
            "truth",
            "weeks seen",
            "courses",
            "in P10 to P90",
            "before",
            "after",
            "P90 open",
            "width / time",
            "Brier",
            "claimed",
        ),
        tuple(
            (
                one.name,
                str(one.weeks),
                str(one.count),
                f"{one.held:.1%}",
                f"{one.early:.1%}",
                f"{one.late:.1%}",
                f"{one.open:.0%}",
                f"{one.width:.2f}",
                f"{one.brier:.3f}",
                "yes" if one.is_claimed else "no",
            )
            for one in found
        ),
    )


def threshold_table(name: str, found: Sequence[Operation]) -> Table:
    """Render the curve of delay against false alarms."""
    return Table(
        (
            name,
            "false alarms",
            "false days",
            "warned in time",
            "lead, days",
            "delay, days",
            "delay P90",
            "alerts each",
        ),
        tuple(
            (
                one.rule,
                f"{one.false_alarms:.1%}",
                f"{one.false_days:.1%}",
                f"{one.warned:.1%}",
                f"{one.lead_days:.0f}",
                f"{one.delay_days:.0f}",
                f"{one.delay_days_p90:.0f}",
                f"{one.episodes:.1f}",
            )
            for one in found
        ),
    )


def measure_speed(sample: Sample) -> tuple[float, float]:
    """Forecast ten thousand targets in slices.

    Returns:
        Seconds for all, and for the slowest slice.
    """
    rows = range(len(sample.effects))
    courses = [
        Course(
            effects=tuple(sample.effects[row, :182].tolist()),
            level=int(sample.levels[row, 181]),
            goal=int(sample.levels[row, 400]) + 1,
            rises=True,
            ceiling=None if sample.ceilings is None else int(sample.ceilings[row]),
            days_left=200,
        )
        for row in rows
    ]
    repeated = [courses[place % len(courses)] for place in range(TARGETS)]
    slices = []
    for start in range(0, TARGETS, SLICE):
        began = time.perf_counter()
        forecast_all(repeated[start : start + SLICE])
        slices.append(time.perf_counter() - began)
    return sum(slices), max(slices)


def measure_service(report: Report) -> None:
    """Let the service's own store make the forecasts of a day."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        stored = asyncio.run(measure_stored(Path(folder)))
    report.add(
        f"a day's forecasts of {STORED:,} targets, stored", "s", [stored.seconds]
    )
    report.add("its slowest slice", "ms", [stored.slice_seconds * 1_000])
    report.add("the event loop held up at most", "ms", [stored.pause_seconds * 1_000])
    report.add("a look with nothing due", "ms", [stored.idle_seconds * 1_000])
    report.add("one evaluation of all", "s", [stored.evaluation_seconds])


def study(seed: int, size: int) -> tuple[Report, list[Coverage]]:
    """Run everything."""
    report = Report(
        {
            "seed": str(seed),
            "courses of each kind": str(size),
            "cores": str(os.cpu_count()),
            "python": platform.python_version(),
            "numpy, scipy": f"{np.__version__}, {scipy.__version__}",
        },
        title="How far the forecast can be trusted",
    )
    samples = draw(seed, size)
    found = [
        measure_coverage(sample, weeks, seed)
        for sample in samples
        for weeks in WEEKS_SEEN
    ]
    report.tables.append(coverage_table(found))
    for name, sample in (("no ceiling", samples[0]), ("ceiling", samples[1])):
        total, slowest = measure_speed(sample)
        report.add(f"forecasts of {TARGETS:,} targets, {name}", "s", [total])
        report.add(f"slowest slice of {SLICE}, {name}", "ms", [slowest * 1_000])
    measure_service(report)
    rng = np.random.default_rng(seed)
    runs = [run_targets(truth(rng, size), rng) for truth in TRUTHS]
    names = [*(sample.name for sample in samples[: len(TRUTHS)]), "all four"]
    for name, run in zip(names, [*runs, together(runs)], strict=True):
        points = [operate(run, rule) for rule in (None, *RULES)]
        report.tables.append(threshold_table(name, points))
    return report, found


def main() -> None:
    """Study, write the report, show it."""
    options = arguments()
    began = time.monotonic()
    report, found = study(options.seed, options.courses)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "forecast.md").write_text(report.markdown(), encoding="utf-8")
    print(report.markdown())  # noqa: T201 -- the report
    low, high = ASKED
    outside = [
        f"{one.name}, {one.weeks} weeks: {one.held:.1%}"
        for one in found
        if one.is_claimed and not low <= one.held <= high
    ]
    print(f"outside {low:.0%} to {high:.0%} though claimed: {outside or 'none'}")  # noqa: T201 -- the report
    print(f"{time.monotonic() - began:.0f} s; {OUT}/forecast.md")  # noqa: T201 -- the report


if __name__ == "__main__":
    main()
