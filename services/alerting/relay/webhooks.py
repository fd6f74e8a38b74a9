"""Transitions, from Postgres to signed webhooks.

One sender at a time for each webhook, whichever replica it is in. What is sent is what
was queued with the transition; when, how much and until when is decided by
`core.retries`.
"""

import asyncio
import logging
import random
import socket
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Never, TypeVar

import aiohttp

from services.alerting.core.reach import Network, may_reach
from services.alerting.core.retries import (
    ALLOWANCE_MAX,
    Answer,
    Outcome,
    Pause,
    after_round,
    answer_of,
    judge,
)
from services.alerting.core.webhooks import signed_headers
from services.alerting.endpoints import Endpoint
from services.alerting.store import WebhookStore
from services.alerting.store.webhooks import Claim, Message
from shared.alerting_metrics import WebhookMetrics
from shared.backoff import wait_out

POLL_SECONDS: Final = 0.5
UPKEEP_SECONDS: Final = 5.0
IN_FLIGHT_MAX: Final = 8
# Rounds at a time: a receiver that hangs until the timeout holds up no other.
ROUNDS_MAX: Final = 4
# A claim outlives its slowest round, so that nobody else sends the same meanwhile.
LEASE_EXTRA: Final = timedelta(seconds=30)
NOTHING_DUE_PAUSE: Final = timedelta(seconds=1)
RETRY_AFTER_DIGITS_MAX: Final = 6
_HEADERS: Final = {
    "content-type": "application/cloudevents+json; charset=utf-8",
    "user-agent": "uptake-alerting",
}

# The first that fits.
_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorCertificateError, "bad_certificate"),
    (aiohttp.ClientSSLError, "no_tls"),
    (aiohttp.ClientConnectorDNSError, "unknown_name"),
    (aiohttp.ClientConnectorError, "no_connection"),
    (aiohttp.ServerDisconnectedError, "no_answer"),
    (ConnectionError, "no_answer"),
)

ResultT = TypeVar("ResultT")

_log = logging.getLogger(__name__)


class AddressRefusedError(OSError):
    """the webhook's name leads to an address that webhooks may not lead to."""


class WebhookDelivery:
    """Sends what waits, again and again until it is taken or too old."""

    def __init__(
        self,
        store: WebhookStore,
        metrics: WebhookMetrics,
        endpoints: Callable[[], Mapping[str, Endpoint]],
        *,
        timeout: timedelta,
        networks: Sequence[Network],
        keep: timedelta,
        on_outage: Callable[[str | None], None],
    ) -> None:
        """Take what is needed.

        Args:
            store: Holds what waits.
            metrics: Told what came of each try.
            endpoints: Where webhooks lead now, by their ids.
            timeout: Longest that one try may take.
            networks: That webhooks may lead to although they are not public.
            keep: How long a message is tried.
            on_outage: Told of Postgres's outages.
        """
        self._store = store
        self._metrics = metrics
        self._endpoints = endpoints
        self._added: frozenset[str] = frozenset()
        self._timeout = timeout
        self._networks = tuple(networks)
        self._keep = keep
        self._on_outage = on_outage
        rounds = -(-ALLOWANCE_MAX // IN_FLIGHT_MAX)
        self._lease = rounds * timeout + LEASE_EXTRA

    async def run(self) -> None:
        """Send until cancelled."""
        # Names are resolved anew for each connection, and each address is judged. No
        # proxy of the environment stands between, since it would judge for us; no
        # cookie is kept.
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=IN_FLIGHT_MAX * ROUNDS_MAX,
                    use_dns_cache=False,
                    force_close=True,
                    socket_factory=self._open_socket,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._timeout.total_seconds()),
                headers=_HEADERS,
                auto_decompress=False,
                trust_env=False,
            ) as session,
            asyncio.TaskGroup() as tasks,
        ):
            for place in range(ROUNDS_MAX):
                tasks.create_task(self._work(session, place))

    async def _work(self, session: aiohttp.ClientSession, place: int) -> Never:
        while True:
            # Those of now; a round goes on as it was begun.
            endpoints = self._endpoints()
            claim = None
            # More workers than webhooks would only ask the database for nothing.
            if place < len(endpoints):
                claim = await self._claim(list(endpoints))
            if claim is None:
                # Messages are queued by any replica; the table is asked.
                await asyncio.sleep(POLL_SECONDS)
            else:
                await self._round(session, endpoints[claim.webhook], claim)

    async def _claim(self, names: Sequence[str]) -> Claim | None:
        if not self._added.issuperset(names):
            await self._wait_out("add_webhooks", lambda: self._store.add(names))
            self._added = frozenset(names)
        return await self._wait_out(
            "claim_webhook",
            lambda: self._store.claim(names, uuid.uuid4(), self._lease),
        )

    async def _wait_out(
        self, what: str, action: Callable[[], Awaitable[ResultT]]
    ) -> ResultT:
        return await wait_out(what, action, on_outage=self._on_outage)

    def _open_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Open a socket to an address that webhooks may lead to.

        Here and nowhere else: a name may mean another address each time it is asked
        for, and addresses that are no names never pass a resolver.
        """
        family, kind, protocol, _, address = info
        if not may_reach(str(address[0]), self._networks):
            raise AddressRefusedError("address refused")
        return socket.socket(family, kind, protocol)

    async def _round(
        self, session: aiohttp.ClientSession, endpoint: Endpoint, claim: Claim
    ) -> None:
        """Send at most the allowance, and note what came of it.

        A crash between the two repeats the round with the same ids; it begins when
        the lease ends.
        """
        messages = await self._wait_out(
            "read_messages", lambda: self._store.messages(claim)
        )
        _note_sent_again(claim.webhook, messages)
        begun = await self._wait_out("read_clock", self._store.now)
        room = asyncio.Semaphore(IN_FLIGHT_MAX)

        async def send(message: Message) -> Answer:
            async with room:
                return await self._send(session, endpoint, message, begun)

        async with asyncio.TaskGroup() as tasks:
            tries = [tasks.create_task(send(message)) for message in messages]
        answers = [each.result() for each in tries]
        now = await self._wait_out("read_clock", self._store.now)
        fates = [
            (
                message.delivery_id,
                judge(
                    message.waiting, answer, now=now, spread=_spread(), keep=self._keep
                ),
            )
            for message, answer in zip(messages, answers, strict=True)
        ]
        pause = Pause(claim.health, now + NOTHING_DUE_PAUSE)
        if answers:
            pause = after_round(claim.health, answers, now=now, spread=_spread())
        await self._wait_out(
            "save_fates", lambda: self._store.save(claim, fates, pause)
        )
        self._tell(claim.webhook, answers, pause)

    async def _send(
        self,
        session: aiohttp.ClientSession,
        endpoint: Endpoint,
        message: Message,
        at: datetime,
    ) -> Answer:
        headers = signed_headers(message.message_id, message.body, endpoint.keys, at)
        try:
            async with session.post(
                endpoint.url,
                data=message.body,
                headers=headers,
                allow_redirects=False,
                # Verified either way, the name too.
                ssl=True if endpoint.tls is None else endpoint.tls,
            ) as response:
                # What it writes is not read: it may be anything, and is kept nowhere.
                asked = _retry_after(response.headers.get("retry-after", ""))
                return answer_of(response.status, asked)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Answer(Outcome.AWAY, _reason_of(error))

    def _tell(self, webhook: str, answers: Sequence[Answer], pause: Pause) -> None:
        for answer in answers:
            self._metrics.tries.labels(webhook, answer.outcome.value).inc()
        missed = [each for each in answers if each.outcome is not Outcome.TAKEN]
        if missed:
            _log.warning(
                "webhook_not_taken",
                extra={
                    "webhook": webhook,
                    "messages": len(missed),
                    "reasons": sorted({each.reason for each in missed}),
                    "failures": pause.health.failures,
                },
            )
        if len(missed) < len(answers):
            _log.info(
                "webhook_told",
                extra={"webhook": webhook, "messages": len(answers) - len(missed)},
            )


class WebhookUpkeep:
    """Gives up what is too old, forgets what is long over, shows what waits."""

    def __init__(
        self,
        store: WebhookStore,
        metrics: WebhookMetrics,
        webhooks: Callable[[], Iterable[str]],
        *,
        keep: timedelta,
        on_outage: Callable[[str | None], None],
    ) -> None:
        """Take what is needed.

        Args:
            store: Holds what waits.
            metrics: Shown to Prometheus.
            webhooks: Ids of those of now: the label set stays bounded.
            keep: How long a message is tried.
            on_outage: Told of Postgres's outages.
        """
        self._store = store
        self._metrics = metrics
        self._webhooks = webhooks
        self._keep = keep
        self._on_outage = on_outage

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            given_up = await wait_out(
                "clear_up_deliveries",
                lambda: self._store.clear_up(self._keep),
                on_outage=self._on_outage,
            )
            if given_up:
                _log.error("webhook_messages_given_up", extra={"messages": given_up})
            gauges = await wait_out(
                "read_webhook_gauges",
                lambda: self._store.gauges(list(self._webhooks())),
                on_outage=self._on_outage,
            )
            for gauge in (
                self._metrics.waiting,
                self._metrics.dead,
                self._metrics.oldest,
            ):
                # A webhook that was taken out of the file is shown no more.
                gauge.clear()
            for row in gauges:
                self._metrics.waiting.labels(row.webhook).set(row.waiting)
                self._metrics.dead.labels(row.webhook).set(row.dead)
                self._metrics.oldest.labels(row.webhook).set(row.oldest_seconds)
            # The interval of the gauges; what is given up is hours old anyway.
            await asyncio.sleep(UPKEEP_SECONDS)


def _note_sent_again(webhook: str, messages: Sequence[Message]) -> None:
    """Write down, before it is done, what an operator has sent again."""
    again = [
        each
        for each in messages
        if each.resent_by is not None and not each.waiting.tries
    ]
    if again:
        _log.warning(
            "webhook_messages_sent_again",
            extra={
                "webhook": webhook,
                "by": sorted({str(each.resent_by) for each in again}),
                "messages": len(again),
                "deliveries": [each.delivery_id for each in again],
            },
        )


def _spread() -> float:
    # Keeps tries apart; nothing secret depends on it.
    return random.random()  # noqa: S311


def _retry_after(text: str) -> timedelta:
    """Read a number of seconds; a date, or anything else, is not followed."""
    if not text.isascii() or not text.isdecimal() or len(text) > RETRY_AFTER_DIGITS_MAX:
        return timedelta()
    return timedelta(seconds=int(text))


def _reason_of(error: Exception) -> str:
    """Return a code for why there was no answer; never the error's own words.

    They hold the address, which may be a secret.
    """
    cause = getattr(error, "os_error", None)
    if isinstance(cause, AddressRefusedError):
        return "address_refused"
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return "bad_answer"
