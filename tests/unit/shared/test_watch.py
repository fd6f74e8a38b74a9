"""Agencies and keys follow their files, and a broken file changes nothing."""

import json
import logging
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.exposition import generate_latest

from shared.catalogue.keys import Bearer, Denied, KeyDenial
from shared.catalogue.load import load_catalogue
from shared.catalogue.watch import AgencyWatch
from shared.errors import CatalogueError
from shared.log import JsonFormatter
from shared.metrics import AgencyMetrics, new_registry
from tests.unit.shared.test_keys import sha256

SECRET = "a key of voso"  # noqa: S105 -- made up, of nobody
NO_KEYS = "keys: []"
WITH_KEY = f"keys: [{{id: key-1, sha256: {sha256(SECRET)}}}]"


class Standing:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 11, 22, 5, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.instant


class Watched:
    """A catalogue that is watched, its files, and what was said."""

    def __init__(self, directory: Path, caplog: pytest.LogCaptureFixture) -> None:
        self.directory = directory
        self.voso = directory / "agencies" / "voso.yaml"
        self.clock = Standing()
        self._registry = new_registry()
        self._caplog = caplog
        self.watch = AgencyWatch(
            directory,
            load_catalogue(directory),
            self.clock,
            metrics=AgencyMetrics(self._registry),
            poll_seconds=1,
        )

    def edit(self, old: str, new: str) -> None:
        """Replace a text in the file of an agency."""
        text = self.voso.read_text(encoding="utf-8")
        assert old in text
        self.voso.write_text(text.replace(old, new), encoding="utf-8")

    def opens(self, key: str = SECRET) -> bool:
        """Tell whether a key is valid now."""
        return isinstance(self.watch.find(key), Bearer)

    def is_right(self) -> bool:
        """Tell what the metric says of the files."""
        text = generate_latest(self._registry).decode()
        return "uptake_agencies_reload_successful 1.0" in text

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of an event."""
        lines = [
            json.loads(JsonFormatter("ingest").format(record))
            for record in self._caplog.records
        ]
        return [line for line in lines if line["event"] == event]


@pytest.fixture
def watched(directory: Path, caplog: pytest.LogCaptureFixture) -> Watched:
    """Watch the small catalogue."""
    caplog.set_level(logging.INFO)
    return Watched(directory, caplog)


async def test_new_key_opens_and_a_revoked_one_no_longer_does(
    watched: Watched,
) -> None:
    """Without a restart; the log names the keys that came and went."""
    await watched.watch.look()
    assert not watched.opens()
    watched.edit(NO_KEYS, WITH_KEY)
    await watched.watch.look()
    assert watched.opens()
    watched.edit(WITH_KEY, NO_KEYS)
    await watched.watch.look()
    assert watched.watch.find(SECRET) == Denied(KeyDenial.UNKNOWN)
    came, went = watched.lines("agencies_reloaded")
    assert (came["keys_added"], came["keys_removed"]) == (["tha-voso/key-1"], [])
    assert (went["keys_added"], went["keys_removed"]) == ([], ["tha-voso/key-1"])
    assert sha256(SECRET) not in json.dumps([came, went])


async def test_change_before_the_first_look_is_seen(watched: Watched) -> None:
    """The catalogue was loaded a while before the watch began."""
    watched.edit(NO_KEYS, WITH_KEY)
    await watched.watch.look()
    assert watched.opens()


async def test_change_that_keeps_size_and_times_is_seen(watched: Watched) -> None:
    """As by a copy that keeps times; what is compared is what the files hold."""
    watched.edit(NO_KEYS, WITH_KEY)
    before = watched.voso.stat()
    await watched.watch.look()
    watched.edit(sha256(SECRET), sha256("another"))
    os.utime(watched.voso, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert watched.voso.stat().st_size == before.st_size
    await watched.watch.look()
    assert not watched.opens()
    assert watched.opens("another")


async def test_broken_file_keeps_the_keys_before_and_says_so_once(
    watched: Watched,
) -> None:
    """In the log and in the metric, until it is mended."""
    watched.edit(NO_KEYS, WITH_KEY)
    await watched.watch.look()
    assert watched.is_right()
    good = watched.voso.read_text(encoding="utf-8")
    for broken in ("keys: [", "name: 7\n", good.replace("sha256", "sha265"), ""):
        watched.voso.write_text(broken, encoding="utf-8")
        await watched.watch.look()
        await watched.watch.look()
        assert watched.opens()
        assert not watched.is_right()
    lines = watched.lines("agencies_not_reloaded")
    assert len(lines) == 4
    assert all(line["problems"] for line in lines)
    watched.voso.write_text(good.replace(WITH_KEY, NO_KEYS), encoding="utf-8")
    await watched.watch.look()
    assert watched.is_right()
    assert not watched.opens()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 5_000,
        "{a: " * 5_000,
        "&a [*a]",
        "? [a]\n: b",
        "id: !!bool x",
        "id: !!timestamp x",
        "id: !!python/name:os.system",
        "id: 0x" + "f" * 5_000,
        "id: " + "9" * 5_000,
        "id: 2026-13-45",
        "\x00",
        "---\na\n---\nb",
    ],
    ids=lambda text: text[:12],
)
async def test_no_content_of_a_file_ends_the_watch(watched: Watched, text: str) -> None:
    """Or a slip would end ingest itself."""
    watched.edit(NO_KEYS, WITH_KEY)
    await watched.watch.look()
    watched.voso.write_text(text, encoding="utf-8")
    await watched.watch.look()
    assert not watched.is_right()
    assert watched.opens()


async def test_key_that_was_written_for_its_hash_is_not_logged(
    watched: Watched,
) -> None:
    """Whoever mistakes one for the other must not find it in the log."""
    await watched.watch.look()
    watched.edit(NO_KEYS, f"keys: [{{id: key-1, sha256: {SECRET}}}]")
    await watched.watch.look()
    (line,) = watched.lines("agencies_not_reloaded")
    assert "sha256" in json.dumps(line)
    assert SECRET not in json.dumps(line)


@pytest.mark.parametrize("lost", ["agencies", "agencies/*", "indicators.yaml", "."])
async def test_lost_files_revoke_nothing(watched: Watched, lost: str) -> None:
    """An empty folder is what a mount looks like that has gone."""
    watched.edit(NO_KEYS, WITH_KEY)
    await watched.watch.look()
    for path in [watched.directory] if lost == "." else watched.directory.glob(lost):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    await watched.watch.look()
    assert watched.opens()
    assert not watched.is_right()


async def test_slip_in_a_target_keeps_no_revoked_key_valid(watched: Watched) -> None:
    """Only what agencies are made of is read."""
    watched.edit(NO_KEYS, WITH_KEY)
    await watched.watch.look()
    (watched.directory / "targets" / "thanh-hoa.yaml").write_text("-", "utf-8")
    (watched.directory / "event_types.yaml").write_text("-", "utf-8")
    with pytest.raises(CatalogueError):
        load_catalogue(watched.directory)
    watched.edit(WITH_KEY, NO_KEYS)
    await watched.watch.look()
    assert not watched.opens()


async def test_rest_of_the_catalogue_stays_as_it_was_at_the_start(
    watched: Watched,
) -> None:
    """A new locality would be one that aggregation's views do not know."""
    before = watched.watch.catalogue
    with (watched.directory / "localities.csv").open("a", encoding="utf-8") as file:
        file.write("15999,2025-07-01,,commune,Xã Mới,38\n")
    watched.edit('"15961"', '"15999"')
    await watched.watch.look()
    after = watched.watch.catalogue
    assert after.agencies["tha-voso"].locality == "15999"
    assert after.tree is before.tree
    assert after.indicators == before.indicators


async def test_key_expires_by_the_clock_alone(watched: Watched) -> None:
    """At local midnight after its last day, though no file changes."""
    watched.edit(NO_KEYS, WITH_KEY.replace("id:", "last_day: 2026-11-22, id:"))
    await watched.watch.look()
    watched.clock.instant = datetime(2026, 11, 22, 16, 59, 59, tzinfo=UTC)
    assert watched.opens()
    watched.clock.instant = datetime(2026, 11, 22, 17, tzinfo=UTC)
    denied = watched.watch.find(SECRET)
    assert isinstance(denied, Denied)
    assert denied.reason is KeyDenial.EXPIRED
