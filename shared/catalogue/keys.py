"""Whose key is it: looked up without saying how near a wrong one came.

A key is 256 random bits, of which the catalogue holds the SHA-256. Nothing here logs,
keeps or repeats a key.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from shared.catalogue.model import Agency, AgencyKey

KEY_LENGTH_MAX: Final = 256
MARK_BYTES: Final = 8
_SCHEME: Final = "bearer"

HolderT = TypeVar("HolderT")
Mark = Callable[[bytes], bytes]
"""Makes of a digest the name of the drawer in which it is looked for."""


class KeyDenial(StrEnum):
    """Why a request has no valid key; a label of a metric and a word of the audit."""

    NO_KEY = "no_key"
    MALFORMED = "malformed"
    UNKNOWN = "unknown_key"
    EXPIRED = "expired_key"


WHAT_IS_WRONG: Final[Mapping[KeyDenial, str]] = MappingProxyType(
    {
        KeyDenial.NO_KEY: "no key was sent",
        KeyDenial.MALFORMED: "the header is not one Bearer key",
        KeyDenial.UNKNOWN: "the key is not valid",
        KeyDenial.EXPIRED: "the key has expired",
    }
)
"""What whoever knocks is told; the same at every door."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who knocks.

    Attributes:
        agency: Whose key it is, with no more sources, indicators and localities than
            the key is bound to.
        key_id: The key's name for people.
    """

    agency: Agency
    key_id: str


@dataclass(frozen=True, slots=True)
class Denied:
    """Nobody that we know.

    Attributes:
        owner_id: The agency or reader whose key it was, where it was one.
        key_id: Its name for people.
        last_day: Its last day, where that is over.
    """

    reason: KeyDenial
    owner_id: str | None = None
    key_id: str | None = None
    last_day: date | None = None


def presented_key(authorizations: Sequence[str]) -> str | KeyDenial:
    """Return the key that a request presents.

    Args:
        authorizations: Every `Authorization` header. Two are refused: a proxy in front
            of us might have judged the other one.
    """
    if not authorizations or authorizations == [""]:
        return KeyDenial.NO_KEY
    scheme, _, key = authorizations[0].strip().partition(" ")
    key = key.strip()
    if len(authorizations) > 1 or scheme.lower() != _SCHEME:
        return KeyDenial.MALFORMED
    if not key:
        return KeyDenial.NO_KEY
    if len(key) > KEY_LENGTH_MAX or not key.isascii():
        return KeyDenial.MALFORMED
    return key


def make_mark(secret: bytes) -> Mark:
    """Make a mark that nobody outside this process can compute.

    A look-up in a table tells by its time how far a guess agrees with an entry. What
    is looked up is therefore not the digest but this, of which a guesser knows nothing.

    Args:
        secret: Random, new for each process.
    """
    return lambda digest: hashlib.blake2b(
        digest, key=secret, digest_size=MARK_BYTES
    ).digest()


@dataclass(frozen=True, slots=True)
class Held(Generic[HolderT]):
    """A key, whose it is, and what is known of whoever shows it."""

    key: AgencyKey
    owner_id: str
    holder: HolderT


class KeyTable(Generic[HolderT]):
    """Keys and who holds them; never changed, replaced as a whole."""

    def __init__(self, held: Iterable[Held[HolderT]], mark: Mark) -> None:
        self._mark = mark
        self._drawers: dict[bytes, list[Held[HolderT]]] = {}
        for each in held:
            place = mark(bytes.fromhex(each.key.sha256))
            self._drawers.setdefault(place, []).append(each)

    def find(self, presented: str, day: date) -> HolderT | Denied:
        """Find whose key it is.

        Args:
            presented: The key as it was sent.
            day: Today in the catalogue's time zone.
        """
        digest = hashlib.sha256(presented.encode())
        wanted = digest.hexdigest()
        found: Held[HolderT] | None = None
        # Every entry is compared, each in constant time; a drawer holds one or none.
        for entry in self._drawers.get(self._mark(digest.digest()), ()):
            if hmac.compare_digest(entry.key.sha256, wanted):
                found = entry
        if found is None:
            return Denied(KeyDenial.UNKNOWN)
        key = found.key
        if key.last_day is not None and day > key.last_day:
            return Denied(KeyDenial.EXPIRED, found.owner_id, key.id, key.last_day)
        return found.holder


class KeyRing(KeyTable[Bearer]):
    """Every key of a catalogue's agencies."""

    def __init__(self, agencies: Iterable[Agency], mark: Mark) -> None:
        super().__init__(
            (
                Held(key, agency.id, Bearer(_narrow(agency, key), key.id))
                for agency in agencies
                for key in agency.keys
            ),
            mark,
        )


def _narrow(agency: Agency, key: AgencyKey) -> Agency:
    """Leave an agency what one of its keys is bound to.

    The catalogue's checks have made sure that it is a part of the agency's own.
    """
    return replace(
        agency,
        sources=agency.sources if key.sources is None else key.sources,
        indicators=agency.indicators if key.indicators is None else key.indicators,
        locality=agency.locality if key.locality is None else key.locality,
    )
