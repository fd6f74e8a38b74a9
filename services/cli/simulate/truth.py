"""What a simulation makes true, planned before anything is sent. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from services.cli.simulate.plan import AgencyPlan, Flow, Tally
from shared.catalogue.model import Agency, Catalogue, Effect
from shared.errors import FatalError

GENERIC_TYPE: Final = "uptake.indicator.counted"
MEAN_SIZE: Final = 3
MEAN_AMOUNT: Final = 400_000


def counting_type(catalogue: Catalogue, indicator: str) -> tuple[str, bool]:
    """Find the event type that adds to an indicator.

    Returns:
        The type, and whether its events must name the indicator.
    """
    for kind in catalogue.event_types.values():
        is_adding = kind.effect is Effect.COUNT and kind.sign == 1
        if is_adding and kind.indicator == indicator and not kind.amount_only:
            return kind.type, False
    return GENERIC_TYPE, True


def communes_below(catalogue: Catalogue, code: str, day: date) -> tuple[str, ...]:
    """Return the codes of the communes of a unit on a day, sorted."""
    return tuple(
        sorted(
            leaf.key.code
            for leaf in catalogue.tree.leaves()
            if leaf.key.code.isdigit()
            and leaf.exists_on(day)
            and catalogue.tree.is_within(leaf.key, code, day)
        )
    )


def senders(
    catalogue: Catalogue, keys: Sequence[str]
) -> tuple[tuple[Agency, str], ...]:
    """Find the agency of each key.

    Raises:
        FatalError: A key belongs to none.
    """
    found = []
    for number, key in enumerate(keys, start=1):
        digest = hashlib.sha256(key.encode()).hexdigest()
        agency = catalogue.agency_for_key(digest)
        if agency is None:
            raise FatalError(
                f"key {number} belongs to no agency of the catalogue: is "
                "UPTAKE_CATALOGUE the one that ingest uses?"
            )
        found.append((agency, key))
    return tuple(found)


def plan_simulation(
    catalogue: Catalogue,
    agencies: Sequence[tuple[Agency, str]],
    days: tuple[date, ...],
    *,
    event_count: int,
    id_prefix: str,
) -> tuple[AgencyPlan, ...]:
    """Share events out over agencies and what each of them may report.

    Args:
        catalogue: Tells event types and communes.
        agencies: Who sends, each with its key; at least one.
        days: Local days, ascending.
        event_count: How many events, repeats and reversals not included.
        id_prefix: Begins every id, so that another simulation's differ.
    """
    pairs = [
        (agency, indicator)
        for agency, _ in agencies
        for indicator in sorted(agency.indicators)
    ]
    flows: dict[str, list[Flow]] = {agency.id: [] for agency, _ in agencies}
    for at, (agency, indicator) in enumerate(pairs):
        share = (at + 1) * event_count // len(pairs) - at * event_count // len(pairs)
        if share:
            flows[agency.id].append(
                _flow(
                    catalogue,
                    agency,
                    indicator,
                    days,
                    event_count=share,
                    id_prefix=id_prefix,
                )
            )
    return tuple(
        AgencyPlan(agency=agency.id, key=key, flows=tuple(flows[agency.id]))
        for agency, key in agencies
    )


def _flow(
    catalogue: Catalogue,
    agency: Agency,
    indicator: str,
    days: tuple[date, ...],
    *,
    event_count: int,
    id_prefix: str,
) -> Flow:
    type_, names_indicator = counting_type(catalogue, indicator)
    has_amount = catalogue.indicators[indicator].has_amount
    # A unit that has no communes is reported as itself.
    leaves = communes_below(catalogue, agency.locality, days[0]) or (agency.locality,)
    return Flow(
        id_prefix=f"{id_prefix}{indicator}-",
        source=agency.sources[0],
        type=type_,
        indicator=indicator,
        names_indicator=names_indicator,
        count=event_count * MEAN_SIZE,
        amount=event_count * MEAN_AMOUNT if has_amount else None,
        event_count=event_count,
        leaves=leaves,
        days=days,
    )


def describe_truth(
    plans: Sequence[AgencyPlan], tally: Tally, *, seed: int
) -> dict[str, object]:
    """Say what must be found when everything is counted, ready for JSON."""
    return {
        "seed": seed,
        "sent": tally.sent,
        "counted": tally.counted,
        "duplicates": tally.duplicates,
        "reversed": tally.reversed,
        "totals": [
            {
                "agency": plan.agency,
                "indicator": flow.indicator,
                "count": flow.count,
                "amount": flow.amount or 0,
            }
            for plan in plans
            for flow in plan.flows
        ],
    }


def sum_by_indicator(plans: Sequence[AgencyPlan]) -> Mapping[str, tuple[int, int]]:
    """Sum what plans bring: count and VND by indicator, in the order planned."""
    totals: dict[str, tuple[int, int]] = {}
    for plan in plans:
        for flow in plan.flows:
            count, amount = totals.get(flow.indicator, (0, 0))
            totals[flow.indicator] = (count + flow.count, amount + (flow.amount or 0))
    return totals
