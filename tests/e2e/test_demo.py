"""The demo, from start to end, also when it is disturbed."""

import os
import re
import signal
from pathlib import Path

import pytest

from services.cli.embedded.broker import EmbeddedBroker
from tests.conftest import IS_APACHE_KAFKA
from tests.support.apache_kafka import ApacheKafka
from tests.support.long_command import LongCommand, all_gone

pytestmark = pytest.mark.timeout(240)
SERVICES = ("ingest", "aggregation", "alerting", "board")
FIGURES = 14


async def test_figures_are_equal_though_each_service_is_killed_once(
    broker: EmbeddedBroker | ApacheKafka, database: str, tmp_path: Path
) -> None:
    """SIGKILL under load: the sums are the published figures, and the alert fires."""
    settings = {
        "UPTAKE_KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "UPTAKE_KAFKA_IDEMPOTENCE": str(IS_APACHE_KAFKA).lower(),
        "UPTAKE_KAFKA_FETCH_WAIT_MS": "250" if IS_APACHE_KAFKA else "20",
        "UPTAKE_KAFKA_REPLICATION": "1",
        "UPTAKE_POSTGRES_DSN": database,
    }
    words = ("demo", "--once", "--on-given-servers", "--events", "60000")
    with LongCommand(tmp_path, *words, environment=settings) as demo:
        await demo.until_said("published figures over", seconds=90)
        for service in SERVICES:
            killed = demo.service_pid(service)
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            await demo.until_restarted(service, killed)
        assert await demo.status(seconds=150) == 0, demo.out
        for service in SERVICES:
            assert f"{service} was ended by SIGKILL: started again" in demo.out
        assert len(re.findall(r"\d   equal$", demo.out, re.MULTILINE)) == FIGURES
        assert "rejected 0   in flight 0" in demo.out
        assert "all figures equal, the alert fires" in demo.out


@pytest.mark.embedded
async def test_ctrl_c_ends_a_running_demo_and_a_second_run_starts_clean(
    tmp_path: Path,
) -> None:
    """The usual way to end it: status 0, no process, and the next run works."""
    with LongCommand(tmp_path, "demo", "--events", "2000") as demo:
        await demo.until_said("Ctrl-C stops everything", seconds=120)
        processes = demo.processes()
        assert len(processes) > len(SERVICES) + 2
        demo.send(signal.SIGINT)
        assert await demo.status() == 0, demo.out
        assert await all_gone(processes)
        assert not (demo.data / "run.json").exists()
        assert "starts clean" not in demo.out
    with LongCommand(tmp_path, "demo", "--once", "--events", "2000") as again:
        assert await again.status(seconds=120) == 0, again.out
        assert "starts clean" in again.out
        assert again.files == {"data", "out.txt"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.embedded
async def test_a_demo_that_is_stopped_while_it_sends_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Then it says by its status that it did not come to its end."""
    with LongCommand(tmp_path, "demo", "--once") as demo:
        await demo.until_said("published figures over", seconds=90)
        processes = demo.processes()
        demo.send(number)
        assert await demo.status() == 130, demo.out
        assert await all_gone(processes)
        assert "Traceback" not in demo.out


@pytest.mark.embedded
async def test_killing_the_demo_leaves_no_process(tmp_path: Path) -> None:
    """The kernel ends what the demo cannot end any more."""
    with LongCommand(tmp_path, "demo", "--once") as demo:
        await demo.until_said("published figures over", seconds=90)
        processes = demo.processes()
        demo.send(signal.SIGKILL)
        assert await all_gone(processes), demo.out


@pytest.mark.embedded
async def test_killing_the_parent_ends_the_demo_where_make_asks_for_it(
    tmp_path: Path,
) -> None:
    """`make` that is killed takes the demo with it."""
    # The `:` keeps the shell from becoming the command itself.
    with LongCommand(
        tmp_path, "demo", script='"$@"; :', environment={"UPTAKE_STOP_WITH_PARENT": "1"}
    ) as shell:
        await shell.until_said("published figures over", seconds=90)
        processes = shell.processes()
        shell.send(signal.SIGKILL)
        assert await all_gone(processes), shell.out
