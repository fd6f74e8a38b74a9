"""Whose key it is, and what a key is bound to."""

import hashlib
from datetime import date
from typing import Any

import pytest
from typing_extensions import override

from shared.catalogue.keys import (
    KEY_LENGTH_MAX,
    Bearer,
    Denied,
    KeyDenial,
    KeyRing,
    make_mark,
    presented_key,
)
from shared.catalogue.model import Agency, AgencyKey

TODAY = date(2026, 11, 22)
MARK = make_mark(b"a secret of the process")


def sha256(key: str) -> str:
    """Hash a key as the catalogue does."""
    return hashlib.sha256(key.encode()).hexdigest()


def agency(*keys: AgencyKey, **changes: Any) -> Agency:  # noqa: ANN401 -- any field
    """Make an agency with these keys."""
    made: dict[str, Any] = {
        "id": "bank",
        "name": "Bank",
        "sources": ("/vn/38/bank", "/vn/38/old"),
        "indicators": frozenset({"cashless_accounts", "eid_accounts"}),
        "locality": "38",
        "keys": keys,
    }
    return Agency(**{**made, **changes})


def find(key: str, *keys: AgencyKey) -> Bearer | Denied:
    """Look for a key among an agency's."""
    return KeyRing([agency(*keys)], MARK).find(key, TODAY)


class Uncomparable(str):
    """A hash that must not be compared as a text, which takes the longer the likelier.

    `hmac.compare_digest` reads its letters and never asks it.
    """

    __slots__ = ()

    @override
    def __eq__(self, other: object) -> bool:
        """Refuse."""
        pytest.fail("compared in a time that tells how alike they are")

    __hash__ = str.__hash__


@pytest.mark.parametrize("value", ["Bearer abc", "bearer abc", "BEARER  abc "])
def test_key_follows_the_word_bearer(value: str) -> None:
    """However it is written."""
    assert presented_key([value]) == "abc"


@pytest.mark.parametrize(
    ("values", "denial"),
    [
        ([], KeyDenial.NO_KEY),
        ([""], KeyDenial.NO_KEY),
        (["Bearer"], KeyDenial.NO_KEY),
        (["Bearer "], KeyDenial.NO_KEY),
        (["Basic abc"], KeyDenial.MALFORMED),
        (["abc"], KeyDenial.MALFORMED),
        (["Bearer abc", "Bearer abc"], KeyDenial.MALFORMED),
        (["Bearer " + "x" * (KEY_LENGTH_MAX + 1)], KeyDenial.MALFORMED),
        (["Bearer schlüssel"], KeyDenial.MALFORMED),
    ],
)
def test_anything_else_is_no_key(values: list[str], denial: KeyDenial) -> None:
    """Two headers, too: a proxy might have judged the other one."""
    assert presented_key(values) is denial


def test_either_of_two_keys_opens_while_they_are_changed_over() -> None:
    """And the answer says which one it was."""
    keys = AgencyKey("old", sha256("one")), AgencyKey("new", sha256("two"))
    for text, name in (("one", "old"), ("two", "new")):
        bearer = find(text, *keys)
        assert isinstance(bearer, Bearer)
        assert (bearer.agency.id, bearer.key_id) == ("bank", name)


@pytest.mark.parametrize("text", ["One", "one ", "on", "", sha256("one")])
def test_unknown_key_opens_nothing(text: str) -> None:
    """The hash of a key is none either: whoever reads the catalogue cannot send."""
    assert find(text, AgencyKey("k", sha256("one"))) == Denied(KeyDenial.UNKNOWN)


def test_agency_without_a_key_has_no_way_in() -> None:
    """Nothing is found among nothing."""
    assert find("one") == Denied(KeyDenial.UNKNOWN)


def test_keys_that_share_a_drawer_are_told_apart() -> None:
    """A drawer is where one looks; what counts is the whole hash."""
    keys = AgencyKey("a", sha256("one")), AgencyKey("b", sha256("two"))
    ring = KeyRing([agency(*keys)], lambda _: b"the same for all")
    for text, name in (("one", "a"), ("two", "b")):
        bearer = ring.find(text, TODAY)
        assert isinstance(bearer, Bearer)
        assert bearer.key_id == name
    assert ring.find("three", TODAY) == Denied(KeyDenial.UNKNOWN)


def test_hashes_are_compared_in_constant_time() -> None:
    """By `hmac.compare_digest` alone."""
    key = AgencyKey("k", Uncomparable(sha256("one")))
    ring = KeyRing([agency(key)], lambda _: b"the same for all")
    assert isinstance(ring.find("one", TODAY), Bearer)
    assert isinstance(ring.find("two", TODAY), Denied)


def test_place_in_the_table_cannot_be_foretold() -> None:
    """Each process has its own secret, so the time of a look-up tells nothing."""
    digest = hashlib.sha256(b"one").digest()
    assert MARK(digest) == MARK(digest)
    assert MARK(digest) != make_mark(b"another secret")(digest)
    assert not digest.startswith(MARK(digest))


def test_key_is_valid_through_its_last_day_and_no_longer() -> None:
    """And the denial names the key, for the audit."""
    key = AgencyKey("k", sha256("one"), last_day=TODAY)
    ring = KeyRing([agency(key)], MARK)
    assert isinstance(ring.find("one", TODAY), Bearer)
    assert ring.find("one", date(2026, 11, 23)) == Denied(
        KeyDenial.EXPIRED, "bank", "k", TODAY
    )


def test_key_may_no_more_than_it_is_bound_to() -> None:
    """The rest of the agency is as it was."""
    bound = AgencyKey(
        "k",
        sha256("one"),
        sources=("/vn/38/bank/branch",),
        indicators=frozenset({"eid_accounts"}),
        locality="15961",
    )
    bearer = find("one", bound)
    assert isinstance(bearer, Bearer)
    assert bearer.agency == agency(
        bound,
        sources=bound.sources,
        indicators=bound.indicators,
        locality=bound.locality,
    )
    assert not bearer.agency.owns_source("/vn/38/bank")


def test_key_that_is_bound_to_nothing_may_all_that_its_agency_may() -> None:
    """Nothing needs to be said twice."""
    key = AgencyKey("k", sha256("one"))
    assert find("one", key) == Bearer(agency(key), "k")
