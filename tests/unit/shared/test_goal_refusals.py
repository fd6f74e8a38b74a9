"""The line with which each faulty goal or path of a target is refused."""

from pathlib import Path

import pytest

from tests.unit.shared.catalogue_files import GOAL, PLACE, spoil_targets

GOAL_REFUSALS = [
    (GOAL, "{}", ".goal: neither value nor percent; give one of them"),
    (
        GOAL,
        "{value: 1200000, percent: 80, of: adults}",
        ".goal: both value and percent; give one of them",
    ),
    (
        GOAL,
        "{percent: 80}",
        ".goal: percent without of; name a group of populations.csv in of",
    ),
    (
        GOAL,
        "{value: 1200000, as_of: 2025-12-31}",
        ".goal: as_of without of; name the group in of, or remove as_of",
    ),
    (
        GOAL,
        "{percent: 80.005, of: adults}",
        (
            ".goal.percent: 80.005 is not from 0 to 1000 with up to two decimals; "
            "write a percentage like 80 or 85.96"
        ),
    ),
    (
        GOAL,
        "{percent: 1001, of: adults}",
        (
            ".goal.percent: 1001 is not from 0 to 1000 with up to two decimals; "
            "write a percentage like 80 or 85.96"
        ),
    ),
    (
        GOAL,
        "{percent: true, of: adults}",
        ".goal.percent: True is not a percentage; write one like 80 or 85.96",
    ),
    (
        GOAL,
        "{percent: 80, of: children}",
        (
            ".goal.of: populations.csv has no children of '38' up to 2026-01-01; "
            "add it there"
        ),
    ),
    (
        GOAL,
        "{percent: 80, of: adults, as_of: 2026-02-01}",
        (
            ".goal.of: populations.csv has no adults of '38' as of 2026-02-01; name "
            "one of its days in goal.as_of: 2025-07-01, 2025-12-31, 2026-03-01"
        ),
    ),
    (
        GOAL,
        "{percent: 80, of: guessed}",
        (
            ".goal.of: guessed of '38' is illustrative, the target is not; "
            "give a published figure, or write illustrative: true"
        ),
    ),
    (
        'locality: "38"',
        'locality: "15961"',
        (
            ".goal.of: adults of '15961' is 0: a share of nobody is no goal; "
            "correct populations.csv, or give goal.value alone"
        ),
    ),
    (
        GOAL,
        "{percent: 42.7, of: adults, as_of: 2025-07-01}",
        ".goal.percent: the goal equals start.value; give another value",
    ),
]
PATH_REFUSALS = [
    (
        "stepwise",
        (
            ".trajectory: trajectory 'stepwise' is unknown; "
            "write linear, logistic or {milestones: [...]}"
        ),
    ),
    (
        "{}",
        (
            ".trajectory: trajectory '' is unknown; "
            "write linear, logistic or {milestones: [...]}"
        ),
    ),
    (
        "{milestones: }",
        (
            ".trajectory: trajectory milestones is empty; "
            "write linear, logistic or {milestones: [...]}"
        ),
    ),
    (
        "{milestones: []}",
        (
            ".trajectory.milestones: list should have at least 1 item after "
            "validation, not 0 (not a list of 0); correct it"
        ),
    ),
    (
        "{milestones: [{date: 2026-06-30}]}",
        (".trajectory.milestones.0: neither value nor percent; give one of them"),
    ),
    (
        "{milestones: [{date: 2026-12-31, value: 900000}]}",
        (
            ".trajectory.milestones.0.date: 2026-12-31 is not between 2026-01-01 and "
            "2026-12-31; put milestones in order, after the start and before the due "
            "day"
        ),
    ),
    (
        (
            "{milestones: [{date: 2026-06-30, value: 900000}, "
            "{date: 2026-06-30, value: 950000}]}"
        ),
        (
            ".trajectory.milestones.1.date: 2026-06-30 is not between 2026-06-30 and "
            "2026-12-31; put milestones in order, after the start and before the due "
            "day"
        ),
    ),
    (
        "{milestones: [{date: 2026-06-30, value: 853999}]}",
        (
            ".trajectory.milestones.0: 853999 is not between 854000 and the goal, "
            "1200000; let every milestone be at least as near to the goal"
        ),
    ),
    (
        "{milestones: [{date: 2026-06-30, percent: 50}]}",
        (
            ".trajectory.milestones: a percentage, but the goal names no population; "
            "name the group in goal.of, or give values"
        ),
    ),
    (
        "{logistic: {}}",
        (
            ".goal.of: a logistic path without the population that it nears; "
            "name its group in goal.of"
        ),
    ),
    (
        "{logistic: {midpoint: 2026-06-30}}",
        (
            ".trajectory.logistic.midpoint: extra inputs are not permitted; "
            "correct its name or remove it"
        ),
    ),
]
LOGISTIC_REFUSALS = [
    (
        "value: 854000}",
        "value: 0}",
        (
            ".start.value: a logistic path cannot begin at 0 of 2000003; "
            "start above 0 and below the population, or write milestones"
        ),
    ),
    (
        "{percent: 80, of: adults}",
        "{percent: 100, of: adults}",
        (
            ".goal: a logistic path never comes to 2000003 of 2000003; "
            "write at most 99 percent and more than 0, or another trajectory"
        ),
    ),
    (
        "{percent: 80, of: adults}",
        "{percent: 0, of: adults}",
        (
            ".goal: a logistic path never comes to 0 of 2000003; "
            "write at most 99 percent and more than 0, or another trajectory"
        ),
    ),
]


@pytest.mark.parametrize(("old", "new", "line"), GOAL_REFUSALS)
def test_faulty_goal_is_refused(directory: Path, old: str, new: str, line: str) -> None:
    """Also one that is nobody's share: zero population, no figure, a guess."""
    edits = [(old, new)]
    if old != GOAL:
        edits.append((GOAL, "{percent: 80, of: adults}"))
    assert spoil_targets(directory, *edits) == (f"{PLACE}{line}",)


@pytest.mark.parametrize(("path", "line"), PATH_REFUSALS)
def test_faulty_path_is_refused(directory: Path, path: str, line: str) -> None:
    """Backwards in time, away from the goal, or of no known shape."""
    problems = spoil_targets(directory, ("trajectory: linear", f"trajectory: {path}"))
    assert problems == (f"{PLACE}{line}",)


@pytest.mark.parametrize(("old", "new", "line"), LOGISTIC_REFUSALS)
def test_path_that_no_s_curve_takes_is_refused(
    directory: Path, old: str, new: str, line: str
) -> None:
    """From nothing, or to the whole population and to nobody of it."""
    problems = spoil_targets(
        directory,
        (GOAL, "{percent: 80, of: adults}"),
        ("trajectory: linear", "trajectory: logistic"),
        (old, new),
    )
    assert problems == (f"{PLACE}{line}",)
