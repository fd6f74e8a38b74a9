"""What the loader takes, and what it says of directories and broken files."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from shared.catalogue.load import load_catalogue
from shared.catalogue.model import (
    Agency,
    AgencyKey,
    Behind,
    Effect,
    EventType,
    Indicator,
    LocalityKey,
    Measure,
    Target,
    Trajectory,
)
from tests.unit.shared.catalogue_files import FILES, SHA_A, SHA_B, Edit, problems_of


def test_right_catalogue_loads_whole(directory: Path) -> None:
    """What stands in the files stands in the catalogue."""
    catalogue = load_catalogue(directory)
    assert (catalogue.name, catalogue.timezone) == ("Test", "Asia/Ho_Chi_Minh")
    assert catalogue.window_days == 62
    assert catalogue.indicator("ecommerce_transactions") == Indicator(
        id="ecommerce_transactions",
        name="Transactions",
        name_vi="Giao dịch",
        measure=Measure.FLOW,
        has_amount=True,
        unit="transactions",
        source="somewhere",
    )
    assert len(catalogue.tree.localities) == 4


def test_event_types_keep_sign_and_whether_only_the_amount_counts(
    directory: Path,
) -> None:
    """A refund takes money back and leaves the sale counted."""
    event_types = load_catalogue(directory).event_types
    assert event_types == {
        type_.type: type_
        for type_ in (
            EventType("uptake.cashless.closed", Effect.COUNT, "cashless_accounts", -1),
            EventType(
                "uptake.ecommerce.refunded",
                Effect.COUNT,
                "ecommerce_transactions",
                -1,
                amount_only=True,
            ),
            EventType("uptake.indicator.counted", Effect.COUNT, None, 1),
            EventType("uptake.indicator.stated", Effect.STATE, None, 0),
        )
    }


def test_star_spells_out_all_indicators_of_an_agency(directory: Path) -> None:
    """So that nobody has to know the star after loading."""
    catalogue = load_catalogue(directory)
    assert catalogue.agency("tha-bank") == Agency(
        id="tha-bank",
        name="Bank",
        sources=("/vn/38/bank",),
        indicators=frozenset({"cashless_accounts", "ecommerce_transactions"}),
        locality="38",
        kafka=False,
        keys=(AgencyKey("first", SHA_A), AgencyKey("second", SHA_B)),
        cadence_hours=168,
        required=True,
        cadences=(("ecommerce_transactions", 24),),
    )
    voso = catalogue.agency_for_source("/vn/38/shop/1")
    assert voso is not None
    assert voso.indicators == {"ecommerce_transactions"}
    assert (voso.kafka, voso.cadence_hours, voso.required) == (True, None, False)


def test_cadence_of_an_indicator_goes_before_that_of_its_agency(
    directory: Path,
) -> None:
    """An agency without a cadence owes no reports."""
    catalogue = load_catalogue(directory)
    bank, voso = catalogue.agencies["tha-bank"], catalogue.agencies["tha-voso"]
    assert bank.cadence_of("ecommerce_transactions") == 24
    assert bank.cadence_of("cashless_accounts") == 168
    assert voso.cadence_of("ecommerce_transactions") is None


def test_agency_can_send_by_key_or_by_topic(directory: Path) -> None:
    """Of one that can do neither nothing is expected."""
    catalogue = load_catalogue(directory)
    bank, voso = catalogue.agencies["tha-bank"], catalogue.agencies["tha-voso"]
    assert bank.can_send()
    assert voso.can_send()
    assert not replace(voso, kafka=False).can_send()


def test_target_takes_ratios_and_durations_exactly(directory: Path) -> None:
    """Ratios become whole basis points, durations whole seconds."""
    catalogue = load_catalogue(directory)
    assert catalogue.target("tha-cashless-2026") == Target(
        id="tha-cashless-2026",
        indicator="cashless_accounts",
        locality=LocalityKey("38", date(2025, 7, 1)),
        start_date=date(2026, 1, 1),
        start_value=854_000,
        due=date(2026, 12, 31),
        goal_value=1_200_000,
        trajectory=Trajectory.LINEAR,
        behind=Behind(8_000, 8_125, 5_400, 172_800),
        issued_by="Decision 1",
        illustrative=False,
    )


def test_falling_target_and_defaults_are_taken(directory: Path) -> None:
    """A goal below the start is a goal."""
    target = load_catalogue(directory).target("tha-falling")
    assert target is not None
    assert (target.start_value, target.goal_value) == (100, 0)
    assert target.behind == Behind()


def test_all_problems_are_reported_at_once(directory: Path) -> None:
    """Whoever edits the files need not find them one start at a time."""
    for file, old, new in (
        ("catalogue.yaml", "Asia/Ho_Chi_Minh", "Asia/Thanh_Hoa"),
        ("agencies/bank.yaml", '"38"', '"83"'),
        ("targets/thanh-hoa.yaml", "cashless_accounts", "cashless_acounts"),
    ):
        (directory / file).write_text(FILES[file].replace(old, new, 1), "utf-8")
    assert problems_of(directory) == (
        (
            "catalogue.yaml: timezone: time zone 'Asia/Thanh_Hoa' is unknown; "
            "give an IANA name like Asia/Ho_Chi_Minh"
        ),
        "agencies/bank.yaml: locality: locality '83' is unknown; did you mean 38?",
        (
            "targets/thanh-hoa.yaml: tha-cashless-2026.indicator: indicator "
            "'cashless_acounts' is unknown; did you mean cashless_accounts?"
        ),
    )


def test_broken_file_does_not_make_others_look_wrong(problems_after: Edit) -> None:
    """One slip in the indicators must not look like a hundred."""
    assert problems_after("indicators.yaml", "measure: stock", "measure: level") == (
        (
            "indicators.yaml: cashless_accounts.measure: input should be 'stock' or "
            "'flow' (not 'level'); correct it"
        ),
    )


def test_missing_directory_is_refused(tmp_path: Path) -> None:
    """The line names the setting."""
    (line,) = problems_of(tmp_path / "nowhere")
    assert line.endswith("directory: not found; set UPTAKE_CATALOGUE to one")


@pytest.mark.parametrize("file", ["catalogue.yaml", "localities.csv"])
def test_missing_file_is_refused(directory: Path, file: str) -> None:
    """An empty catalogue is never what was meant."""
    (directory / file).unlink()
    (line,) = problems_of(directory)
    assert line.startswith(f"{file}: file: ")


def test_catalogue_without_agencies_and_targets_loads(directory: Path) -> None:
    """Git keeps no empty folders."""
    for file in FILES:
        if "/" in file:
            (directory / file).unlink()
    for folder in ("agencies", "targets"):
        (directory / folder).rmdir()
    catalogue = load_catalogue(directory)
    assert not catalogue.agencies
    assert not catalogue.targets


def test_file_with_another_suffix_is_refused(directory: Path) -> None:
    """It would be left out without a word."""
    (directory / "agencies/new.yml").write_text("id: new", encoding="utf-8")
    (directory / "agencies/..data").write_text("of Kubernetes", encoding="utf-8")
    assert problems_of(directory) == (
        (
            "agencies/new.yml: name: only *.yaml files are read here; "
            "rename it or move it away"
        ),
    )


YAML_REFUSALS = [
    (
        ("catalogue.yaml", "name: Test", "name: Test\nname: Again"),
        "catalogue.yaml: line 2: key 'name' is repeated; keep one",
    ),
    (
        ("targets/thanh-hoa.yaml", "{value: 1200000}", "{value: 1, value: 2}"),
        "targets/thanh-hoa.yaml: line 6: key 'value' is repeated; keep one",
    ),
    (
        ("catalogue.yaml", "name: Test", "name: [Test"),
        r"catalogue.yaml: line \d: not YAML: .*; correct the syntax",
    ),
    (
        ("catalogue.yaml", "name: Test", "name: !!python/name:os.system"),
        "catalogue.yaml: line 1: not YAML: .*; correct the syntax",
    ),
    (
        ("catalogue.yaml", "name: Test", "nmae: Test"),
        (
            "catalogue.yaml: name: field required; add it\n"
            "catalogue.yaml: nmae: extra inputs are not permitted; "
            "correct its name or remove it"
        ),
    ),
    (
        ("catalogue.yaml", FILES["catalogue.yaml"], ""),
        "catalogue.yaml: top: the file is empty; fill it or remove it",
    ),
    (
        ("indicators.yaml", FILES["indicators.yaml"], "id: x"),
        "indicators.yaml: top: not a list; begin every entry with '- '",
    ),
    (
        ("catalogue.yaml", "name: Test", "name: Test\nwindow_days: 0"),
        "catalogue.yaml: window_days: .* greater than or equal to 1 .*; correct it",
    ),
]


@pytest.mark.parametrize(("edit", "lines"), YAML_REFUSALS)
def test_faulty_yaml_is_refused(
    problems_after: Edit, edit: tuple[str, str, str], lines: str
) -> None:
    """YAML itself would keep the last of equal keys and guess types."""
    assert re.fullmatch(lines, "\n".join(problems_after(*edit)))
