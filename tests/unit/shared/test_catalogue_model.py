"""What the catalogue's values answer."""

from dataclasses import FrozenInstanceError
from datetime import date

import pytest

from shared.catalogue.model import (
    Agency,
    AgencyKey,
    Behind,
    Catalogue,
    Indicator,
    Locality,
    LocalityKey,
    LocalityKind,
    Measure,
    Tree,
)

REFORM = date(2025, 7, 1)
BEFORE = date(2025, 6, 30)
AFTER = date(2026, 3, 1)

NATION = LocalityKey("VN", date(1976, 7, 2))
THANH_HOA = LocalityKey("38", REFORM)
OLD_COMMUNE = LocalityKey("15961", date(2000, 1, 1))
NEW_COMMUNE = LocalityKey("15961", REFORM)
OLD_PROVINCE = LocalityKey("38", date(2000, 1, 1))


def make_tree() -> Tree:
    """Make a tree in which one code has two lives, given in no order."""
    return Tree(
        (
            Locality(NEW_COMMUNE, None, "Hoằng Lộc", LocalityKind.COMMUNE, THANH_HOA),
            Locality(
                OLD_COMMUNE, REFORM, "Hoằng Lộc", LocalityKind.COMMUNE, OLD_PROVINCE
            ),
            Locality(THANH_HOA, None, "Thanh Hóa", LocalityKind.PROVINCE, NATION),
            Locality(OLD_PROVINCE, REFORM, "Thanh Hóa", LocalityKind.PROVINCE, NATION),
            Locality(NATION, None, "Việt Nam", LocalityKind.NATION, None),
        )
    )


def make_agency(**changes: object) -> Agency:
    """Make an agency that owns `/vn/38/voso`."""
    values: dict[str, object] = {
        "id": "tha-voso",
        "name": "Voso",
        "sources": ("/vn/38/voso",),
        "indicators": frozenset({"ecommerce_sellers"}),
        "locality": "38",
    }
    return Agency(**{**values, **changes})  # type: ignore[arg-type] # test builder


def make_catalogue(*agencies: Agency) -> Catalogue:
    """Make a catalogue with one indicator and the given agencies."""
    sellers = Indicator(
        id="ecommerce_sellers",
        name="Sellers",
        name_vi="Người bán",
        measure=Measure.STOCK,
        has_amount=False,
        unit="sellers",
        source="none",
    )
    return Catalogue(
        timezone="Asia/Ho_Chi_Minh",
        indicators={sellers.id: sellers},
        event_types={},
        tree=make_tree(),
        agencies={agency.id: agency for agency in agencies},
        targets={},
    )


def test_commune_code_means_the_commune_that_bears_it_on_the_day() -> None:
    """Most codes of 2025 were another unit's before."""
    tree = make_tree()
    assert tree.leaf_for("15961", AFTER) == NEW_COMMUNE
    assert tree.leaf_for("15961", REFORM) == NEW_COMMUNE
    assert tree.leaf_for("15961", BEFORE) == OLD_COMMUNE


def test_province_and_nation_codes_mean_their_unallocated_leaves() -> None:
    """What is reported above commune level has a leaf of its own."""
    tree = make_tree()
    assert tree.leaf_for("38", AFTER) == LocalityKey("38-unallocated", REFORM)
    assert tree.leaf_for("VN", AFTER) == LocalityKey(
        "VN-unallocated", NATION.valid_from
    )


def test_unallocated_leaf_cannot_be_reported_under_its_own_code() -> None:
    """One leaf has one code for senders, else contents of events would differ."""
    tree = make_tree()
    assert tree.leaf_for("38-unallocated", AFTER) is None
    assert not tree.has_code("38-unallocated")


def test_unknown_code_and_day_without_unit_have_no_leaf() -> None:
    """Neither is an error of the tree; the caller refuses the event."""
    tree = make_tree()
    assert tree.leaf_for("99999", AFTER) is None
    assert tree.leaf_for("", AFTER) is None
    assert tree.leaf_for("15961", date(1999, 12, 31)) is None


def test_readers_find_provinces_and_unallocated_leaves_by_code() -> None:
    """A reader asks for a place, a sender for a leaf."""
    tree = make_tree()
    province = tree.at("38", AFTER)
    leaf = tree.at("38-unallocated", AFTER)
    assert province is not None
    assert province.key == THANH_HOA
    assert leaf is not None
    assert leaf.kind is LocalityKind.UNALLOCATED
    assert leaf.name == "Thanh Hóa"
    assert tree.at("15961-unallocated", AFTER) is None
    assert tree.at("99999", AFTER) is None


def test_chain_goes_from_the_leaf_up_to_the_nation() -> None:
    """Each link is the unit of the leaf's own time."""
    tree = make_tree()
    assert tree.ancestors(NEW_COMMUNE) == (NEW_COMMUNE, THANH_HOA, NATION)
    assert tree.ancestors(OLD_COMMUNE) == (OLD_COMMUNE, OLD_PROVINCE, NATION)
    assert tree.ancestors(LocalityKey("VN-unallocated", NATION.valid_from)) == (
        LocalityKey("VN-unallocated", NATION.valid_from),
        NATION,
    )
    with pytest.raises(KeyError):
        tree.ancestors(LocalityKey("99999", REFORM))


def test_leaf_lies_within_each_unit_above_it_while_that_bears_the_code() -> None:
    """A province that has ended contains nothing."""
    tree = make_tree()
    assert tree.is_within(NEW_COMMUNE, "38", AFTER)
    assert tree.is_within(NEW_COMMUNE, "VN", AFTER)
    assert tree.is_within(NEW_COMMUNE, "15961", AFTER)
    assert not tree.is_within(NEW_COMMUNE, "01", AFTER)
    assert not tree.is_within(OLD_COMMUNE, "38", AFTER)
    assert not tree.is_within(LocalityKey("99999", REFORM), "38", AFTER)


def test_children_of_a_province_are_its_communes_and_its_unallocated_leaf() -> None:
    """Those are the parts whose sum is the province."""
    tree = make_tree()
    assert tree.children(THANH_HOA) == (
        NEW_COMMUNE,
        LocalityKey("38-unallocated", REFORM),
    )
    assert tree.children(NEW_COMMUNE) == ()


def test_iteration_gives_every_locality_once_and_leaves_hold_no_province() -> None:
    """Five localities were given, of which three have an unallocated leaf."""
    tree = make_tree()
    assert len(tree) == 8
    assert len({locality.key for locality in tree}) == 8
    assert {leaf.kind for leaf in tree.leaves()} == {
        LocalityKind.COMMUNE,
        LocalityKind.UNALLOCATED,
    }
    assert NEW_COMMUNE in tree
    assert tree.get(NEW_COMMUNE) is not None
    assert tree.get(LocalityKey("99999", REFORM)) is None


@pytest.mark.parametrize(
    ("wrong", "suggested"),
    [
        ("15691", ("15961",)),
        ("15960", ("15961",)),
        ("83", ("38",)),
        ("VM", ()),
        ("15999", ()),
        ("3", ()),
    ],
)
def test_near_miss_of_a_code_is_suggested(
    wrong: str, suggested: tuple[str, ...]
) -> None:
    """Two characters swapped or one digit wrong are near, anything else is not."""
    assert make_tree().nearest_codes(wrong) == suggested


def test_lost_leading_zeros_are_suggested_first() -> None:
    """Spreadsheets turn 04 into 4."""
    cao_bang = LocalityKey("04", REFORM)
    commune = LocalityKey("00004", REFORM)
    tree = Tree(
        (
            Locality(NATION, None, "Việt Nam", LocalityKind.NATION, None),
            Locality(cao_bang, None, "Cao Bằng", LocalityKind.PROVINCE, NATION),
            Locality(commune, None, "Ba Đình", LocalityKind.COMMUNE, cao_bang),
        )
    )
    assert tree.nearest_codes("4") == ("04", "00004")
    assert tree.nearest_codes("0004") == ("00004",)
    assert tree.nearest_codes("4" * 10_000) == ()


@pytest.mark.parametrize(
    ("source", "is_owned"),
    [
        ("/vn/38/voso", True),
        ("/vn/38/voso/shop1", True),
        ("/vn/38/voso/shop1/till2", True),
        ("/vn/38/voso2", False),
        ("/vn/38", False),
        ("", False),
    ],
)
def test_source_is_owned_by_whole_segments(source: str, *, is_owned: bool) -> None:
    """A longer last segment is another source."""
    agency = make_agency()
    assert agency.owns_source(source) is is_owned
    found = make_catalogue(agency).agency_for_source(source)
    assert (found == agency) is is_owned


def test_agency_is_found_by_any_of_its_keys() -> None:
    """Two keys are valid while rotating."""
    agency = make_agency(keys=(AgencyKey("old", "a" * 64), AgencyKey("new", "b" * 64)))
    catalogue = make_catalogue(agency)
    assert catalogue.agency_for_key("a" * 64) == agency
    assert catalogue.agency_for_key("b" * 64) == agency
    assert catalogue.agency_for_key("c" * 64) is None


def test_catalogue_looks_things_up_by_id() -> None:
    """An unknown id is None, for the caller to refuse."""
    agency = make_agency()
    catalogue = make_catalogue(agency)
    assert catalogue.agency("tha-voso") == agency
    assert catalogue.indicator("ecommerce_sellers") is not None
    assert catalogue.indicator("x") is None
    assert catalogue.event_type("x") is None
    assert catalogue.target("x") is None
    assert catalogue.window_days == 62


def test_catalogue_does_not_change_with_what_it_was_made_from() -> None:
    """Tasks share it, so nothing may reach into it."""
    agency = make_agency()
    agencies = {agency.id: agency}
    catalogue = Catalogue(
        timezone="Asia/Ho_Chi_Minh",
        indicators={},
        event_types={},
        tree=make_tree(),
        agencies=agencies,
        targets={},
    )
    agencies.clear()
    assert catalogue.agency("tha-voso") == agency
    with pytest.raises(TypeError):
        catalogue.agencies["x"] = agency  # type: ignore[index] # this is the test
    with pytest.raises(FrozenInstanceError):
        catalogue.timezone = "UTC"  # type: ignore[misc] # this is the test


def test_behind_defaults_are_those_of_the_contract() -> None:
    """Enter below 0.90, leave from 0.95, for and keep a day."""
    assert Behind() == Behind(9_000, 9_500, 86_400, 86_400)
