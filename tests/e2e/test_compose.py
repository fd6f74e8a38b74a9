"""docker-compose.yml: a valid file, and one whose services of ours really start.

No container runs here. Each of our services is started with exactly the command and
the environment that the file gives it; only addresses are mapped to local servers.
"""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest
import yaml
from aiohttp import web
from jsonschema import Draft202012Validator

from services.cli.embedded.broker import EmbeddedBroker
from services.cli.embedded.child import ChildProcess, log_tail
from services.cli.embedded.ports import LOOPBACK, free_port
from services.cli.migrate import PermissionSettings
from shared.settings import PREFIX, KafkaSettings, PostgresSettings
from tests.support.apache_kafka import ApacheKafka, kafka_version
from tests.support.compose_file import (
    PROJECT,
    MissingVariableError,
    read_compose,
)
from tests.support.stack import eventually

pytestmark = pytest.mark.timeout(180)

PASSWORD = "composepassword1"  # noqa: S105 -- of a database that lives for one test
VARIABLES = {"UPTAKE_POSTGRES_PASSWORD": PASSWORD}
SERVICES = ("ingest", "aggregation", "alerting", "board")
OURS = ("migrate", *SERVICES)
READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
CATALOGUE_INSIDE = "/etc/uptake/catalogue"
READERS_INSIDE = "/etc/uptake/readers"


@pytest.fixture
def compose() -> dict[str, Any]:
    """Read the file with its one required variable set."""
    return read_compose(VARIABLES)


def test_file_obeys_the_compose_specification(compose: dict[str, Any]) -> None:
    """The official schema accepts the file (tests/support/compose-spec.json)."""
    path = PROJECT / "tests" / "support" / "compose-spec.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    errors = Draft202012Validator(schema).iter_errors(compose)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_password_has_no_default() -> None:
    """Without a password the file is refused, and says where to set one."""
    with pytest.raises(MissingVariableError, match=r"\.env\.example"):
        read_compose({})


def test_every_variable_stands_in_the_example(compose: dict[str, Any]) -> None:
    """What the file can be given is listed in .env.example."""
    assert compose["name"] == "uptake"
    text = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    wanted = set(re.findall(r"\$\{([A-Z_]+)", text))
    assert wanted == set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))


def test_the_whole_system_is_there(compose: dict[str, Any]) -> None:
    """All services but what comes with the board's pages."""
    assert set(compose["services"]) == {
        *("kafka", "postgres", *OURS),
        *("prometheus", "alertmanager"),
    }


def test_containers_have_no_more_rights_than_they_need(
    compose: dict[str, Any],
) -> None:
    """No capability, no way to gain one; ours write nothing to their file system."""
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        if name != "kafka":  # its start script writes its own configuration
            assert service["read_only"] is True, name
    dockerfile = (PROJECT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)


def test_everything_that_lasts_restarts_and_is_watched(
    compose: dict[str, Any],
) -> None:
    """Every service but the one-shot migration restarts and has a health check."""
    for name, service in compose["services"].items():
        is_one_shot = name == "migrate"
        assert service["restart"] == ("no" if is_one_shot else "unless-stopped"), name
        assert ("healthcheck" in service) is not is_one_shot, name


def test_services_start_after_what_they_need(compose: dict[str, Any]) -> None:
    """Tables and topics first; a condition on health needs a health check."""
    services = compose["services"]
    for name in SERVICES:
        needs = services[name]["depends_on"]
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
    assert set(services["migrate"]["depends_on"]) == {"kafka", "postgres"}
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[needed], f"{name} needs {needed}"


def test_what_is_kept_lies_in_named_volumes(compose: dict[str, Any]) -> None:
    """Every volume is declared and used; mounts from the checkout exist."""
    mounts = [
        mount.split(":")
        for service in compose["services"].values()
        for mount in service.get("volumes", [])
    ]
    named = {mount[0] for mount in mounts if not mount[0].startswith(".")}
    assert named == set(compose["volumes"])
    for source, _, *mode in (mount for mount in mounts if mount[0].startswith(".")):
        assert (PROJECT / source).exists(), source
        assert mode == ["ro"], source


def test_logs_and_memory_are_bounded(compose: dict[str, Any]) -> None:
    """Logs rotate, and a leak ends its own service; Postgres sizes itself."""
    for name, service in compose["services"].items():
        assert service["logging"] == {"driver": "local"}, name
        assert ("mem_limit" in service) is (name != "postgres"), name


def test_ports_are_published_on_loopback_only(compose: dict[str, Any]) -> None:
    """Opening a port to the network is the operator's decision."""
    published = [
        port
        for service in compose["services"].values()
        for port in service.get("ports", [])
    ]
    assert published != []
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    """Every image has a version; Kafka's is the one that the tests run."""
    images = {name: each["image"] for name, each in compose["services"].items()}
    for image in images.values():
        assert re.search(r":v?\d", image), image
    assert images["kafka"] == f"apache/kafka:{kafka_version()}"
    assert images["postgres"] == "postgres:18"
    assert len({images[name] for name in OURS}) == 1


def test_prometheus_scrapes_every_service(compose: dict[str, Any]) -> None:
    """Its targets are the services of ours, at the ports that they listen on."""
    path = PROJECT / "deploy" / "prometheus" / "prometheus.yml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    targets = {
        target
        for job in content["scrape_configs"]
        for group in job["static_configs"]
        for target in group["targets"]
    }
    ports = {
        name: compose["services"][name]["environment"]["UPTAKE_HTTP_PORT"]
        for name in SERVICES
    }
    assert targets == {f"{name}:{port}" for name, port in ports.items()}
    for name, port in ports.items():
        inside = [each.split(":")[-1] for each in compose["services"][name]["ports"]]
        assert inside == [port], name


@dataclass(slots=True)
class LocalServers:
    """What stands in for the names that the file's services know each other by.

    Attributes:
        addresses: Text of the file to text of this machine.
        added: Settings that only the embedded broker needs.
    """

    compose: dict[str, Any]
    addresses: dict[str, str]
    added: dict[str, str]
    folder: Path

    def environment(self, service: str) -> dict[str, str]:
        """Return what the file gives a service, its addresses mapped."""
        environment = dict(self.added)
        for name, value in self.compose["services"][service]["environment"].items():
            mapped = value
            for there, here in self.addresses.items():
                mapped = mapped.replace(there, here)
            environment[name] = mapped
        if "UPTAKE_HTTP_PORT" in environment:
            environment["UPTAKE_HTTP_PORT"] = str(free_port())
        return environment

    def start(self, service: str, environment: dict[str, str]) -> ChildProcess:
        """Start what the image's entry point makes of the service's command."""
        log_path = self.folder / service / "log"
        log_path.parent.mkdir()
        child = ChildProcess(
            [
                *(sys.executable, "-m", "services.cli"),
                *self.compose["services"][service]["command"],
            ],
            log_path=log_path,
            death_signal="KILL",
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(PROJECT),
                **environment,
            },
        )
        child.spawn()
        return child

    def said(self, service: str) -> str:
        """Return the last lines of a service's output."""
        return log_tail(self.folder / service / "log")


@pytest.fixture
async def alertmanager() -> AsyncIterator[str]:
    """Stand in for Alertmanager: take alerts at a free port; return its address."""

    async def take(_: web.Request) -> web.Response:
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/api/v2/alerts", take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOOPBACK, port).start()
    yield f"{LOOPBACK}:{port}"
    await runner.cleanup()


@pytest.fixture
async def local_servers(
    compose: dict[str, Any],
    broker: EmbeddedBroker | ApacheKafka,
    database: str,
    alertmanager: str,
    tmp_path: Path,
) -> LocalServers:
    """Give every name in the file a server of this machine."""
    connection = await asyncpg.connect(database)
    # As Postgres' image makes it: the user of POSTGRES_USER owns the server.
    if not await connection.fetchval(
        "SELECT true FROM pg_roles WHERE rolname = 'uptake'"
    ):
        await connection.execute("CREATE ROLE uptake SUPERUSER LOGIN")
    await connection.execute(f"ALTER ROLE uptake PASSWORD '{PASSWORD}'")
    await connection.close()
    postgres = urlsplit(database)
    environment = compose["services"]["ingest"]["environment"]
    mounts = compose["services"]["board"]["volumes"]
    inside = {mount.split(":")[1]: mount.split(":")[0] for mount in mounts}
    assert set(inside) == {CATALOGUE_INSIDE, READERS_INSIDE}
    is_embedded = isinstance(broker, EmbeddedBroker)
    return LocalServers(
        compose=compose,
        addresses={
            "kafka:9092": broker.bootstrap_servers,
            "postgres:5432/uptake": f"{LOOPBACK}:{postgres.port}{postgres.path}",
            "alertmanager:9093": alertmanager,
            **{
                there: str((PROJECT / here).resolve()) for there, here in inside.items()
            },
            environment["UPTAKE_HTTP_HOST"]: LOOPBACK,
        },
        added={"UPTAKE_KAFKA_IDEMPOTENCE": "false"} if is_embedded else {},
        folder=tmp_path,
    )


def test_image_starts_the_command_of_the_project() -> None:
    """The entry point is `uptake`, which the wheel installs."""
    dockerfile = (PROJECT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    assert 'ENTRYPOINT ["uptake"]' in dockerfile
    project = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'uptake = "services.cli.__main__:main"' in project


async def test_every_variable_is_a_setting(compose: dict[str, Any]) -> None:
    """A name mistyped in the file would be ignored by the service: none is."""
    for service in SERVICES:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"services.{service}", "--help"),
            stdout=asyncio.subprocess.PIPE,
            cwd=PROJECT,
        )
        out, _ = await process.communicate()
        known = set(re.findall(r"UPTAKE_[A-Z_]+", out.decode()))
        assert set(compose["services"][service]["environment"]) <= known, service
    models = (KafkaSettings, PostgresSettings, PermissionSettings)
    known = {f"{PREFIX}{name.upper()}" for each in models for name in each.model_fields}
    assert set(compose["services"]["migrate"]["environment"]) <= known


async def test_system_starts_as_the_file_says(local_servers: LocalServers) -> None:
    """Migrated, then every service becomes ready, passes its health check and stops.

    The health check is the file's own command.
    """
    migration = local_servers.start("migrate", local_servers.environment("migrate"))
    status = await migration.wait(READY_SECONDS_MAX)
    assert status == 0, local_servers.said("migrate")
    children: dict[str, ChildProcess] = {}
    try:
        environments = {name: local_servers.environment(name) for name in SERVICES}
        for name, environment in environments.items():
            children[name] = local_servers.start(name, environment)
        for name, child in children.items():
            port = environments[name]["UPTAKE_HTTP_PORT"]
            await _wait_ready(local_servers, name, child, port)
            assert await _health_check(local_servers.compose, name, port) == 0
        for name, child in children.items():
            child.send(signal.SIGTERM)
            assert await child.wait(STOP_SECONDS_MAX) == 0, local_servers.said(name)
    finally:
        for child in children.values():
            await child.kill()


async def _wait_ready(
    servers: LocalServers, service: str, child: ChildProcess, port: str
) -> None:
    """Wait until a service says that it is ready."""
    url = f"http://{LOOPBACK}:{port}/health/ready"

    async def is_ready() -> bool:
        assert child.is_running(), servers.said(service)
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    await eventually(is_ready, seconds=READY_SECONDS_MAX, what=f"{service} ready")


async def _health_check(compose: dict[str, Any], service: str, port: str) -> int:
    """Run the file's health check as the container would; return its exit status."""
    kind, program, *arguments = compose["services"][service]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={"UPTAKE_HTTP_PORT": port}
    )
    return await process.wait()
