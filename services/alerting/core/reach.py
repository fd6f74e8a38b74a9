"""Which addresses a webhook may lead to.

A name is resolved by whoever owns it, anew each time, so the address is judged that a
connection is about to be opened to, and not the name.
"""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import Final

Network = IPv4Network | IPv6Network
_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")


def may_reach(address: str, allowed: Iterable[Network]) -> bool:
    """Tell whether a connection may be opened to an address.

    Public ones always; of all others (this machine, private and shared networks, the
    cloud's own services, multicast) only those that the operator allows. An address
    that leads on to another, by mapping or translation, is judged as that one too.

    Args:
        address: As the resolver gives it, perhaps with a zone.
        allowed: Networks that are not public and are meant.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        # An interface of this machine is not what an operator allows.
        if found.scope_id is not None:
            return False
        inner = _embedded(found)
        if inner is not None:
            return may_reach(str(inner), allowed)
    if any(found.version == each.version and found in each for each in allowed):
        return True
    return found.is_global and not found.is_multicast and not found.is_reserved


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address at which a packet to an IPv6 address comes out."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    is_compatible = address in _COMPATIBLE and int(address) > 1
    if address in _NAT64 or is_compatible:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
