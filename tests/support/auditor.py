"""An independent recount: what must be in the totals, from what was acknowledged.

Knows nothing of the services' code: a set of ids, each with its effect.
"""

from dataclasses import dataclass, field

from tests.support.stack import Stack

Series = tuple[str, str]
"""(indicator, leaf)."""
EventKey = tuple[str, str]
"""(source, id)."""


def leaf_of(locality: str) -> str:
    """Return the leaf that bears what is reported for a locality.

    A commune itself; of a province or the nation, whose codes are short, what is
    unallocated there.
    """
    return f"{locality}-unallocated" if len(locality) == 2 else locality


@dataclass(slots=True)
class Auditor:
    """The truth about a test's load.

    Attributes:
        effects: Of each acknowledged event: its series and its count.
        voided: Ids whose reversal was acknowledged.
        reversals: Ids of those reversals.
        conflicts: Acknowledged records that say something else under an earlier id.
        copies_sent: Acknowledged records, duplicates and retries included.
    """

    effects: dict[EventKey, tuple[Series, int]] = field(default_factory=dict)
    voided: set[EventKey] = field(default_factory=set)
    reversals: set[EventKey] = field(default_factory=set)
    conflicts: int = 0
    copies_sent: int = 0

    def acknowledge(self, event: dict[str, object]) -> None:
        """Note an event that was answered with 202."""
        self.copies_sent += 1
        data = event["data"]
        assert isinstance(data, dict)
        source = str(event["source"])
        if event["type"] == "uptake.event.reversed":
            self.voided.add((source, str(data["id"])))
            self.reversals.add((source, str(event["id"])))
            return
        series = ("cashless_accounts", leaf_of(str(data["locality"])))
        effect = (series, int(data["count"]))
        if self.effects.setdefault((source, str(event["id"])), effect) != effect:
            self.conflicts += 1

    def expected(self) -> dict[Series, int]:
        """Return the exact total of each series."""
        totals: dict[Series, int] = {}
        for key, (series, count) in self.effects.items():
            if key not in self.voided:
                totals[series] = totals.get(series, 0) + count
        return {series: total for series, total in totals.items() if total}

    async def check(self, stack: Stack) -> None:
        """Hold the database against the truth, to the unit.

        Every acknowledged id has exactly one end, the classes and totals are the
        recount, and every level of the tree agrees with the one below.
        """
        rows = await stack.fetch("SELECT source, id, voided FROM reporting.ledger")
        ends = {(row["source"], row["id"]): row["voided"] for row in rows}
        assert len(ends) == len(rows)
        acknowledged = self.effects.keys() | self.reversals
        lost = sorted(acknowledged - ends.keys())
        strangers = sorted(ends.keys() - acknowledged)
        assert not strangers, f"{len(strangers)} nobody sent, e.g. {strangers[:3]}"
        assert not lost, f"{len(lost)} acknowledged events are lost, e.g. {lost[:3]}"
        wrong = [k for k in self.effects if ends[k] != (k in self.voided)]
        assert not wrong, f"wrongly voided or not: {wrong[:3]}"
        classes = await stack.classes()
        assert classes["counted"] == len(self.effects), classes
        assert classes["reversed"] == len(self.reversals), classes
        assert classes["rejected"] >= self.conflicts, classes
        totals = await stack.fetch(
            "SELECT indicator, locality, sum(count) AS count "
            "FROM reporting.daily_total GROUP BY indicator, locality"
        )
        counted = {(row["indicator"], row["locality"]): row["count"] for row in totals}
        assert counted == self.expected()
        await check_carried(stack)
        nation, _ = await stack.total("cashless_accounts", "VN")
        assert nation == sum(self.expected().values())


async def check_carried(stack: Stack) -> None:
    """Hold levels carried forward, and today's of each unit, against days alone.

    `leaf_total_on` adds up days and statements and knows of nothing carried.
    """
    parted = await stack.fetch("SELECT * FROM reporting.carried_difference LIMIT 3")
    assert parted == [], parted
    wrong = await stack.fetch(
        "SELECT indicator, code, s.count AS summed, t.count AS shown "
        "FROM (SELECT l.indicator, a.code, a.valid_from, sum(l.count) AS count "
        " FROM reporting.leaf_total_on('infinity') AS l "
        " JOIN reporting.locality_above AS a "
        " ON (a.leaf, a.leaf_valid_from) = (l.locality, l.valid_from) "
        " GROUP BY l.indicator, a.code, a.valid_from) AS s "
        "FULL JOIN (SELECT indicator, locality AS code, valid_from, count "
        " FROM reporting.running_total) AS t USING (indicator, code, valid_from) "
        "WHERE coalesce(s.count, 0) <> coalesce(t.count, 0) LIMIT 3"
    )
    assert wrong == [], wrong


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
