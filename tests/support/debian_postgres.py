"""Debian's PostgreSQL, which speaks TLS; the wheel's does not."""

from pathlib import Path

from typing_extensions import override

from services.cli.embedded.errors import ServerStartError
from services.cli.embedded.folder import give_to_nobody
from services.cli.embedded.postgres import EmbeddedPostgres
from tests.support.certificates import Identity

INSTALLED = Path("/usr/lib/postgresql")


def find_debian_postgres(installed: Path = INSTALLED) -> Path:
    """Return the folder of the newest one's programs.

    Raises:
        ServerStartError: None is installed.
    """
    found = [each for each in installed.glob("*/bin") if (each / "postgres").is_file()]
    if not found:
        raise ServerStartError(
            "Debian's PostgreSQL is not installed: as root, apt-get install postgresql"
        )
    return max(found, key=lambda each: int(each.parent.name))


class TlsPostgres(EmbeddedPostgres):
    """A server that speaks TLS with a certificate of the test's."""

    title = "Debian's PostgreSQL"

    def __init__(self, folder: Path, identity: Identity) -> None:
        """Describe the server; nothing is started."""
        super().__init__(
            folder,
            durable=False,
            bin_dir=find_debian_postgres(),
            settings={
                "ssl": "on",
                "ssl_cert_file": "server.crt",
                "ssl_key_file": "server.key",
            },
        )
        self._identity = identity

    @override
    async def prepare(self) -> None:
        """Make the cluster, and put the certificate where only the server reads it."""
        await super().prepare()
        for name, source in (
            ("server.crt", self._identity.certificate),
            ("server.key", self._identity.key),
        ):
            path = self.data_path / name
            path.touch(mode=0o600)
            path.write_bytes(source.read_bytes())
            give_to_nobody(path)
