"""Webhooks: who is told of which transition, and how a message is signed.

Signed as Standard Webhooks 1.0.0 says (https://www.standardwebhooks.com), so that
whoever receives needs none of our code to check it.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.alerting.core.agency_alerts import ALL_KINDS, AnyKind
from services.alerting.core.life_cycle import State

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - says what a secret begins with
SECRET_BYTES_MIN: Final = 24
SECRET_BYTES_MAX: Final = 64
TOLD_STATES: Final = frozenset({State.FIRING, State.RESOLVED})
"""What is told unless a webhook asks for more: that it begins, and that it is over."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Who is told of what.

    Attributes:
        id: Its name for ever; what waits for it goes by that name.
        kinds: Alerts that it is told of.
        states: States that it is told of.
        provinces: Codes of provinces; None for everywhere, the nation included.
    """

    id: str
    kinds: frozenset[AnyKind] = ALL_KINDS
    states: frozenset[State] = TOLD_STATES
    provinces: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """What of a transition decides who is told.

    Attributes:
        kind: Of the alert.
        state: That it has now.
        province: Code of the province that it is about; empty for the nation's.
    """

    kind: AnyKind
    state: State
    province: str


def addressees(webhooks: Iterable[Webhook], told: Transition) -> tuple[str, ...]:
    """Return the ids of the webhooks that are told of a transition, in their order."""
    return tuple(
        each.id
        for each in webhooks
        if told.kind in each.kinds
        and told.state in each.states
        and (each.provinces is None or told.province in each.provinces)
    )


def read_secret(text: str) -> bytes:
    """Return the key that a secret holds.

    Raises:
        ValueError: It is none; the message does not repeat it.
    """
    if not text.startswith(SECRET_PREFIX):
        raise ValueError(f"does not begin with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"is not base64 after {SECRET_PREFIX}") from None
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise ValueError(
            f"holds {len(key)} bytes, not {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX}"
        )
    return key


def signed_headers(
    message_id: str, body: bytes, keys: Sequence[bytes], at: datetime
) -> dict[str, str]:
    """Return the headers by which a receiver knows that a message is ours.

    Id, instant and body are signed together: none can be exchanged, and who keeps
    the ids of five minutes is not told twice by somebody who has overheard one.

    Args:
        message_id: The same on every try; without a full stop.
        body: As it is sent.
        keys: All that are valid; two while one replaces the other.
        at: The instant of this try.
    """
    seconds = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), seconds.encode(), body))
    signatures = (hmac.new(key, content, hashlib.sha256).digest() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(
            "v1," + base64.b64encode(signature).decode() for signature in signatures
        ),
    }
