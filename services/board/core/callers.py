"""Who asks: keys, and what each may be told."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from shared.catalogue.model import Agency


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever has a valid key.

    Attributes:
        agency: The agency that the key belongs to; None for a reader's key, which
            tells nobody's receipts.
        name: For the log: `agency:ID` or `reader:ID`.
    """

    agency: Agency | None
    name: str


class KeyRing:
    """The valid keys, by their SHA-256; changed whole while requests are answered."""

    def __init__(self, callers: Mapping[str, Caller]) -> None:
        self._callers = MappingProxyType(dict(callers))

    def replace(self, callers: Mapping[str, Caller]) -> None:
        """Let other keys be valid from the next request on."""
        self._callers = MappingProxyType(dict(callers))

    def __len__(self) -> int:
        return len(self._callers)

    def find(self, authorization: str) -> Caller | None:
        """Return who sent a header `Authorization`; None where its key is not valid.

        What is looked up is the hash of what was sent, so the time that takes says
        nothing about any key: whoever could steer the hash would have the key.
        """
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        digest = hashlib.sha256(key.strip().encode()).hexdigest()
        return self._callers.get(digest)


def find_foreign(agency: Agency, sources: Sequence[str]) -> int | None:
    """Return the place of the first source that is another's; None if there is none."""
    for place, source in enumerate(sources):
        if not agency.owns_source(source):
            return place
    return None
