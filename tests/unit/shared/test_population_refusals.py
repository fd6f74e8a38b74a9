"""The line with which each faulty population of a catalogue is refused."""

from pathlib import Path

import pytest

from tests.unit.shared.catalogue_files import FILES, GOAL, Edit, spoil_targets

POPULATION_REFUSALS = [
    (
        "count,source",
        "source,count",
        (
            "line 1: the columns are not the expected ones; "
            "write group,locality,valid_from,as_of,count,source,illustrative"
        ),
    ),
    ("2000001,", "2,000,001,", "line 2: 9 cells instead of 7; add or remove commas"),
    ("2000001", "-1", "line 2: count '-1' is no whole number; write digits only"),
    ("2000001", "2e6", "line 2: count '2e6' is no whole number; write digits only"),
    (
        "adults,38,2025-07-01",
        "Adults,38,2025-07-01",
        (
            "line 2: group 'Adults' is no name; write one like population_15_plus: "
            "small letters, digits and _"
        ),
    ),
    (
        "adults,38,2025-07-01",
        "adults,38,2025-07-02",
        (
            "line 2: locality '38' of 2025-07-02 is unknown; "
            "use code and valid_from of localities.csv"
        ),
    ),
    (
        "2025-07-01,2000001",
        "20250701,2000001",
        "line 2: as_of '20250701' is no date; write one like 2025-07-01",
    ),
    (
        '"office, page 1"',
        " ",
        "line 2: source is empty; name who published the figure, and where",
    ),
    ("false", "no", "line 2: illustrative 'no' is no flag; write true or false"),
    (
        "2026-03-01,2100000",
        "2025-07-01,2100000",
        "line 3: adults of 38 as of 2025-07-01 is already in line 2; keep one",
    ),
]


@pytest.mark.parametrize(("old", "new", "line"), POPULATION_REFUSALS)
def test_faulty_population_is_refused_with_its_line(
    problems_after: Edit, old: str, new: str, line: str
) -> None:
    """A figure says of whom, where, when, how many and who says so."""
    assert problems_after("populations.csv", old, new) == (f"populations.csv: {line}",)


def test_broken_populations_do_not_make_goals_look_wrong(directory: Path) -> None:
    """One slip must not look like a hundred."""
    text = FILES["populations.csv"].replace("2000001", "many", 1)
    (directory / "populations.csv").write_text(text, encoding="utf-8")
    assert spoil_targets(directory, (GOAL, "{percent: 80, of: adults}")) == (
        "populations.csv: line 2: count 'many' is no whole number; write digits only",
    )
