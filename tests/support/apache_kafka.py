"""Apache Kafka for tests: jars by Maven, one node on loopback, crash and come back."""

import asyncio
import base64
import fcntl
import hashlib
import re
import secrets
import shutil
import signal
import string
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from typing_extensions import override

from services.cli.embedded.broker import probe_kafka
from services.cli.embedded.errors import ServerStartError
from services.cli.embedded.ports import LOOPBACK, free_port
from services.cli.embedded.server import LoopbackServer

PROJECT = Path(__file__).parents[2]
DEPLOY = PROJECT / "deploy" / "kafka"
HEAP = "512m"
FETCH_SECONDS_MAX = 600.0
FORMAT_SECONDS_MAX = 60.0
MAIN_CLASS = "kafka.Kafka"
QUICK_COMPILER = "-XX:TieredStopAtLevel=1"
CHECKPOINT = "bootstrap.checkpoint"
META = """\
version=1
cluster.id={cluster_id}
node.id=1
directory.id={directory_id}
"""


def kafka_version(pom: Path = DEPLOY / "pom.xml") -> str:
    """Return the version that the build file names.

    Raises:
        ServerStartError: It names none.
    """
    found = re.search(
        r"<kafka\.version>([^<]+)</kafka\.version>", pom.read_text(encoding="utf-8")
    )
    if found is None:
        raise ServerStartError(f"{pom} names no kafka.version; restore it from git")
    return found.group(1)


def read_sums(path: Path = DEPLOY / "SHA256SUMS") -> dict[str, str]:
    """Return the SHA-256 of every jar, by file name."""
    lines = path.read_text(encoding="ascii").splitlines()
    pairs = (line.split(maxsplit=1) for line in lines if line.strip())
    return {name.lstrip("*"): digest for digest, name in pairs}


def verify_jars(libs: Path, sums: Mapping[str, str]) -> None:
    """Refuse a folder that does not hold exactly the listed files.

    Raises:
        ServerStartError: A file is unlisted, missing, or differs.
    """
    found = {path.name: path for path in libs.iterdir()}
    for name, path in sorted(found.items()):
        if name not in sums:
            raise ServerStartError(
                f"Apache Kafka refused: {path} is not listed in deploy/kafka/SHA256SUMS"
                "; remove the folder to fetch the jars again"
            )
        with path.open("rb") as jar:
            digest = hashlib.file_digest(jar, "sha256").hexdigest()
        if digest != sums[name]:
            raise ServerStartError(
                f"Apache Kafka refused: {path} differs from deploy/kafka/SHA256SUMS; "
                "remove the folder to fetch the jars again"
            )
    if missing := sorted(set(sums) - set(found)):
        raise ServerStartError(
            f"Apache Kafka refused: {missing[0]} is missing in {libs}; "
            "remove the folder to fetch the jars again"
        )


def _run_maven(target: Path) -> None:
    """Copy the jars of the build file into `target`.

    Raises:
        ServerStartError: Maven is missing or failed.
    """
    maven = shutil.which("mvn")
    if maven is None:
        raise ServerStartError(
            "Apache Kafka cannot be fetched: no mvn on PATH; install Maven, "
            "or run `make test`, which needs neither Java nor Maven"
        )
    command = [maven, "-B", "-q", "-f", str(DEPLOY / "pom.xml")]
    command += ["dependency:copy-dependencies", "-DincludeScope=runtime"]
    command.append(f"-DoutputDirectory={target}")
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            check=False,
            text=True,
            timeout=FETCH_SECONDS_MAX,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise ServerStartError(
            f"Apache Kafka cannot be fetched: mvn took over {FETCH_SECONDS_MAX:g} s; "
            "check the network and try again"
        ) from error
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        said = lines[0] if lines else done.stderr.strip()
        raise ServerStartError(f"Apache Kafka cannot be fetched by mvn: {said}")


def fetch_jars(cache: Path | None = None) -> Path:
    """Return the folder of checked jars, fetching them when they are not there.

    Args:
        cache: Where they are kept; `.uptake/kafka-<version>` when None.

    Raises:
        ServerStartError: They cannot be fetched, or differ from SHA256SUMS.
    """
    cache = cache or PROJECT / ".uptake" / f"kafka-{kafka_version()}"
    libs = cache / "libs"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        # Two test runs may both want the jars first.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not libs.exists():
            partial = cache / "libs.partial"
            shutil.rmtree(partial, ignore_errors=True)
            _run_maven(partial)
            verify_jars(partial, read_sums())
            partial.rename(libs)
        verify_jars(libs, read_sums())
    return libs


def find_java() -> str:
    """Return the Java program.

    Raises:
        ServerStartError: There is none.
    """
    java = shutil.which("java")
    if java is None:
        raise ServerStartError(
            "Apache Kafka cannot start: no java on PATH; install Java 17 or later, "
            "or run `make test`, which needs none"
        )
    return java


def class_archive(libs: Path) -> Path:
    """Return where a Java keeps Kafka's classes ready to use (class data sharing).

    With it a broker starts in less than half of the time; Java passes over one that
    was made by another Java. The first broker that stops in good order makes it.
    """
    java = hashlib.sha256(str(Path(find_java()).resolve()).encode()).hexdigest()[:12]
    return libs.with_name(f"classes-{java}.jsa")


def _new_id() -> str:
    """Make up an id as Kafka writes them."""
    made = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode()[:22]
    # A first hyphen would be read as an option.
    return f"A{made[1:]}" if made.startswith("-") else made


def _keep(made: Path, place: Path) -> None:
    """Keep a file for later brokers: whole or not there, whoever looks meanwhile."""
    partial = place.with_suffix(f".{secrets.token_hex(4)}")
    shutil.copyfile(made, partial)
    partial.replace(place)


class ApacheKafka(LoopbackServer):
    """One Apache Kafka node; what it confirmed survives `kill` and `restart`."""

    title = "Apache Kafka"
    death_signal = "KILL"
    stop_steps: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 20.0),)

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        advertised_port: int | None = None,
        settings: Mapping[str, str] | None = None,
        heap: str = HEAP,
        is_brief: bool = False,
    ) -> None:
        """Describe the broker; nothing is started.

        Args:
            folder: Its own folder.
            port: A loopback port; a free one when None.
            advertised_port: Where clients are told to go, e.g. a proxy's port.
            settings: Broker settings that go before ours.
            heap: The most memory of the Java heap.
            is_brief: Whether it lives for one test: then Java compiles quickly and
                not well, which takes a third less of the processor until it ends.
        """
        super().__init__(folder, port=port)
        self._advertised_port = advertised_port
        self._settings = dict(settings or {})
        self._heap = heap
        self._is_brief = is_brief
        self._libs = Path()
        self.controller_port = 0

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients: the advertised one."""
        return f"{LOOPBACK}:{self._advertised_port or self.port}"

    @property
    @override
    def version(self) -> str:
        """The program and its version, for people to read."""
        return f"Apache Kafka {kafka_version()}"

    @property
    def _properties_path(self) -> Path:
        """The settings file."""
        return self.folder / "server.properties"

    @property
    def _new_archive(self) -> Path:
        """The archive of classes that this broker makes, where there is none."""
        return self.folder / "classes.jsa"

    def _java(self, *arguments: str | Path) -> list[str | Path]:
        """Return a Java command line on Kafka's class path."""
        archive = class_archive(self._libs)
        return [
            find_java(),
            *([f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []),
            f"-Xmx{self._heap}",
            "-XX:+UseSerialGC",
            "-XX:-UsePerfData",
            "-Djava.awt.headless=true",
            f"-Djava.io.tmpdir={self.data_path}",
            f"-Dlog4j2.configurationFile={DEPLOY / 'log4j2.properties'}",
            "-cp",
            f"{self._libs}/*",
            *arguments,
        ]

    def _write_properties(self) -> None:
        """Fill in the template."""
        template = (DEPLOY / "server.properties.template").read_text(encoding="utf-8")
        text = string.Template(template).substitute(
            port=self.port,
            controller_port=self.controller_port,
            advertised_port=self._advertised_port or self.port,
            log_dir=self.data_path / "log",
        )
        settings = self.extra_settings().items()
        extra = "".join(f"{name}={value}\n" for name, value in settings)
        # Of a setting that stands twice, Java takes the last.
        self._properties_path.write_text(text + extra, encoding="utf-8")

    def extra_settings(self) -> Mapping[str, str]:
        """Return settings that go before the template's; ports are known by now."""
        return self._settings

    def format_options(self) -> Sequence[str]:
        """Return further options of the formatting of the log folder."""
        return ()

    @override
    async def prepare(self) -> None:
        """Fetch the jars and format the log folder."""
        self._libs = await asyncio.to_thread(fetch_jars)
        await super().prepare()
        self.controller_port = free_port()
        self._write_properties()
        await self._format()

    async def _format(self) -> None:
        """Make the log folder as Kafka's own tool does, which takes a Java a second.

        Of what the tool writes only ids differ between brokers that are told nothing
        else; the rest is kept beside the jars, of the same version.
        """
        checkpoint = self._libs.with_name(CHECKPOINT)
        log = self.data_path / "log"
        if checkpoint.exists() and not self.format_options():
            log.mkdir()
            shutil.copyfile(checkpoint, log / CHECKPOINT)
            meta = META.format(directory_id=_new_id(), cluster_id=_new_id())
            (log / "meta.properties").write_text(meta, encoding="ascii")
            return
        command = self._java(
            QUICK_COMPILER,
            "kafka.tools.StorageTool",
            "format",
            "--cluster-id",
            _new_id(),
            "--config",
            self._properties_path,
            *self.format_options(),
        )
        await self.run_once(command, FORMAT_SECONDS_MAX)
        if not self.format_options():
            _keep(log / CHECKPOINT, checkpoint)

    @override
    def command(self) -> list[str | Path]:
        """Return the broker's command line."""
        made = [f"-XX:ArchiveClassesAtExit={self._new_archive}"]
        if class_archive(self._libs).exists():
            made = []
        if self._is_brief:
            made.append(QUICK_COMPILER)
        return self._java(*made, MAIN_CLASS, self._properties_path)

    @override
    async def stop(self) -> None:
        """Stop in good order, and keep the classes that it left."""
        await super().stop()
        archive = class_archive(self._libs)
        if self._new_archive.exists() and not archive.exists():
            await asyncio.to_thread(_keep, self._new_archive, archive)

    @override
    async def probe(self) -> str | None:
        """Ask for metadata."""
        return await probe_kafka(self.port)
