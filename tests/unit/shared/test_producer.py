"""A producer that cannot go on is replaced; one that may is kept; nothing is left."""

import asyncio
from dataclasses import dataclass, field

import pytest
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    NotEnoughReplicasError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
    UnknownError,
)

from shared.errors import TransientError
from shared.kafka import producer as steady
from shared.kafka.producer import Pending, SteadyProducer
from shared.settings import KafkaSettings

SETTINGS = KafkaSettings(kafka_bootstrap_servers="nowhere:9")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect again at once."""
    monkeypatch.setattr(steady, "CONNECT_INTERVAL_SECONDS", 0.0)


@dataclass(slots=True)
class FakeSender:
    """The task of a client that sends."""

    sender_task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class FakeClient:
    """A producer of the library, as far as it is used.

    Attributes:
        outcome: What its confirmations say; None leaves them open.
        is_stuck: Whether `stop` waits for a broker that is away.
    """

    outcome: KafkaError | str | None = None
    start_error: KafkaError | None = None
    is_stuck: bool = False
    is_stopped: bool = False
    is_closed: bool = False
    given_up: list[Exception] = field(default_factory=list)
    _sender: FakeSender = field(default_factory=FakeSender)

    @property
    def _message_accumulator(self) -> "FakeClient":
        """Be its own store of what is not yet delivered."""
        return self

    def fail_all(self, error: Exception) -> None:
        """Note that everything is given up."""
        self.given_up.append(error)

    @property
    def client(self) -> "FakeClient":
        """Be its own connection."""
        return self

    async def start(self) -> None:
        """Connect, or fail."""
        if self.start_error is not None:
            raise self.start_error

    async def stop(self) -> None:
        """End, unless stuck."""
        if self.is_stuck:
            await asyncio.Event().wait()
        self.is_stopped = True

    async def close(self) -> None:
        """Close the connections."""
        self.is_closed = True

    def send(self) -> asyncio.Future[str]:
        """Return a confirmation."""
        confirmation: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if isinstance(self.outcome, KafkaError):
            confirmation.set_exception(self.outcome)
        elif self.outcome is not None:
            confirmation.set_result(self.outcome)
        return confirmation


@dataclass(slots=True)
class Factory:
    """Gives the clients that a test prepared, in order."""

    clients: list[FakeClient]
    made: list[FakeClient] = field(default_factory=list)

    def __call__(self, _: KafkaSettings, **__: int) -> FakeClient:
        """Give the next."""
        self.made.append(self.clients[len(self.made)])
        return self.made[-1]


def made_of(*clients: FakeClient) -> tuple[SteadyProducer, Factory]:
    """Make a producer that gets these clients one after the other."""
    factory = Factory(list(clients))
    return SteadyProducer(SETTINGS, linger_ms=0, make=factory), factory


async def submit(client: FakeClient, pending: Pending) -> None:
    """Send one record."""
    pending.append(client.send())


async def unconfirmed(producer: SteadyProducer, *, seconds: float = 5.0) -> str:
    """Send what is not confirmed; return what is said."""
    with pytest.raises(TransientError) as caught:
        await producer.confirm(submit, timeout_seconds=seconds)
    return str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        ProducerFenced(),
        OutOfOrderSequenceNumber(),
        InvalidProducerEpoch(),
        TopicAuthorizationFailedError("uptake.events"),
        UnknownError(),
        KafkaError("the sending task ended"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_producer_that_cannot_go_on_is_replaced(error: KafkaError) -> None:
    """Unknown for this sender; the next one finds a producer that works."""
    producer, factory = made_of(FakeClient(error), FakeClient("durable"))
    assert type(error).__name__ in await unconfirmed(producer)
    assert factory.made[0].is_stopped
    confirmed = await producer.confirm(submit, timeout_seconds=5)
    assert [each.result() for each in confirmed] == ["durable"]


@pytest.mark.parametrize(
    "error",
    [NotEnoughReplicasError(), RequestTimedOutError(), KafkaConnectionError()],
    ids=lambda error: type(error).__name__,
)
async def test_producer_that_may_go_on_is_kept(error: KafkaError) -> None:
    """A new connection for each outage would be one more load on a broker in need."""
    producer, factory = made_of(FakeClient(error))
    await unconfirmed(producer)
    factory.made[0].outcome = "durable"
    await producer.confirm(submit, timeout_seconds=5)
    assert len(factory.made) == 1


async def test_late_confirmation_is_unknown_and_forgotten() -> None:
    """What comes after the deadline, error or not, troubles nobody."""
    producer, factory = made_of(FakeClient())
    open_ones: Pending = []

    async def submit_and_show(client: FakeClient, pending: Pending) -> None:
        pending.append(client.send())
        open_ones.extend(pending)

    with pytest.raises(TransientError, match="TimeoutError"):
        await producer.confirm(submit_and_show, timeout_seconds=0.01)
    open_ones[0].set_exception(RequestTimedOutError())
    await asyncio.sleep(0)
    assert len(factory.made) == 1


async def test_broken_producer_is_stopped_even_if_it_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else its task would go on trying, with all that it holds, for an outage long."""
    monkeypatch.setattr(steady, "STOP_SECONDS_MAX", 0.01)
    stuck = FakeClient(ProducerFenced(), is_stuck=True)
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(asyncio.sleep(3600))
        stuck._sender.sender_task = sending
        producer, _ = made_of(stuck, FakeClient("durable"))
        await unconfirmed(producer)
        assert stuck.is_closed
        assert sending.cancelled()
        assert len(stuck.given_up) == 1


async def test_many_who_notice_replace_it_once() -> None:
    """A thousand requests were under way; one new connection is made."""
    producer, factory = made_of(FakeClient(ProducerFenced()), FakeClient("durable"))
    await producer.start()
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(unconfirmed(producer))
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(producer.confirm(submit, timeout_seconds=5))
    assert len(factory.made) == 2


async def test_producer_that_is_refused_at_once_is_not_made_without_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Within the deadline of a request one connection is tried, not hundreds."""
    monkeypatch.setattr(steady, "CONNECT_INTERVAL_SECONDS", 3600.0)
    producer, factory = made_of(FakeClient(ProducerFenced()), FakeClient("durable"))
    await unconfirmed(producer)
    assert "TimeoutError" in await unconfirmed(producer, seconds=0.01)
    assert len(factory.made) == 1


async def test_client_that_does_not_connect_is_left_behind_stopped() -> None:
    """The next try makes another."""
    broken = FakeClient(start_error=KafkaConnectionError("Unable to bootstrap"))
    producer, factory = made_of(broken, FakeClient("durable"))
    assert "kafka is away" in await unconfirmed(producer)
    assert broken.is_stopped
    await producer.confirm(submit, timeout_seconds=5)
    assert len(factory.made) == 2
