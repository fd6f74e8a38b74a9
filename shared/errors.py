"""Error families, and the codes with which a record is turned away.

Three planned outcomes: an invalid record is refused or rejected with a code, an
outage is waited out, and whatever else happens is a bug that stops the process.
"""

from enum import StrEnum
from typing import Final


class UptakeError(Exception):
    """Base of every error that this project raises on purpose."""


class SettingsError(UptakeError):
    """A setting is missing or wrong; the message is one line for the operator."""


class TransientError(UptakeError):
    """Kafka or Postgres is away for now; wait with back-off and try again."""


class FatalError(UptakeError):
    """The service must not go on; the message is one line for the operator."""


class CatalogueError(FatalError):
    """The catalogue is wrong.

    Attributes:
        problems: One line each: file, place, what is wrong, what to do.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RefusalCode(StrEnum):
    """Why ingest turned an event away; part of the public contract.

    The sender is told; nothing about the event enters the log.
    """

    AMOUNT_NOT_ALLOWED = "amount_not_allowed"
    BAD_AMOUNT = "bad_amount"
    BAD_COUNT = "bad_count"
    BAD_DATA = "bad_data"
    BAD_DAY = "bad_day"
    BAD_HEADER = "bad_header"
    BAD_ID = "bad_id"
    BAD_LOCALITY = "bad_locality"
    BAD_REVERSED_ID = "bad_reversed_id"
    BAD_SOURCE = "bad_source"
    BAD_SPECVERSION = "bad_specversion"
    BAD_TIME = "bad_time"
    BAD_TYPE = "bad_type"
    DUPLICATE_KEY = "duplicate_key"
    EVENT_TOO_LARGE = "event_too_large"
    INDICATOR_NOT_YOURS = "indicator_not_yours"
    LOCALITY_NOT_YOURS = "locality_not_yours"
    NOT_A_STOCK = "not_a_stock"
    NOT_AN_OBJECT = "not_an_object"
    NOT_JSON = "not_json"
    PERSONAL_DATA = "personal_data"
    SOURCE_NOT_YOURS = "source_not_yours"
    TIME_AHEAD = "time_ahead"
    TIME_NAIVE = "time_naive"
    TOO_DEEP = "too_deep"
    TOO_LATE = "too_late"
    UNKNOWN_INDICATOR = "unknown_indicator"
    UNKNOWN_LOCALITY = "unknown_locality"
    UNKNOWN_TYPE = "unknown_type"


class RejectionCode(StrEnum):
    """Why aggregation turned a logged record away; part of the public contract.

    The record is kept on `uptake.rejected` and counted as rejected.
    """

    ALREADY_REVERSED = "already_reversed"
    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    REVERSAL_MISMATCH = "reversal_mismatch"
    REVERSAL_OF_REVERSAL = "reversal_of_reversal"
    SOURCE_MOVED = "source_moved"
    TOO_LATE = "too_late"
    UNREADABLE = "unreadable"


KEPT_CODES: Final = tuple(sorted({*map(str, RejectionCode), *map(str, RefusalCode)}))
"""Every code of a message on `uptake.rejected`: what aggregation turned away, and what
ingest refused in an agency's own topic. Sorted, each once, though one is of both."""
