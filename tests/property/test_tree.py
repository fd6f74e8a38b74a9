"""Laws of the tree of localities."""

import itertools
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.catalogue.model import Locality, LocalityKey, LocalityKind, Tree, is_leaf

NATION = LocalityKey("VN", date(1976, 7, 2))
EPOCH = date(2000, 1, 1)
SPAN = timedelta(days=300)


@st.composite
def lives(
    draw: st.DrawFn, begins: date, ends: date | None
) -> list[tuple[date, date | None]]:
    """Draw successive, disjoint lives of one code inside the life of its parent."""
    span_days = ((ends or EPOCH + SPAN) - begins).days
    cuts = sorted(draw(st.sets(st.integers(0, span_days), min_size=2, max_size=6)))
    instants = [begins + timedelta(days=cut) for cut in cuts]
    periods: list[tuple[date, date | None]] = list(itertools.pairwise(instants))
    if draw(st.booleans()):
        # Every other period, so that the code rests in between.
        periods = periods[::2]
    if ends is None and draw(st.booleans()):
        periods[-1] = (periods[-1][0], None)
    return periods


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Draw a tree that keeps what the loader checks, in any order."""
    localities = [Locality(NATION, None, "Việt Nam", LocalityKind.NATION, None)]
    commune_codes = iter(f"{number:05}" for number in range(100))
    for code in draw(st.sets(st.sampled_from(("01", "10", "38")), max_size=3)):
        for begins, ends in draw(lives(EPOCH, None)):
            province = LocalityKey(code, begins)
            localities.append(
                Locality(province, ends, code, LocalityKind.PROVINCE, NATION)
            )
            for _ in range(draw(st.integers(0, 2))):
                commune = next(commune_codes)
                localities.extend(
                    Locality(
                        LocalityKey(commune, since),
                        until,
                        commune,
                        LocalityKind.COMMUNE,
                        province,
                    )
                    for since, until in draw(lives(begins, ends))
                )
    return Tree(tuple(draw(st.permutations(localities))))


days = st.integers(-10, SPAN.days + 10).map(lambda n: EPOCH + timedelta(days=n))


@given(trees())
def test_every_leaf_has_exactly_one_chain_to_the_nation(tree: Tree) -> None:
    """Each chain follows parents, ends at the nation and visits nothing twice."""
    for leaf in tree.leaves():
        chain = tree.ancestors(leaf.key)
        assert chain[0] == leaf.key
        assert chain[-1] == NATION
        assert len(set(chain)) == len(chain)
        for child, parent in itertools.pairwise(chain):
            locality = tree.get(child)
            assert locality is not None
            assert locality.parent == parent


@given(trees(), days)
def test_leaf_for_agrees_with_validity(tree: Tree, day: date) -> None:
    """A code has a leaf on a day if and only if one unit that bears it exists."""
    for code in {locality.key.code for locality in tree}:
        borne = [
            locality
            for locality in tree
            if locality.key.code == code
            and locality.kind is not LocalityKind.UNALLOCATED
            and locality.exists_on(day)
        ]
        found = tree.leaf_for(code, day)
        assert (found is None) == (not borne)
        for unit in borne:
            assert len(borne) == 1
            assert found is not None
            leaf = tree.get(found)
            assert leaf is not None
            assert is_leaf(leaf)
            assert leaf.exists_on(day)
            assert unit.key in {leaf.key, leaf.parent}
            assert tree.is_within(found, code, day)


@given(trees(), days)
def test_leaf_is_within_exactly_the_codes_of_its_chain(tree: Tree, day: date) -> None:
    """A subtree is what hangs below its top, on the days of that top."""
    codes = {locality.key.code for locality in tree}
    for leaf in tree.leaves():
        if leaf.exists_on(day):
            inside = {code for code in codes if tree.is_within(leaf.key, code, day)}
            assert inside == {key.code for key in tree.ancestors(leaf.key)}


@given(trees())
def test_children_partition_all_but_the_nation(tree: Tree) -> None:
    """Summing children of children reaches every leaf exactly once."""
    children = [child for locality in tree for child in tree.children(locality.key)]
    assert len(children) == len(set(children)) == len(tree) - 1


@given(trees())
def test_order_of_localities_does_not_matter(tree: Tree) -> None:
    """Two files with the same rows make the same tree."""
    turned = Tree(tuple(reversed(tree.localities)))
    assert list(turned) == list(tree)
