"""Who is told, how it is signed, and where it may lead."""

import base64
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest

from services.alerting.core.alerts import Kind
from services.alerting.core.life_cycle import State
from services.alerting.core.reach import may_reach
from services.alerting.core.webhooks import (
    Transition,
    Webhook,
    addressees,
    read_secret,
    signed_headers,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - published
"""The secret of the example that Standard Webhooks publishes."""
AT = datetime.fromtimestamp(1_614_265_330, UTC)
BODY = b'{"test": 2432232314}'
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_signature_is_that_of_the_published_example() -> None:
    """Any library of Standard Webhooks can check what is sent."""
    assert signed_headers(MESSAGE, BODY, [read_secret(SECRET)], AT) == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_both_secrets_sign_while_one_replaces_the_other() -> None:
    """A receiver that knows either of them takes the message."""
    keys = [b"n" * 32, read_secret(SECRET)]
    signatures = signed_headers(MESSAGE, BODY, keys, AT)["webhook-signature"].split()
    assert len(set(signatures)) == 2
    assert signatures[1] == SIGNATURE


@pytest.mark.parametrize(
    ("message", "body", "at"),
    [
        ("msg_other", BODY, AT),
        (MESSAGE, b'{"test": 2432232315}', AT),
        (MESSAGE, BODY, datetime.fromtimestamp(1_614_265_331, UTC)),
    ],
)
def test_neither_id_nor_body_nor_instant_can_be_exchanged(
    message: str, body: bytes, at: datetime
) -> None:
    """Each of them is signed."""
    headers = signed_headers(message, body, [read_secret(SECRET)], at)
    assert headers["webhook-signature"] != SIGNATURE


@pytest.mark.parametrize(
    ("secret", "wrong"),
    [
        ("", "does not begin"),
        (SECRET.removeprefix("whsec_"), "does not begin"),
        ("whsec_???", "is not base64"),
        ("whsec_" + base64.b64encode(b"s" * 23).decode(), "holds 23 bytes"),
        ("whsec_" + base64.b64encode(b"s" * 65).decode(), "holds 65 bytes"),
    ],
)
def test_secret_that_protects_nothing_is_refused_and_not_repeated(
    secret: str, wrong: str
) -> None:
    """An empty file, a short secret, something else by mistake."""
    with pytest.raises(ValueError, match=wrong) as caught:
        read_secret(secret)
    rest = secret.removeprefix("whsec_")
    assert not rest or rest not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_webhook_is_told_what_it_asked_for() -> None:
    """By kind, state and province; by default that alerts begin and are over."""
    webhooks = [
        Webhook("all"),
        Webhook("every-state", states=frozenset(State)),
        Webhook("missed", kinds=frozenset({Kind.MISSED})),
        Webhook("province", provinces=frozenset({"38"})),
    ]

    def told(kind: Kind, state: State, province: str) -> tuple[str, ...]:
        return addressees(webhooks, Transition(kind, state, province))

    assert told(Kind.LAGGING, State.FIRING, "38") == ("all", "every-state", "province")
    assert told(Kind.LAGGING, State.RESOLVED, "22") == ("all", "every-state")
    assert told(Kind.LAGGING, State.PENDING, "38") == ("every-state",)
    assert told(Kind.MISSED, State.FIRING, "") == ("all", "every-state", "missed")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",  # noqa: S104 - an address that is refused, not listened on
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fe80::1",
        "fd00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "localhost",
        "",
    ],
)
def test_address_that_is_not_public_is_not_reached(address: str) -> None:
    """This machine, the networks behind it, and whatever leads there in disguise."""
    assert not may_reach(address, ())


@pytest.mark.parametrize(
    "address", ["203.162.0.1", "8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"]
)
def test_public_address_is_reached(address: str) -> None:
    """By translation too."""
    assert may_reach(address, ())


def test_operator_allows_networks_of_their_own_and_no_others() -> None:
    """Of either version, and an IPv4 network in either spelling of an address."""
    allowed = (ip_network("10.20.0.0/16"), ip_network("fd00:20::/32"))
    for address in ("10.20.3.4", "::ffff:10.20.3.4", "fd00:20::5", "8.8.8.8"):
        assert may_reach(address, allowed), address
    for address in ("10.21.0.1", "fd00:21::5", "127.0.0.1", "fd00:20::5%eth0"):
        assert not may_reach(address, allowed), address
