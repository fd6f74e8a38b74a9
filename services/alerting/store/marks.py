"""Marking targets whose figures have changed."""

from collections.abc import Sequence

from services.alerting.sql import COPY
from services.alerting.store.session import Session


async def mark_targets(session: Session, unit_ids: Sequence[int]) -> None:
    """Have the targets of units looked at, each by a look that sees the change.

    Waits for the looks that have some of them, each once: what no look has is kept from
    later ones first.

    Args:
        session: In a transaction that has locked the positions, so that no other one
            marks.
        unit_ids: What has changed in it.
    """
    await session.execute(COPY["keep_targets"], unit_ids)
    await session.execute(COPY["mark_targets"], unit_ids)
