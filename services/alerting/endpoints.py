"""Webhooks as the operator's file gives them: who they are, where they lead, secrets.

    - id: steering-room
      url: https://hooks.example.vn/uptake
      secret_file: steering-room.secret       # whsec_ and base64, beside this file
      previous_secret_file: old.secret        # signs too, while one replaces the other
      kinds: [TargetLagging, TargetMissed]    # left out: all
      states: [firing, resolved]              # left out: these two
      provinces: ["38"]                       # left out: everywhere

Whoever knows some addresses may use them (Slack's, for instance), so `url_file` may
stand in place of `url`. Neither address nor secret is ever shown or logged.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from services.alerting.core.agency_alerts import ALL_KINDS, AgencyKind
from services.alerting.core.alerts import Kind
from services.alerting.core.life_cycle import State
from services.alerting.core.webhooks import TOLD_STATES, Webhook, read_secret
from shared.catalogue.checks import check_unique
from shared.catalogue.files import Entry, Problems, read_many
from shared.catalogue.shapes import Shape, Slug, fault
from shared.errors import CatalogueError

WEBHOOKS_MAX: Final = 50
LIST_MAX: Final = 100
SECRET_FILE_BYTES_MAX: Final = 4 * 1024
URL_CHARACTERS_MAX: Final = 2048
_Name = Annotated[str, Field(min_length=1, max_length=4096)]
_Names = Annotated[list[str], Field(min_length=1, max_length=LIST_MAX)]
MemberT = TypeVar("MemberT", Kind | AgencyKind, State)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a webhook leads.

    Attributes:
        webhook: Who is told of what.
        url: Where to; a secret.
        keys: That messages are signed with; secrets, one or two.
    """

    webhook: Webhook
    url: str = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)


class _WebhookShape(Shape):
    """One entry of the file."""

    id: Slug
    url: _Name | None = None
    url_file: _Name | None = None
    secret_file: _Name
    previous_secret_file: _Name | None = None
    kinds: _Names | None = None
    states: _Names | None = None
    provinces: _Names | None = None
    plain_http: bool = False

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.url is None) == (self.url_file is None):
            raise fault("has not one address", "give either url or url_file")
        return self


def load_endpoints(path: Path) -> tuple[Endpoint, ...]:
    """Read and check a file of webhooks, and the secrets that it names.

    Returns:
        In the order of the file.

    Raises:
        CatalogueError: Anything is wrong; one line for each problem, none of which
            repeats an address or a secret.
    """
    problems = Problems()
    entries = read_many(path.parent, path.name, _WebhookShape, problems)
    check_unique(((entry, entry.shape.id) for entry in entries), "id", problems)
    if len(entries) > WEBHOOKS_MAX:
        problems.add(
            path.name,
            "top",
            f"{len(entries)} webhooks, at most {WEBHOOKS_MAX}",
            "send to one that passes them on",
        )
    found = [_read_endpoint(entry, path.parent, problems) for entry in entries]
    if problems.lines:
        raise CatalogueError(problems.lines)
    return tuple(found)


def _read_endpoint(
    entry: Entry[_WebhookShape], folder: Path, problems: Problems
) -> Endpoint:
    shape = entry.shape
    secrets = [("secret_file", shape.secret_file)]
    if shape.previous_secret_file is not None:
        secrets.append(("previous_secret_file", shape.previous_secret_file))
    keys = tuple(_read_key(entry, name, folder / at, problems) for name, at in secrets)
    url, place = shape.url or "", "url"
    if shape.url_file is not None:
        place = "url_file"
        url = _read_text(entry, place, folder / shape.url_file, problems)
    wrong = _fault_of(url, plain_http=shape.plain_http)
    if wrong is not None:
        problems.add(entry.file, entry.place_of(place), *wrong)
    return Endpoint(
        Webhook(
            id=shape.id,
            kinds=_members(entry, "kinds", (*Kind, *AgencyKind), problems) or ALL_KINDS,
            states=_members(entry, "states", State, problems) or TOLD_STATES,
            provinces=None if shape.provinces is None else frozenset(shape.provinces),
        ),
        url,
        keys,
    )


def _members(
    entry: Entry[_WebhookShape],
    name: str,
    members: Iterable[MemberT],
    problems: Problems,
) -> frozenset[MemberT]:
    """Return what a list names; empty where it is left out."""
    known = {each.value: each for each in members}
    given: list[str] = getattr(entry.shape, name) or []
    for each in given:
        if each not in known:
            problems.add(
                entry.file,
                entry.place_of(name),
                f"{each[:40]!r} is none",
                f"choose from {', '.join(known)}",
            )
    return frozenset(known[each] for each in given if each in known)


def _fault_of(url: str, *, plain_http: bool) -> tuple[str, str] | None:
    """Return what is wrong with an address and what to do, without repeating it."""
    remedy = "give one like https://hooks.example.vn/uptake"
    try:
        parts = urlsplit(url)
        # Reading the port checks it.
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "it is no web address", remedy
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not has_host or not is_plain or len(url) > URL_CHARACTERS_MAX:
        return "it is no web address", remedy
    if parts.scheme != "https" and not (plain_http and parts.scheme == "http"):
        return (
            "everybody on the way could read what is sent",
            "give an https address, or set plain_http: true where nobody is",
        )
    if "@" in parts.netloc:
        return "a password stands in the address", "messages are signed; leave it out"
    if parts.fragment:
        return "it has a part after #", "leave it out: it is never sent"
    return None


def _read_key(
    entry: Entry[_WebhookShape], name: str, path: Path, problems: Problems
) -> bytes:
    text = _read_text(entry, name, path, problems)
    try:
        return read_secret(text)
    except ValueError as error:
        problems.add(
            entry.file,
            entry.place_of(name),
            f"the secret {error}",
            'make one: echo "whsec_$(openssl rand -base64 32)"',
        )
    return b""


def _read_text(
    entry: Entry[_WebhookShape], name: str, path: Path, problems: Problems
) -> str:
    """Return a small file's text without the line break at its end."""
    wrong = f"longer than {SECRET_FILE_BYTES_MAX:,} bytes"
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_FILE_BYTES_MAX + 1)
        if len(content) <= SECRET_FILE_BYTES_MAX:
            return content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        wrong = (error.strerror or type(error).__name__).lower()
    except UnicodeDecodeError:
        # Its message would show a part of the secret.
        wrong = "not UTF-8"
    problems.add(entry.file, entry.place_of(name), wrong, "give a file that holds it")
    return ""
