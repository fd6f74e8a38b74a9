"""The line with which each faulty target of a catalogue is refused."""

from pathlib import Path

import pytest

from tests.unit.shared.catalogue_files import (
    GOAL,
    PLACE,
    Edit,
    problems_of,
    spoil_targets,
)

TARGET_REFUSALS = [
    (
        ("tha-falling", "tha-cashless-2026"),
        (
            f"{PLACE}.id: 'tha-cashless-2026' is already in targets/thanh-hoa.yaml; "
            "rename or remove one"
        ),
    ),
    (
        ('"38"', '"39"'),
        f"{PLACE}.locality: locality '39' is unknown; did you mean 38?",
    ),
    (
        ("start: {date: 2026-01-01", "start: {date: 2025-01-01"),
        (
            f"{PLACE}.locality: locality '38' does not exist on 2025-01-01; "
            "start the target when it does"
        ),
    ),
    (
        ('"38"', '"16000"'),
        (
            f"{PLACE}.locality: locality '16000' ends on 2026-07-01: a target whose "
            "unit changes borders between start and due is refused; end it before "
            "that day and write a successor"
        ),
    ),
    (
        ("due: 2026-12-31", "due: 2026-01-01"),
        f"{PLACE}.due: 2026-01-01 is not after start.date; give a later date",
    ),
    (
        ("due: 2026-12-31", 'due: "2026-12-31"'),
        (
            f"{PLACE}.due: input should be a valid date (not '2026-12-31'); "
            "give a date like 2026-01-31, without quotes"
        ),
    ),
    (
        ("{value: 1200000}", "{value: 854000}"),
        f"{PLACE}.goal.value: the goal equals start.value; give another value",
    ),
    (
        ("{value: 1200000}", "{value: 1.2e+6}"),
        (
            f"{PLACE}.goal.value: input should be a valid integer (not 1200000.0); "
            "give a whole number without quotes"
        ),
    ),
    (
        ("enter: 0.8,", "enter: 0.9,"),
        f"{PLACE}.behind: leave is below enter; make leave at least as high as enter",
    ),
    (
        ("enter: 0.8,", "enter: 80,"),
        (
            f"{PLACE}.behind.enter: 80 is not above 0 and at most 1 with up to "
            "four decimals; write a ratio like 0.90"
        ),
    ),
    (
        ("enter: 0.8,", "enter: 0.80001,"),
        (
            f"{PLACE}.behind.enter: 0.80001 is not above 0 and at most 1 with up to "
            "four decimals; write a ratio like 0.90"
        ),
    ),
    (
        ("enter: 0.8,", "enter: .nan,"),
        (
            f"{PLACE}.behind.enter: nan is not above 0 and at most 1 with up to "
            "four decimals; write a ratio like 0.90"
        ),
    ),
    (
        ("enter: 0.8,", "enter: most,"),
        f"{PLACE}.behind.enter: 'most' is not a ratio; write one like 0.90",
    ),
    (
        ("for: 90 m", "for: 90"),
        f"{PLACE}.behind.for: 90 is not a duration; write one like 90s, 30m, 24h or 7d",
    ),
    (
        ("  issued_by: Decision 1\n", ""),
        (
            f"{PLACE}.issued_by: a target without a source; "
            "name who issued it, or write illustrative: true"
        ),
    ),
]

SPAN_REFUSALS = [
    ("  due: 2026-12-31\n", "", ": no due; add due, or the calendar period of a flow"),
    (
        "  start: {date: 2026-01-01, value: 854000}\n",
        "",
        ": no start; add start, or the calendar period of a flow",
    ),
    (
        "  due: 2026-12-31\n",
        "  period: 2026\n",
        ": period beside start or due; keep the period, or the two dates",
    ),
    (
        "  start: {date: 2026-01-01, value: 854000}\n  due: 2026-12-31\n",
        "  period: 2026\n",
        (
            ".period: indicator 'cashless_accounts' is a stock: its level has no "
            "period; give start and due instead"
        ),
    ),
    (
        "  start: {date: 2026-01-01, value: 854000}\n  due: 2026-12-31\n",
        "  period: 2026-13\n",
        (
            ".period: '2026-13' is not a calendar period; "
            "write one like 2026, 2026-Q4 or 2026-11"
        ),
    ),
]
SUCCESSION_REFUSALS = [
    (
        "2026-12-31",
        "nobody",
        "target 'nobody' is unknown; correct its name or keep its entry",
    ),
    (
        "2026-12-30",
        "tha-cashless-2026",
        (
            "'tha-cashless-2026' is due on 2026-12-31, after this one starts; "
            "start when it has ended"
        ),
    ),
    (
        "2026-12-31",
        "tha-falling",
        (
            "'tha-falling' is about locality '15961', which has not ended; "
            "name a target of the same locality"
        ),
    ),
]


@pytest.mark.parametrize(("edit", "line"), TARGET_REFUSALS)
def test_faulty_target_is_refused(
    problems_after: Edit, edit: tuple[str, str], line: str
) -> None:
    """A target that cannot be judged is not taken."""
    assert problems_after("targets/thanh-hoa.yaml", *edit) == (line,)


@pytest.mark.parametrize(("old", "new", "line"), SPAN_REFUSALS)
def test_target_without_one_clear_span_is_refused(
    directory: Path, old: str, new: str, line: str
) -> None:
    """Two dates, or the calendar period of a flow."""
    assert spoil_targets(directory, (old, new)) == (f"{PLACE}{line}",)


@pytest.mark.parametrize(("start", "name", "line"), SUCCESSION_REFUSALS)
def test_successor_of_what_it_cannot_follow_is_refused(
    directory: Path, start: str, name: str, line: str
) -> None:
    """Unknown, not over yet, or about another place."""
    write_successor(directory, start=start, succeeds=name)
    place = "targets/next.yaml: tha-cashless-2027.succeeds"
    assert problems_of(directory) == (f"{place}: {line}",)


def test_target_has_one_successor(directory: Path) -> None:
    """Else nobody knew which one goes on."""
    write_successor(directory)
    path = directory / "targets/next.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + text.replace("-2027", "-again"), encoding="utf-8")
    assert problems_of(directory) == (
        (
            "targets/next.yaml: tha-cashless-again.succeeds: 'tha-cashless-2027' "
            "already succeeds 'tha-cashless-2026'; keep one successor"
        ),
    )


def test_successor_of_a_target_that_cannot_be_read_is_not_blamed(
    directory: Path,
) -> None:
    """One slip must not look like two."""
    write_successor(directory)
    (line,) = spoil_targets(directory, (GOAL, "{}"))
    assert line.startswith(f"{PLACE}.goal: ")


def test_successor_of_another_indicator_is_refused(directory: Path) -> None:
    """Its progress is not this one's."""
    write_successor(directory, indicator="ecommerce_transactions")
    assert problems_of(directory) == (
        (
            "targets/next.yaml: tha-cashless-2027.succeeds: 'tha-cashless-2026' is "
            "about cashless_accounts; name a target of the same indicator"
        ),
    )


def write_successor(
    directory: Path,
    *,
    start: str = "2026-12-31",
    succeeds: str = "tha-cashless-2026",
    indicator: str = "cashless_accounts",
) -> None:
    """Write a target that takes over from another one, in a file of its own."""
    (directory / "targets/next.yaml").write_text(
        f"""\
- id: tha-cashless-2027
  indicator: {indicator}
  locality: "38"
  start: {{date: {start}, value: 1200000}}
  due: 2027-12-31
  goal: {{value: 1500000}}
  succeeds: {succeeds}
  issued_by: Decision 2
""",
        encoding="utf-8",
    )
