"""What is explained, and what an explanation is made of."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from services.alerting.core.figures import Names
from services.alerting.core.life_cycle import Life
from services.alerting.core.risk import Outlook, RiskLimits
from services.alerting.core.silence import Gap
from services.alerting.core.status import Assessment, Reading, Status
from shared.catalogue.model import Target


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """One alert about the target, as the last look left it."""

    kind: str
    life: Life
    since: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A target at an instant, with all that its status is made of.

    Attributes:
        target: Its definition.
        names: Of indicator and place.
        timezone: In which its days are counted.
        reading: What the copy of totals says now.
        was_lagging: What the last look left behind.
        was_at_risk: The same.
        seen: What is judged of all this.
        limits: Between which a chance of missing is a risk.
        gap: What it lacks because agencies are silent.
        silent_bp: Share of silent agencies from which it is unknown.
        outlook: The last forecast, however old; None before the first.
        no_forecast: Why nothing is forecast, if so.
        stored: The status of the last look; None before the first.
        stored_since: Since when it holds.
        looked_at: When the last look was.
        next_at: When the next is, unless a total changes before.
        alerts: Those that ever left their quiet state.
        today: The local day of `now`.
        now: The instant, by the database's clock.
    """

    target: Target
    names: Names
    timezone: str
    reading: Reading
    was_lagging: bool
    was_at_risk: bool
    seen: Assessment
    limits: RiskLimits
    gap: Gap
    silent_bp: int
    outlook: Outlook | None
    no_forecast: str | None
    stored: Status | None
    stored_since: datetime | None
    looked_at: datetime | None
    next_at: datetime | None
    alerts: tuple[StoredAlert, ...]
    today: date
    now: datetime


Value = int | str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the arithmetic.

    Attributes:
        name: For programs.
        label: For people; at most 10 characters.
        value: What comes out: an integer, or a fraction as `a/b`, or a word.
        lines: The arithmetic in words and figures.
        source: Where its numbers come from.
    """

    name: str
    label: str
    value: Value
    lines: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a status is what it is.

    Attributes:
        target: The target's id.
        at: For which instant.
        status: What is judged then.
        steps: In the order in which they follow from each other.
    """

    target: str
    at: datetime
    status: Status
    steps: tuple[Step, ...]


def exact_value(number: Fraction | int | None) -> Value:
    """Return a number as programs read it: an integer, or a fraction `a/b`."""
    if number is None or isinstance(number, int):
        return number
    if number.denominator == 1:
        return number.numerator
    return f"{number.numerator}/{number.denominator}"
