"""The operator's file of webhooks: what is taken, what is refused, what is not said."""

from pathlib import Path

import pytest

from services.alerting.core.alerts import Kind
from services.alerting.core.life_cycle import State
from services.alerting.core.webhooks import Webhook
from services.alerting.endpoints import load_endpoints
from shared.errors import CatalogueError
from tests.support.hooks import OLD_SECRET, SECRET

URL = "https://hooks.example.vn/uptake"


def write(folder: Path, text: str) -> Path:
    """Write a file of webhooks beside two secrets."""
    (folder / "new.secret").write_text(f"{SECRET}\n", encoding="utf-8")
    (folder / "old.secret").write_text(OLD_SECRET, encoding="utf-8")
    path = folder / "webhooks.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> str:
    """Return what is said of a file that is wrong."""
    with pytest.raises(CatalogueError) as caught:
        load_endpoints(write(folder, text))
    return str(caught.value)


def test_file_says_who_is_told_of_what(tmp_path: Path) -> None:
    """Everything that can be left out has a default; secrets lie in their files."""
    (tmp_path / "slack.url").write_text("https://hooks.slack.example/T0/B0\n")
    first, second = load_endpoints(
        write(
            tmp_path,
            f"- {{id: all, url: '{URL}', secret_file: new.secret}}\n"
            "- id: province\n  url_file: slack.url\n  secret_file: new.secret\n"
            "  previous_secret_file: old.secret\n  kinds: [TargetMissed]\n"
            "  states: [firing]\n  provinces: ['38']\n",
        )
    )
    assert first.webhook == Webhook("all")
    assert first.url == URL
    assert len(first.keys) == 1
    assert second.webhook == Webhook(
        "province",
        frozenset({Kind.MISSED}),
        frozenset({State.FIRING}),
        frozenset({"38"}),
    )
    assert second.url == "https://hooks.slack.example/T0/B0"
    assert len(set(second.keys)) == 2


def test_neither_address_nor_secret_is_shown(tmp_path: Path) -> None:
    """Not where an endpoint is printed by mistake."""
    text = f"- {{id: all, url: '{URL}', secret_file: new.secret}}\n"
    shown = repr(load_endpoints(write(tmp_path, text)))
    assert "example.vn" not in shown
    assert "thirty-two" not in shown


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("http://hooks.example.vn/hidden", "everybody on the way"),
        ("ftp://hooks.example.vn/hidden", "everybody on the way"),
        ("file:///etc/hidden", "it is no web address"),
        ("https:///hidden", "it is no web address"),
        ("hidden", "it is no web address"),
        ("https://hooks.example.vn:99999/hidden", "it is no web address"),
        ("https://[::1/hidden", "it is no web address"),
        ("https://hooks.example.vn/hid den", "it is no web address"),
        ("https://hooks.example.vn/\\thidden", "it is no web address"),
        ("https://ngườidùng.vn/hidden", "it is no web address"),
        ("https://me:hidden@hooks.example.vn/", "a password stands in the address"),
        ("https://hooks.example.vn/#hidden", "a part after #"),
        (f"https://hooks.example.vn/{'hidden' * 400}", "it is no web address"),
    ],
)
def test_address_that_may_not_be_is_refused_and_not_repeated(
    tmp_path: Path, url: str, wrong: str
) -> None:
    """What cannot be one, and what would send in the open."""
    text = f'- {{id: all, url: "{url}", secret_file: new.secret}}\n'
    said = problems(tmp_path, text)
    assert wrong in said
    assert said.startswith("webhooks.yaml: ")
    assert "hidden" not in said


def test_plain_http_is_for_those_who_ask_for_it(tmp_path: Path) -> None:
    """Then it is the operator's word that nobody listens."""
    text = "- {id: a, url: 'http://10.20.0.1/', secret_file: new.secret, %s}\n"
    (endpoint,) = load_endpoints(write(tmp_path, text % "plain_http: true"))
    assert endpoint.url == "http://10.20.0.1/"
    assert "everybody" in problems(tmp_path, text % "plain_http: false")


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("secret_file: missing.secret", "secret_file: no such file"),
        ("secret_file: empty.secret", "secret_file: the secret does not begin"),
        ("secret_file: short.secret", "secret_file: the secret holds 5 bytes"),
        ("secret_file: long.secret", "secret_file: longer than 4,096 bytes"),
        ("secret_file: latin.secret", "secret_file: not UTF-8"),
        (
            "secret_file: new.secret, previous_secret_file: short.secret",
            "previous_secret_file: the secret holds",
        ),
        ("secret_file: new.secret, kinds: [TargetLate]", "kinds: 'TargetLate' is none"),
        ("secret_file: new.secret, states: [over]", "states: 'over' is none"),
        ("secret_file: new.secret, kinds: []", "kinds"),
        ("secret_file: new.secret, url_file: new.secret", "has not one address"),
        ("secret_file: new.secret, secret: whsec_aGVsbG8=", "secret"),
    ],
)
def test_entry_that_is_wrong_is_refused_in_one_line(
    tmp_path: Path, line: str, wrong: str
) -> None:
    """With its place and without what the secret's file holds."""
    (tmp_path / "empty.secret").write_text("")
    (tmp_path / "short.secret").write_text("whsec_aGVsbG8=")
    (tmp_path / "long.secret").write_text("whsec_" + "a" * 5_000)
    (tmp_path / "latin.secret").write_bytes(b"whsec_\xe9")
    said = problems(tmp_path, f"- {{id: all, url: '{URL}', {line}}}\n")
    assert wrong in said.lower() or wrong in said
    assert "aGVsbG8" not in said
    assert "thirty-two" not in said


def test_two_of_one_name_and_too_many_are_refused(tmp_path: Path) -> None:
    """What waits goes by the name, and metrics have it as a label."""
    one = "- {id: a%s, url: 'https://a.example/', secret_file: new.secret}\n"
    assert "a1" in problems(tmp_path, one % 1 + one % 1)
    many = "".join(one % number for number in range(51))
    assert "51 webhooks, at most 50" in problems(tmp_path, many)
