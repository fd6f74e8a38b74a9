"""An independent recount: what must be in the totals, from what was acknowledged.

Knows nothing of the services' code: a set of ids, each with its effect.
"""

from dataclasses import dataclass, field

from tests.support.stack import Stack

Series = tuple[str, str]
"""(indicator, commune)."""


@dataclass(slots=True)
class Auditor:
    """The truth about a test's load.

    Attributes:
        effects: Of each acknowledged event: its series and its count.
        voided: Ids whose reversal was acknowledged.
        copies_sent: Acknowledged records, duplicates and retries included.
    """

    effects: dict[tuple[str, str], tuple[Series, int]] = field(default_factory=dict)
    voided: set[tuple[str, str]] = field(default_factory=set)
    copies_sent: int = 0

    def acknowledge(self, event: dict[str, object]) -> None:
        """Note an event that was answered with 202."""
        self.copies_sent += 1
        data = event["data"]
        assert isinstance(data, dict)
        source = str(event["source"])
        if event["type"] == "uptake.event.reversed":
            self.voided.add((source, str(data["id"])))
            return
        series = ("cashless_accounts", str(data["locality"]))
        self.effects[(source, str(event["id"]))] = (series, int(data["count"]))

    def expected(self) -> dict[Series, int]:
        """Return the exact total of each series."""
        totals: dict[Series, int] = {}
        for key, (series, count) in self.effects.items():
            if key not in self.voided:
                totals[series] = totals.get(series, 0) + count
        return {series: total for series, total in totals.items() if total}

    async def check(self, stack: Stack) -> None:
        """Hold the database against the truth, to the unit.

        Every acknowledged id has exactly one end, the totals are the recount, and
        every level of the tree agrees with the one below.
        """
        rows = await stack.fetch("SELECT source, id, voided FROM reporting.ledger")
        ends = {(row["source"], row["id"]): row["voided"] for row in rows}
        assert len(ends) == len(rows)
        lost = [key for key in self.effects if key not in ends]
        assert not lost, f"{len(lost)} acknowledged events are lost, e.g. {lost[:3]}"
        wrong = [k for k in self.effects if ends[k] != (k in self.voided)]
        assert not wrong, f"wrongly voided or not: {wrong[:3]}"
        totals = await stack.fetch(
            "SELECT indicator, locality, sum(count) AS count "
            "FROM reporting.daily_total GROUP BY indicator, locality"
        )
        counted = {(row["indicator"], row["locality"]): row["count"] for row in totals}
        assert counted == self.expected()
        nation, _ = await stack.total("cashless_accounts", "VN")
        assert nation == sum(self.expected().values())


async def check_equation(stack: Stack) -> None:
    """Hold promise 3 and promise 4, as one snapshot shows them now."""
    rows = await stack.fetch(
        "SELECT applied, counted + duplicates + reversed + rejected AS classed, "
        "(SELECT coalesce(sum(count), 0) FROM reporting.running_total "
        " WHERE kind = 'nation') AS nation, "
        "(SELECT coalesce(sum(count), 0) FROM reporting.running_total "
        " WHERE kind IN ('commune', 'unallocated')) AS leaves "
        "FROM reporting.progress"
    )
    for row in rows:
        assert row["applied"] == row["classed"]
        assert row["nation"] == row["leaves"]
