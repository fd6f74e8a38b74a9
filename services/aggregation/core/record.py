"""What the log holds, as aggregation's decisions see it."""

from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

Effect = Literal["count", "amount", "state", "control", "reverse"]


class Data(Protocol):
    """The event's data after ingest filled in the defaults."""

    @property
    def count(self) -> int:
        """How many; of a statement or control the stated figure."""

    @property
    def amount(self) -> int:
        """VND; 0 where there is none."""

    @property
    def day(self) -> date | None:
        """The day that a statement or control speaks of."""

    @property
    def id(self) -> str | None:
        """Of a reversal: the original's id."""

    @property
    def source(self) -> str | None:
        """Of a reversal: the original's source."""

    @property
    def time(self) -> datetime | None:
        """Of a reversal: the original's instant."""


class Entry(Protocol):
    """One admitted event; ingest decided all of it (shared.events.adoption_v1).

    A protocol, so that the decoder's own objects pass through without a copy.
    """

    @property
    def id(self) -> str:
        """Chosen by the sender, unique within its source."""

    @property
    def source(self) -> str:
        """Where the agency says it happened."""

    @property
    def type(self) -> str:
        """The CloudEvents type."""

    @property
    def time(self) -> datetime:
        """When it happened."""

    @property
    def agency(self) -> str:
        """Who sent it; the partition's key."""

    @property
    def effect(self) -> Effect:
        """What it does."""

    @property
    def indicator(self) -> str | None:
        """What is counted; None for a reversal."""

    @property
    def sign(self) -> int:
        """+1 or -1 for effects, else 0."""

    @property
    def locality(self) -> str | None:
        """The leaf's code; None for a reversal or control."""

    @property
    def validfrom(self) -> date | None:
        """The leaf's valid_from."""

    @property
    def localday(self) -> date:
        """The event's own local day."""

    @property
    def data(self) -> Data:
        """What was sent."""


class LogRecord(NamedTuple):
    """A record of the log.

    Attributes:
        entry: None where the bytes are not an admitted event.
        key: What the ledger finds the entry by; made when the record is read, so that
            the database need not wait for it.
    """

    partition: int
    offset: int
    logged_at: datetime
    entry: Entry | None
    key: UUID | None = None
