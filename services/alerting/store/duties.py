"""What agencies owe, taken over from the catalogue."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from services.alerting.sql import CONTROL, QUERIES, SILENCE
from services.alerting.store.session import Session, columns
from shared.catalogue.model import (
    Agency,
    Catalogue,
    Locality,
    LocalityKey,
    LocalityKind,
)


async def take_over_duties(session: Session, catalogue: Catalogue) -> None:
    """Make the duties in Postgres those of the catalogue.

    One that stays keeps what was heard; a new one is expected from now on. Of an
    agency that has no door to send through nothing is expected. Who has one may send
    without owing reports: what it claims is compared all the same.

    Args:
        session: In a transaction that has locked the copy and taken units over.
        catalogue: Checked.
    """
    await session.execute(SILENCE["start_listening"])
    senders = sorted(
        (agency for agency in catalogue.agencies.values() if agency.can_send()),
        key=lambda agency: agency.id,
    )
    places = {agency.id: _place(agency, catalogue) for agency in senders}
    pairs = [
        (agency, indicator)
        for agency in senders
        for indicator in sorted(agency.indicators)
    ]
    rows = [
        _duty(agency, indicator, places[agency.id], catalogue)
        for agency, indicator in pairs
    ]
    owed = [
        (agency.id, indicator)
        for agency, indicator in pairs
        if agency.required or agency.cadence_of(indicator) is not None
    ]
    await session.execute(SILENCE["save_duties"], *columns(rows, 11))
    await session.execute(SILENCE["remove_duties"], *columns(owed, 2))
    await session.execute(
        CONTROL["save_senders"],
        [agency.id for agency, _ in pairs],
        [indicator for _, indicator in pairs],
        catalogue.window_days,
    )
    await session.execute(CONTROL["compare_everything"])
    units = await session.fetch(QUERIES["read_units"])
    feeds = [
        (row["unit_id"], agency.id)
        for agency in senders
        if agency.required
        for row in _fed(agency, units, catalogue)
    ]
    await session.execute(SILENCE["clear_required"])
    await session.execute(SILENCE["add_required"], *columns(feeds, 2))


def _place(agency: Agency, catalogue: Catalogue) -> tuple[str, str]:
    """Return the kind of the top of what an agency reports for, and its province."""
    top = max(_bearers(agency.locality, catalogue), key=lambda place: place.key)
    chain = [catalogue.tree.get(key) for key in catalogue.tree.ancestors(top.key)]
    province = next(
        (row.key.code for row in chain if row and row.kind is LocalityKind.PROVINCE), ""
    )
    return top.kind.value, province


def _duty(
    agency: Agency, indicator_id: str, place: tuple[str, str], catalogue: Catalogue
) -> tuple[Any, ...]:
    indicator = catalogue.indicators[indicator_id]
    hours = agency.cadence_of(indicator_id)
    return (
        agency.id,
        indicator_id,
        agency.name,
        indicator.name,
        indicator.name_vi,
        agency.locality,
        *place,
        catalogue.timezone,
        None if hours is None else timedelta(hours=hours),
        agency.required,
    )


def _fed(agency: Agency, units: Iterable[Any], catalogue: Catalogue) -> Iterable[Any]:
    """Find the units that an agency may feed: within its subtree, or around it."""
    around = {
        key
        for place in _bearers(agency.locality, catalogue)
        for key in catalogue.tree.ancestors(place.key)
    }
    for row in units:
        if row["indicator"] not in agency.indicators:
            continue
        key = LocalityKey(row["locality"], row["valid_from"])
        above = catalogue.tree.ancestors(key)
        if key in around or any(one.code == agency.locality for one in above):
            yield row


def _bearers(code: str, catalogue: Catalogue) -> list[Locality]:
    """List the units that ever bore a code; the catalogue's check found one."""
    return [place for place in catalogue.tree.localities if place.key.code == code]
