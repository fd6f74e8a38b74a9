"""The catalogue that ships, its figures and the script that makes its tree."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from shared.catalogue import vietnam_source
from shared.catalogue.figures import load_figures
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Catalogue, Effect, LocalityKey, LocalityKind
from shared.errors import CatalogueError

VIETNAM = Path(__file__).parents[3] / "deploy" / "catalogue" / "vietnam"
REFORM = date(2025, 7, 1)
TODAY = date(2026, 3, 1)


@pytest.fixture(scope="module")
def vietnam() -> Catalogue:
    """Load the catalogue that ships."""
    return load_catalogue(VIETNAM)


def test_tree_has_all_units_of_2025(vietnam: Catalogue) -> None:
    """34 provinces and 3,321 communes of three kinds, told by their names."""
    kinds = Counter(locality.kind for locality in vietnam.tree)
    assert kinds == {
        LocalityKind.NATION: 1,
        LocalityKind.PROVINCE: 34,
        LocalityKind.COMMUNE: 3_321,
        LocalityKind.UNALLOCATED: 35,
    }
    names = [row.name for row in vietnam.tree if row.kind is LocalityKind.COMMUNE]
    titles = ("Xã ", "Phường ", "Đặc khu ")
    assert [sum(name.startswith(title) for name in names) for title in titles] == [
        2_621,
        687,
        13,
    ]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("15961", "Xã Hoằng Lộc"),
        ("16000", "Xã Hoằng Thanh"),
        ("15469", "Xã Yên Định"),
    ],
)
def test_known_communes_lie_in_thanh_hoa(
    vietnam: Catalogue, code: str, name: str
) -> None:
    """They took in the communes that the published figures speak of."""
    leaf = vietnam.tree.leaf_for(code, TODAY)
    assert leaf == LocalityKey(code, REFORM)
    assert leaf is not None
    locality = vietnam.tree.get(leaf)
    assert locality is not None
    assert locality.name == name
    assert vietnam.tree.is_within(leaf, "38", TODAY)
    assert vietnam.tree.leaf_for(code, date(2025, 6, 30)) is None


def test_thanh_hoa_has_166_communes(vietnam: Catalogue) -> None:
    """And one unallocated leaf."""
    assert len(vietnam.tree.children(LocalityKey("38", REFORM))) == 166 + 1


def test_event_types_are_those_of_the_contract(vietnam: Catalogue) -> None:
    """Only a refund leaves the count alone."""
    effects = {
        type_.type: (type_.effect, type_.indicator, type_.sign)
        for type_ in vietnam.event_types.values()
    }
    count = Effect.COUNT
    assert effects == {
        "uptake.eid.activated": (count, "eid_accounts", 1),
        "uptake.eid.deactivated": (count, "eid_accounts", -1),
        "uptake.cashless.opened": (count, "cashless_accounts", 1),
        "uptake.cashless.closed": (count, "cashless_accounts", -1),
        "uptake.ecommerce.completed": (count, "ecommerce_transactions", 1),
        "uptake.ecommerce.refunded": (count, "ecommerce_transactions", -1),
        "uptake.indicator.counted": (count, None, 1),
        "uptake.indicator.stated": (Effect.STATE, None, 0),
        "uptake.event.reversed": (Effect.REVERSE, None, 0),
        "uptake.control.stated": (Effect.CONTROL, None, 0),
    }
    assert [
        type_.type for type_ in vietnam.event_types.values() if type_.amount_only
    ] == ["uptake.ecommerce.refunded"]


def test_shipped_agencies_have_no_key_and_shipped_targets_are_illustrative(
    vietnam: Catalogue,
) -> None:
    """Nobody can send with what is in a public repository."""
    assert vietnam.agencies
    assert all(not agency.keys for agency in vietnam.agencies.values())
    assert vietnam.targets
    assert all(target.illustrative for target in vietnam.targets.values())


def test_figures_fit_the_catalogue(vietnam: Catalogue) -> None:
    """Indicator, unit, place and source are those of the catalogue."""
    figures = load_figures(VIETNAM / "figures.csv")
    for figure in figures:
        indicator = vietnam.indicator(figure.indicator)
        assert indicator is not None
        assert figure.unit == indicator.unit
        assert figure.source_file == indicator.source
        assert figure.locality in vietnam.tree
        assert figure.amount is None or indicator.has_amount
    with_figure = [figure.indicator for figure in figures]
    assert len(set(with_figure)) == len(with_figure)
    assert set(vietnam.indicators) - set(with_figure) == {"eid_accounts"}


def test_figures_of_thanh_hoa_are_the_published_ones() -> None:
    """The core set that demos count up to."""
    figures = {
        figure.indicator: (figure.count, figure.amount, figure.lower_bound)
        for figure in load_figures(VIETNAM / "figures.csv")
        if figure.locality == LocalityKey("38", REFORM)
    }
    assert figures == {
        "cashless_accounts": (854_000, None, True),
        "ecommerce_sellers": (44_174, None, False),
        "ecommerce_products": (87_271, None, False),
        "ocop_products": (187, None, False),
        "ecommerce_buyers": (114_396, None, False),
        "ecommerce_transactions": (32_877, 13_570_000_000, False),
        "health_insurance_cards": (3_161_227, None, False),
        "documents_exchanged": (7_744_376, None, False),
        "feedback_submissions": (1_700, None, False),
        "medical_facilities_chip_id": (679, None, False),
        "cashless_beneficiaries": (6_821, None, False),
        "enterprises_supported": (840, None, True),
        "traceability_stamps": (105_000, None, True),
    }


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("854000", "854,000", "line 2: not 12 cells; correct it"),
        ("854000", "8.54e5", "line 2: count '8.54e5' is no whole number; correct it"),
        (
            ",true,",
            ",yes,",
            "line 2: lower_bound 'yes' is not true or false; correct it",
        ),
        ("unit,", "units,", "line 1: the columns are not the expected ones; write "),
    ],
)
def test_faulty_figure_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: str
) -> None:
    """A figure is whole or not there."""
    text = (VIETNAM / "figures.csv").read_text(encoding="utf-8")
    path = tmp_path / "figures.csv"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        load_figures(path)
    (problem,) = caught.value.problems
    assert problem.startswith(f"figures.csv: {line}")


def test_committed_localities_are_what_the_source_gives() -> None:
    """Nobody edits a generated file by hand."""
    assert vietnam_source.main(["--check", str(VIETNAM)]) == 0


def test_script_writes_what_its_check_accepts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And its check refuses a missing file."""
    assert vietnam_source.main(["--check", str(tmp_path)]) == 1
    assert "run without --check" in capsys.readouterr().err
    assert vietnam_source.main([str(tmp_path)]) == 0
    assert vietnam_source.main(["--check", str(tmp_path)]) == 0


def test_order_of_the_source_does_not_matter() -> None:
    """The database promises none."""
    units = vietnam_source.read_units(vietnam_source.find_database())
    text = vietnam_source.render_localities(units)
    assert vietnam_source.render_localities(units[::-1]) == text
    with pytest.raises(vietnam_source.SourceError, match="expected 34 and 3321"):
        vietnam_source.render_localities(units[1:])
