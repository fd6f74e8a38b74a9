"""The file of webhooks, followed while the service runs."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.alerting.endpoints import EndpointWatch, load_endpoints
from shared.clock import SystemClock
from shared.metrics import WebhookFileMetrics
from tests.support.certificates import Authority
from tests.support.hooks import OLD_SECRET, SECRET

ENTRY = "- {id: %s, url: 'https://hooks.example.vn/T0KEN', secret_file: secret%s}\n"


class Followed:
    """A file of webhooks that is followed, with what is shown of it."""

    def __init__(self, folder: Path) -> None:
        """Write a file with one webhook, and follow it."""
        self.file = folder / "webhooks.yaml"
        self.secret = folder / "secret"
        self.secret.write_text(SECRET)
        self.file.write_text(ENTRY % ("one", ""))
        self._registry = CollectorRegistry()
        self.watch = EndpointWatch(load_endpoints(self.file))
        self.watch.follow(
            self.file,
            SystemClock(),
            metrics=WebhookFileMetrics(self._registry),
            poll_seconds=60,
        )

    @property
    def is_right(self) -> bool:
        """Whether the metric says that the file is right."""
        name = "uptake_webhooks_reload_successful"
        return self._registry.get_sample_value(name) == 1

    def names(self) -> list[str]:
        """Return the webhooks in force."""
        assert [each.id for each in self.watch.webhooks()] == list(
            self.watch.endpoints()
        )
        return list(self.watch.endpoints())


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    """Follow a file with one webhook."""
    return Followed(tmp_path)


def said(
    caplog: pytest.LogCaptureFixture,
) -> Sequence[tuple[str, Mapping[str, object]]]:
    """Return what was said since this was last asked, and forget it."""
    found = [(each.message, vars(each)) for each in caplog.records]
    caplog.clear()
    return found


async def test_webhooks_come_go_and_change_without_a_restart(
    followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says which, by their ids; a file that did not change says nothing."""
    caplog.set_level(logging.INFO)
    await followed.watch.look()
    await followed.watch.look()
    assert said(caplog) == []
    before = followed.watch.endpoints()["one"]
    followed.file.write_text(
        ENTRY % ("one", ", kinds: [TargetMet]") + ENTRY % ("b", "")
    )
    await followed.watch.look()
    assert followed.names() == ["one", "b"]
    ((event, extra),) = said(caplog)
    assert event == "webhooks_reloaded"
    assert (extra["added"], extra["removed"], extra["changed"]) == (["b"], [], ["one"])
    assert before.webhook != followed.watch.endpoints()["one"].webhook
    followed.file.write_text("[]")
    await followed.watch.look()
    assert followed.names() == []
    assert followed.is_right


async def test_secrets_and_authorities_are_followed_too(
    followed: Followed, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """They lie in other files, which change while the file of webhooks does not."""
    caplog.set_level(logging.INFO)
    first = Authority(tmp_path / "first")
    ca = tmp_path / "ca.pem"
    ca.write_bytes(first.path.read_bytes())
    followed.file.write_text(ENTRY % ("one", ", ca_file: ca.pem"))
    await followed.watch.look()
    old = followed.watch.endpoints()["one"]
    followed.secret.write_text(OLD_SECRET)
    await followed.watch.look()
    new = followed.watch.endpoints()["one"]
    assert new.keys != old.keys
    ca.write_bytes(Authority(tmp_path / "second").path.read_bytes())
    await followed.watch.look()
    last = followed.watch.endpoints()["one"]
    assert old.tls is not None
    assert last.tls is not None
    assert last.tls.get_ca_certs() != old.tls.get_ca_certs()
    assert [extra["changed"] for _, extra in said(caplog)] == [["one"]] * 3


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (ENTRY % ("one", "-that-is-not-there"), "secret_file: no such file"),
        (ENTRY % ("one", "") * 2, "one"),
        ("", "the file is empty"),
        (ENTRY % ("one", ", hidden: whsec_hidden"), "hidden"),
        (None, "no such file or directory"),
    ],
)
async def test_file_that_is_wrong_leaves_webhooks_as_they_were(
    followed: Followed,
    caplog: pytest.LogCaptureFixture,
    content: str | None,
    wrong: str,
) -> None:
    """It is said once and shown in a metric; neither address nor secret is."""
    caplog.set_level(logging.INFO)
    before = followed.watch.endpoints()
    if content is None:
        followed.file.unlink()
    else:
        followed.file.write_text(content)
    for _ in range(3):
        await followed.watch.look()
        assert not followed.is_right
    ((event, extra),) = said(caplog)
    assert event == "webhooks_not_reloaded"
    assert wrong in str(extra["problems"])
    assert "T0KEN" not in str(extra)
    assert followed.watch.endpoints() == before
    followed.file.write_text(ENTRY % ("two", ""))
    await followed.watch.look()
    assert followed.is_right
    assert followed.names() == ["two"]
