"""Grouping, inhibition and resolving in a real Alertmanager, as the files ship."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web

from services.alerting.core.alerts import Kind
from services.alerting.relay.alertmanager import render_alerts
from services.alerting.store import Delivery
from services.cli.embedded.ports import LOOPBACK, free_port
from tests.support.debian_servers import PROJECT, Alertmanager
from tests.support.events import now
from tests.support.stack import eventually

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.debian,
    pytest.mark.embedded,
]
CONFIG: Final = (PROJECT / "deploy" / "alertmanager" / "alertmanager.yml").read_text(
    "utf-8"
)
RESEND: Final = timedelta(seconds=60)
CASHLESS: Final = "cashless_accounts"
EID: Final = "eid_accounts"


def raised(
    target: str, kind: Kind = Kind.LAGGING, *, at: str, indicator: str = CASHLESS
) -> Delivery:
    """Build an alert that is raised about a target of a place.

    Args:
        target: Its id.
        kind: What is said.
        at: `nation`, `38` for a province, or `38/15958` for a commune.
        indicator: What the target counts.
    """
    province, _, commune = at.removeprefix("nation").partition("/")
    level = "commune" if commune else "province" if province else "nation"
    return Delivery(
        fingerprint=hashlib.sha256(f"{kind} {target}".encode()).hexdigest()[:32],
        version=1,
        kind=kind,
        target=target,
        indicator=indicator,
        locality=commune or province or "VN",
        level=level,
        province=province,
        raised_at=now(),
        over_at=None,
        summary_en="",
        summary_vi="",
        is_unknown=False,
        read_at=now(),
    )


@dataclass(slots=True)
class Pages:
    """Who is told by Alertmanager: each notice as it came."""

    notices: list[dict[str, Any]] = field(default_factory=list)

    def told(self, status: str = "firing") -> Counter[tuple[str, str]]:
        """Count by (alert, target) how often each was told with a status."""
        return Counter(
            (alert["labels"]["alertname"], alert["labels"]["target"])
            for notice in self.notices
            for alert in notice["alerts"]
            if alert["status"] == status
        )


@asynccontextmanager
async def listening(port: int) -> AsyncIterator[Pages]:
    """Listen for notices as a webhook of Alertmanager's."""
    pages = Pages()

    async def take(request: web.Request) -> web.Response:
        pages.notices.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
        yield pages
    finally:
        await runner.cleanup()


def quick(port: int) -> str:
    """Return the configuration that ships, in a hurry and with a receiver."""
    text = CONFIG
    for slow, soon in (("group_wait: 30s", "1s"), ("group_interval: 5m", "1s")):
        assert slow in text
        text = text.replace(slow, f"{slow.partition(':')[0]}: {soon}")
    hook = f"{{url: 'http://{LOOPBACK}:{port}/', send_resolved: true}}"
    pages = "  - name: pages\n"
    assert pages in text
    return text.replace(pages, f"{pages}    webhook_configs: [{hook}]\n")


@pytest.fixture
async def pages_port() -> int:
    """Return where notices go."""
    return free_port()


@pytest.fixture
async def alertmanager(tmp_path: Path, pages_port: int) -> AsyncIterator[Alertmanager]:
    """Run Debian's Alertmanager."""
    folder = tmp_path / "alertmanager"
    async with Alertmanager(folder, quick(pages_port)) as server:
        yield server


async def ask(server: Alertmanager, path: str) -> list[dict[str, Any]]:
    """Ask Alertmanager's API."""
    url = f"{server.url}/api/v2/{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
        found: list[dict[str, Any]] = await answer.json()
        return found


async def tell(server: Alertmanager, deliveries: Iterable[Delivery]) -> None:
    """Tell Alertmanager what the service would."""
    body = render_alerts([replace(each, read_at=now()) for each in deliveries], RESEND)
    url = f"{server.url}/api/v2/alerts"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json=body) as answer,
    ):
        assert answer.status == 200, await answer.text()


async def suppressed(server: Alertmanager) -> dict[tuple[str, str], bool]:
    """Return by (alert, target) whether another alert keeps each quiet."""
    return {
        (each["labels"]["alertname"], each["labels"]["target"]): bool(
            each["status"]["inhibitedBy"]
        )
        for each in await ask(server, "alerts")
    }


async def test_parents_silence_and_worse_alerts_keep_others_quiet(
    alertmanager: Alertmanager, pages_port: int
) -> None:
    """What is told once is not told again by its children, as the API shows."""
    nation = raised("nation", at="nation")
    shown = [
        nation,
        raised("province", at="38"),
        raised("province-risk", Kind.AT_RISK, at="22"),
        raised("commune", at="38/15958"),
        # Another indicator, whose nation is well.
        raised("eid-38", at="38", indicator=EID),
        raised("eid-38", Kind.AT_RISK, at="38", indicator=EID),
        raised("eid-15958", at="38/15958", indicator=EID),
        raised("eid-other", at="22/06649", indicator=EID),
        # Nobody can stand up for this one at the moment.
        replace(raised("eid-silent", at="01", indicator=EID), is_unknown=True),
        raised("missed", Kind.MISSED, at="38/15958"),
    ]
    loud = {
        ("TargetLagging", "nation"),
        ("TargetLagging", "eid-38"),
        ("TargetLagging", "eid-other"),
        ("TargetMissed", "missed"),
    }
    async with listening(pages_port) as pages:
        await tell(alertmanager, shown)
        found = await suppressed(alertmanager)
        assert found.pop(("TargetUnknown", "eid-silent")) is False
        assert {each for each, is_quiet in found.items() if not is_quiet} == loud
        assert len(found) == len(shown)

        async def all_told() -> bool:
            return set(pages.told()) >= loud

        await eventually(all_told, what="the notices")
        # Whatever was not told by then is told by no later notice of these alerts.
        await _wait_flush(alertmanager, pages)
        assert set(pages.told()) == loud
        await _becomes_well(alertmanager, pages, nation, shown)


async def _wait_flush(server: Alertmanager, pages: Pages) -> None:
    """Wait until a marker that came later was told: all groups have been flushed."""
    # Another one each time: what was told is not told again.
    name = f"marker-{now().isoformat()}"
    marker = raised(name, Kind.MET, at="01", indicator=name)
    await tell(server, [marker])

    async def is_told() -> bool:
        return ("TargetMet", name) in pages.told()

    await eventually(is_told, what="the marker")
    pages.notices = [
        each for each in pages.notices if each["groupLabels"]["indicator"] != name
    ]


async def _becomes_well(
    server: Alertmanager, pages: Pages, nation: Delivery, shown: list[Delivery]
) -> None:
    """The nation's end is told, once, and then its provinces speak for themselves."""
    await tell(server, [replace(nation, over_at=now())])

    async def all_told() -> bool:
        return pages.told("resolved")[("TargetLagging", "nation")] == 1 and (
            ("TargetLagging", "province") in pages.told()
            and ("TargetAtRisk", "province-risk") in pages.told()
        )

    await eventually(all_told, what="the nation's end and the provinces")
    found = await suppressed(server)
    assert ("TargetLagging", "nation") not in found
    assert found[("TargetLagging", "commune")]
    assert ("TargetLagging", "commune") not in pages.told()
    # Told again and again, as every minute: neither a second notice nor an end.
    before = len(pages.notices)
    await tell(server, [each for each in shown if each is not nation])
    await _wait_flush(server, pages)
    assert len(pages.notices) == before


async def test_alerts_are_grouped_by_kind_and_indicator(
    alertmanager: Alertmanager, pages_port: int
) -> None:
    """A hundred communes are one notice for each indicator."""
    communes = [
        raised(f"{indicator}-{code}", at=f"38/{code}", indicator=indicator)
        for indicator in (CASHLESS, EID)
        for code in range(14_000, 14_100)
    ]
    async with listening(pages_port) as pages:
        await tell(alertmanager, communes)

        async def is_grouped() -> bool:
            groups = await ask(alertmanager, "alerts/groups")
            return {
                (
                    each["receiver"]["name"],
                    each["labels"]["alertname"],
                    each["labels"]["indicator"],
                ): len(each["alerts"])
                for each in groups
            } == {
                ("pages", "TargetLagging", CASHLESS): 100,
                ("pages", "TargetLagging", EID): 100,
            }

        await eventually(is_grouped, what="two groups")

        async def all_told() -> bool:
            return len(pages.told()) == len(communes)

        await eventually(all_told, what="both notices")
        assert len(pages.notices) == 2
        over = [replace(each, over_at=now()) for each in communes]
        await tell(alertmanager, over)

        async def all_over() -> bool:
            return len(pages.told("resolved")) == len(communes)

        await eventually(all_over, what="their end")
        assert await ask(alertmanager, "alerts") == []
        # Told for fifteen minutes more, it stays over and is not told again.
        count = len(pages.notices)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(tell(alertmanager, over))
        await _wait_flush(alertmanager, pages)
        assert len(pages.notices) == count


async def test_unknown_target_is_told_to_nobody(
    alertmanager: Alertmanager, pages_port: int
) -> None:
    """`TargetUnknown` keeps others quiet and reaches no receiver that tells."""
    unknown = replace(raised("silent", at="38"), is_unknown=True)
    async with listening(pages_port) as pages:
        await tell(alertmanager, [unknown])

        async def is_routed() -> bool:
            groups = await ask(alertmanager, "alerts/groups")
            return {
                each["labels"]["alertname"]: each["receiver"]["name"] for each in groups
            } == {"TargetUnknown": "nobody", "TargetLagging": "pages"}

        await eventually(is_routed, what="both alerts in their groups")
        await _wait_flush(alertmanager, pages)
        assert pages.notices == []
