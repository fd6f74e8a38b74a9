"""Who asks, and what their key lets them ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.catalogue.model import Agency


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever has a valid key.

    Attributes:
        owner_id: The agency's id, or the reader's.
        key_id: The key's name for people.
        agency: With no more sources, indicators and localities than the key is bound
            to; None for a reader, who is told every figure and nobody's receipts.
    """

    owner_id: str
    key_id: str
    agency: Agency | None


class Beyond(StrEnum):
    """What a key did not open; a word of the audit, and the problem's type."""

    NOT_AN_AGENCY = "not_an_agency"
    SOURCE = "source_not_yours"
    INDICATOR = "indicator_not_yours"
    LOCALITY = "locality_not_yours"


class NotYoursError(Exception):
    """A question that goes beyond the key; the message is one line for who asked.

    Attributes:
        beyond: In which way.
        index: Place of the first event that does, where events are asked for.
        sources: Those that are not the key's, each place once.
    """

    def __init__(
        self,
        beyond: Beyond,
        detail: str,
        *,
        index: int | None = None,
        sources: Sequence[str] = (),
    ) -> None:
        super().__init__(detail)
        self.beyond = beyond
        self.index = index
        self.sources = tuple(sources)


def receipts_agency(caller: Caller, sources: Sequence[str]) -> Agency:
    """Return the agency that is told receipts of these sources.

    Raises:
        NotYoursError: The key is a reader's, or a source is not one of the key's. Then
            nothing is read, so that nobody learns even whether another one sent it.
    """
    agency = caller.agency
    if agency is None:
        raise NotYoursError(
            Beyond.NOT_AN_AGENCY,
            "the key is a reader's; ask with that of the agency that sent the events",
        )
    foreign = [at for at, each in enumerate(sources) if not agency.owns_source(each)]
    if foreign:
        first = foreign[0]
        raise NotYoursError(
            Beyond.SOURCE,
            f"event {first}: source {sources[first]!r} is not this key's; it has "
            + ", ".join(agency.sources),
            index=first,
            sources=[sources[at] for at in foreign],
        )
    return agency
