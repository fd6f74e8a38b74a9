"""Webhooks over TLS: who is believed to be the receiver, and who is not."""

import logging
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Final

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from services.alerting.core.retries import KEEP
from services.alerting.endpoints import load_endpoints
from services.alerting.relay import WebhookDelivery
from services.alerting.store import WebhookStore
from shared.alerting_metrics import WebhookMetrics
from shared.postgres.pool import open_pool
from tests.support.certificates import Authority, Identity
from tests.support.hooks import SECRET, receiving
from tests.support.sending import outcomes, queue, work
from tests.support.stack import Stack

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]
HOST: Final = "127.0.0.1"


@pytest.fixture
async def pool(stack: Stack) -> AsyncIterator[asyncpg.Pool]:
    """Connect as alerting does."""
    made = await open_pool(stack.postgres_settings, role="uptake_alerting", size_max=4)
    yield made
    await made.close()


def sender(
    pool: asyncpg.Pool, folder: Path, port: int, *, id_: str, ca: Path | None
) -> WebhookDelivery:
    """Make a sender of one webhook, as its file says."""
    (folder / "secret").write_text(SECRET)
    file = folder / f"{id_}.yaml"
    authority = "" if ca is None else f", ca_file: '{ca}'"
    file.write_text(
        f"- {{id: {id_}, url: 'https://{HOST}:{port}/', secret_file: secret"
        f"{authority}}}\n"
    )
    (endpoint,) = load_endpoints(file)
    return WebhookDelivery(
        WebhookStore(pool),
        WebhookMetrics(CollectorRegistry()),
        lambda: {id_: endpoint},
        timeout=timedelta(seconds=5),
        networks=(ip_network(f"{HOST}/32"),),
        keep=KEEP,
        on_outage=lambda _: None,
    )


def server(
    identity: Identity, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> ssl.SSLContext:
    """Make what a server of TLS shows itself with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = version
    context.load_cert_chain(identity.certificate, identity.key)
    return context


async def test_receiver_with_the_certificate_of_its_authority_is_told(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    """Over TLS 1.2 too, and signed as ever."""
    authority = Authority(tmp_path / "pki")
    identity = authority.issue(HOST)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        id_ = version.name.lower().replace("_", "-")
        async with receiving(tls=server(identity, version)) as hooks:
            sends = sender(pool, tmp_path, hooks.port, id_=id_, ca=authority.path)
            await queue(pool, (id_, "firing"), hook=id_)
            await work(sends, 1)
            (received,) = hooks.received
            assert received.is_signed_with(SECRET)
        assert (await outcomes(pool))[f"{id_}/firing"] == ("told", 1, "")


async def test_receiver_that_proves_nothing_is_told_nothing(
    pool: asyncpg.Pool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The message waits, and why is logged and on record; it is told once mended."""
    authority = Authority(tmp_path / "pki")
    other = Authority(tmp_path / "other")
    right = authority.issue(HOST)
    cases = {
        "other-authority": (right, other.path),
        "system-authorities": (right, None),
        "other-name": (authority.issue("hooks.example.vn"), authority.path),
        "other-certificate": (other.issue(HOST), authority.path),
    }
    for id_, (identity, ca) in cases.items():
        async with receiving(tls=server(identity)) as hooks:
            await queue(pool, (id_, "firing"), hook=id_)
            with caplog.at_level(logging.WARNING):
                await work(sender(pool, tmp_path, hooks.port, id_=id_, ca=ca), 1)
            assert hooks.received == []
        assert (await outcomes(pool))[f"{id_}/firing"] == (
            "waiting",
            1,
            "bad_certificate",
        )
    async with receiving() as hooks:
        await queue(pool, ("plain", "firing"), hook="plain")
        plain = sender(pool, tmp_path, hooks.port, id_="plain", ca=authority.path)
        with caplog.at_level(logging.WARNING):
            await work(plain, 1)
        assert hooks.received == []
    assert (await outcomes(pool))["plain/firing"] == ("waiting", 1, "no_tls")
    told = [vars(each) for each in caplog.records]
    reasons = [each["reasons"] for each in told if "webhook" in each]
    assert reasons == [["bad_certificate"]] * 4 + [["no_tls"]]
    assert HOST not in str([each["reasons"] for each in told if "webhook" in each])
    await pool.execute("UPDATE alerting.delivery SET next_at = now()")
    await pool.execute("UPDATE alerting.webhook SET next_at = now()")
    async with receiving(tls=server(right)) as hooks:
        mended = sender(pool, tmp_path, hooks.port, id_="other-name", ca=authority.path)
        await work(mended, 1)
        assert len(hooks.received) == 1
    assert (await outcomes(pool))["other-name/firing"] == ("told", 2, "")
