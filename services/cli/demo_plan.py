"""Who reports what in the demo: published figures of one province, cut into events.

Pure. The figures are published; the agencies, and how the figures spread over
communes and days, are made up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from services.cli.simulate.plan import AgencyPlan, Flow
from services.cli.simulate.truth import communes_below, counting_type
from shared.catalogue.figures import Figure
from shared.catalogue.model import Catalogue

PROVINCE: Final = "38"
PROVINCE_NAME: Final = "Thanh Hóa"
DAY_COUNT: Final = 50
TARGET_ID: Final = "demo-cashless"
TARGET_INDICATOR: Final = "cashless_accounts"
TARGET_GOAL: Final = 2_000_000
TARGET_DAYS_AHEAD: Final = 40

_TRADE: Final = (
    "ecommerce_sellers",
    "ecommerce_products",
    "ocop_products",
    "ecommerce_buyers",
    "ecommerce_transactions",
)
# Reported as one sum per commune and day, as such offices do.
_DAILY_SUMS: Final = frozenset(
    {"health_insurance_cards", "documents_exchanged", "traceability_stamps"}
)
# Accounts come in by small handfuls, the rest one by one.
_MEAN_SIZES: Final = {"cashless_accounts": 11}


@dataclass(frozen=True, slots=True)
class DemoAgency:
    """An agency made up for the demo.

    Attributes:
        id: Its id in the catalogue.
        name: Its name for people; says that it is made up.
        source: Its one source.
        indicators: What it reports.
        key: Made anew for each run.
    """

    id: str
    name: str
    source: str
    indicators: tuple[str, ...]
    key: str = field(repr=False)


def demo_agencies(new_key: Iterable[str]) -> tuple[DemoAgency, ...]:
    """Make up the agencies: two markets, eight payment services, seven offices.

    Args:
        new_key: A fresh key at each step; as many as there are agencies, or more.
    """
    rows: list[tuple[str, str, tuple[str, ...]]] = []
    for market in ("voso", "postmart"):
        for desk in ("", "-2", "-3", "-4"):
            number = desk.removeprefix("-") or "1"
            rows.append((f"{market}{desk}", f"{market.title()}, desk {number}", _TRADE))
    rows += [
        (f"payments-{number}", f"Payment service {number}", ("cashless_accounts",))
        for number in range(1, 9)
    ]
    rows += [
        ("health-insurance", "Health insurance", ("health_insurance_cards",)),
        ("health", "Department of health", ("medical_facilities_chip_id",)),
        ("documents", "Document exchange", ("documents_exchanged",)),
        ("feedback", "Feedback system", ("feedback_submissions",)),
        ("traceability", "Product traceability", ("traceability_stamps",)),
        ("enterprises", "Enterprise support", ("enterprises_supported",)),
        ("social", "Social protection", ("cashless_beneficiaries",)),
    ]
    keys = iter(new_key)
    return tuple(
        DemoAgency(
            id=f"tha-{slug}",
            name=f"{PROVINCE_NAME}: {name} (illustrative)",
            source=f"/vn/{PROVINCE}/{slug}",
            indicators=indicators,
            key=next(keys),
        )
        for slug, name, indicators in rows
    )


def demo_days(today: date) -> tuple[date, ...]:
    """Return the days that the figures are spread over: whole ones only."""
    return tuple(today - timedelta(days=back) for back in range(DAY_COUNT, 0, -1))


def province_figures(figures: Iterable[Figure]) -> tuple[Figure, ...]:
    """Keep the figures of the demo's province, in the order given."""
    return tuple(figure for figure in figures if figure.locality.code == PROVINCE)


def plan_demo(
    catalogue: Catalogue,
    figures: tuple[Figure, ...],
    agencies: tuple[DemoAgency, ...],
    today: date,
    *,
    events_wanted: int | None = None,
) -> tuple[AgencyPlan, ...]:
    """Spread the figures over agencies, communes, days and events.

    Args:
        catalogue: Tells communes and event types.
        figures: The province's.
        agencies: Together they report every indicator that has a figure.
        today: Local day; the events lie before it.
        events_wanted: About so many events, by making each larger; None for the
            sizes that agencies would send.
    """
    days = demo_days(today)
    leaves = communes_below(catalogue, PROVINCE, days[0])
    flows: dict[str, list[Flow]] = {agency.id: [] for agency in agencies}
    whole = sum(_event_count(figure, len(leaves)) for figure in figures)
    for figure in figures:
        event_count = _event_count(figure, len(leaves))
        if events_wanted is not None:
            event_count = max(1, event_count * events_wanted // whole)
        reporters = [one for one in agencies if figure.indicator in one.indicators]
        type_, names_indicator = counting_type(catalogue, figure.indicator)
        for at, agency in enumerate(reporters):
            of = len(reporters)
            count = _part(figure.count, at, of)
            if count == 0:
                continue
            amount = None if figure.amount is None else _part(figure.amount, at, of)
            flow = Flow(
                id_prefix=f"{figure.indicator}-",
                source=agency.source,
                type=type_,
                indicator=figure.indicator,
                names_indicator=names_indicator,
                count=count,
                amount=amount,
                event_count=min(count, max(1, _part(event_count, at, of))),
                leaves=leaves,
                days=days,
                is_daily_sum=figure.indicator in _DAILY_SUMS,
            )
            flows[agency.id].append(flow)
    return tuple(
        AgencyPlan(agency=agency.id, key=agency.key, flows=tuple(flows[agency.id]))
        for agency in agencies
    )


def _event_count(figure: Figure, leaf_count: int) -> int:
    if figure.indicator in _DAILY_SUMS:
        return min(figure.count, leaf_count * DAY_COUNT)
    return max(1, figure.count // _MEAN_SIZES.get(figure.indicator, 1))


def _part(whole: int, at: int, part_count: int) -> int:
    """Return one of the nearly equal parts that make up the whole."""
    return (at + 1) * whole // part_count - at * whole // part_count
