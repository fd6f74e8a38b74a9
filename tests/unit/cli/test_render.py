"""Tables fit, figures are exact."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from services.cli.render import (
    WIDTH,
    Column,
    exact,
    figure,
    instant,
    plain,
    ratio,
    render_table,
    to_csv,
    to_json,
)

COLUMNS = (
    Column("target", is_code=True),
    Column("what"),
    Column("actual", is_figure=True),
    Column("due by now", is_figure=True),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the kinds that commands print."""

    name: str
    count: Decimal | int
    day: date
    at: datetime | None
    is_sure: bool


LINE = Line(
    "Mã, xã", 10**24, date(2026, 11, 3), datetime(2026, 11, 3, tzinfo=UTC), is_sure=True
)


def widest(table: str) -> int:
    """Return the columns that a table needs on a terminal."""
    return max(cell_len(line) for line in table.splitlines())


@given(
    st.lists(
        st.tuples(
            st.text("ăâ-z 0-9", max_size=200),
            st.text(max_size=300),
            st.integers(0, 10**15),
            st.integers(0, 10**15),
        ),
        max_size=5,
    )
)
def test_table_fits_80_columns_and_shows_every_figure(
    rows: list[tuple[str, str, int, int]],
) -> None:
    """Whatever texts hold, they are wrapped and figures are whole."""
    table = render_table(
        COLUMNS,
        [(name, text, figure(one), figure(two)) for name, text, one, two in rows],
    )
    assert widest(table) <= WIDTH
    for *_, one, two in rows:
        assert f"{one:,}" in table
        assert f"{two:,}" in table


def test_table_grows_rather_than_cut_a_figure() -> None:
    """Sums beyond any screen are still whole."""
    huge = figure(10**40)
    table = render_table(COLUMNS, [("a", "b", huge, huge)])
    assert table.count(huge) == 2


def test_codes_stay_whole_while_texts_can_be_narrowed() -> None:
    """A long name is wrapped before a target's id is."""
    target = "tha-health-insurance-2026"
    table = render_table(COLUMNS, [(target, "Thanh Hóa " * 10, "1", "2")])
    assert target in table
    assert widest(table) <= WIDTH


def test_text_cannot_steer_the_terminal() -> None:
    """Control characters and marks of direction are blanks; brackets are themselves."""
    table = render_table(COLUMNS, [("\x1b[31m", "[red]x\u202e", "1", "2")])
    assert "\x1b" not in table
    assert "\u202e" not in table
    assert "[red]x" in table
    assert plain("a\nb\tc") == "a b c"


@pytest.mark.parametrize(
    ("basis_points", "shown"),
    [
        (None, "-"),
        (0, "0.00"),
        (8_999, "0.89"),
        (9_000, "0.90"),
        (12_345, "1.23"),
        (-50, "-0.01"),
        (-150, "-0.02"),
    ],
)
def test_ratio_is_rounded_down(basis_points: int | None, shown: str) -> None:
    """0.8999 is below 0.90 and looks like it."""
    assert ratio(basis_points) == shown


def test_figures_of_postgres_become_integers() -> None:
    """Numeric without a fraction is an integer, however large; with one it stays."""
    assert exact(Decimal("1E+3")) == 1000
    assert type(exact(Decimal("5.0"))) is int
    assert exact(Decimal("0.5")) == Decimal("0.5")
    assert figure(Decimal("1234567.5")) == "1,234,568"
    assert figure(None) == "-"


def test_json_and_csv_are_exact() -> None:
    """No exponent, no float, ISO dates; CSV quotes what needs it."""
    shown = json.loads(to_json({"rows": (LINE,)}), parse_int=str)
    assert shown["rows"][0] == {
        "name": "Mã, xã",
        "count": str(10**24),
        "day": "2026-11-03",
        "at": "2026-11-03T00:00:00Z",
        "is_sure": True,
    }
    assert to_csv([LINE], Line).splitlines() == [
        "name,count,day,at,is_sure",
        f'"Mã, xã",{10**24},2026-11-03,2026-11-03T00:00:00+00:00,true',
    ]


def test_instant_is_local_time() -> None:
    """People in Vietnam read their clock."""
    assert instant(datetime(2026, 11, 21, 12, 40, tzinfo=UTC)) == "2026-11-21 19:40"
    assert instant(None) == "-"
