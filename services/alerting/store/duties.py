"""What agencies owe, taken over from the catalogue."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from services.alerting.sql import QUERIES, SILENCE
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
    agency that has no door to send through nothing is expected.

    Args:
        session: In a transaction that has locked the copy and taken units over.
        catalogue: Checked.
    """
    await session.execute(SILENCE["start_listening"])
    senders = sorted(
        (agency for agency in catalogue.agencies.values() if agency.can_send()),
        key=lambda agency: agency.id,
    )
    rows = [
        _duty(agency, indicator, catalogue)
        for agency in senders
        for indicator in sorted(agency.indicators)
        if agency.required or agency.cadence_of(indicator) is not None
    ]
    await session.execute(SILENCE["save_duties"], *columns(rows, 11))
    await session.execute(
        SILENCE["remove_duties"], [row[0] for row in rows], [row[1] for row in rows]
    )
    units = await session.fetch(QUERIES["read_units"])
    feeds = [
        (row["unit_id"], agency.id)
        for agency in senders
        if agency.required
        for row in _fed(agency, units, catalogue)
    ]
    await session.execute(SILENCE["clear_required"])
    await session.execute(SILENCE["add_required"], *columns(feeds, 2))


def _duty(agency: Agency, indicator_id: str, catalogue: Catalogue) -> tuple[Any, ...]:
    indicator = catalogue.indicators[indicator_id]
    top = max(_bearers(agency.locality, catalogue), key=lambda place: place.key)
    chain = [catalogue.tree.get(key) for key in catalogue.tree.ancestors(top.key)]
    province = next(
        (row.key.code for row in chain if row and row.kind is LocalityKind.PROVINCE), ""
    )
    hours = agency.cadence_of(indicator_id)
    return (
        agency.id,
        indicator_id,
        agency.name,
        indicator.name,
        indicator.name_vi,
        agency.locality,
        top.kind.value,
        province,
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
