"""Who may do what at the broker: each agency its own, each service what it needs."""

from pathlib import Path

import pytest

from services.cli.migrate import PermissionSettings
from shared.errors import SettingsError
from shared.events.topics import EVENTS, agency_topics
from shared.kafka.permissions import (
    SERVICE_USES,
    Operation,
    Pattern,
    Resource,
    Right,
    agency_rights,
    service_rights,
)
from shared.settings import load_settings
from tests.support.catalogues import copy_catalogue, write_agency


def matches(right: Right, resource: Resource, name: str) -> bool:
    """Tell whether a right is about a topic or a group, as the broker does."""
    if right.resource is not resource:
        return False
    if right.pattern is Pattern.PREFIXED:
        return name.startswith(right.name)
    return right.name == name


def test_agency_writes_its_own_topic_and_nothing_else() -> None:
    """Nor does it read it: what it wrote, it knows."""
    rights = agency_rights("tha", "User:tha")
    assert {right.principal for right in rights} == {"User:tha"}
    written = {right.name for right in rights if right.operation is Operation.WRITE}
    assert written == {"uptake.submissions.tha"}
    read = {right.name for right in rights if right.operation is Operation.READ}
    assert read == {"uptake.refused.tha", "agency.tha."}


@pytest.mark.parametrize("other", ["tha-bank", "th", "thaa", "tha0"])
def test_no_agency_reaches_into_one_whose_id_begins_alike(other: str) -> None:
    """Beginnings are for groups only, and end with a dot, which no id has."""
    for right in agency_rights("tha", "User:tha"):
        for spec in agency_topics(other):
            assert not matches(right, Resource.TOPIC, spec.name)
        assert not matches(right, Resource.GROUP, f"agency.{other}.readers")


def test_no_agency_reaches_a_group_of_services() -> None:
    """Whatever its id: it could move the place from which they read on."""
    for agency in ("uptake", "agency"):
        for right in agency_rights(agency, "User:x"):
            for service in SERVICE_USES.values():
                for resource, _, name, _ in service:
                    if resource is Resource.GROUP:
                        assert not matches(right, resource, name)


def test_only_ingest_writes_the_log() -> None:
    """One writer: everything in it went through the door."""
    rights = service_rights({name: f"User:{name}" for name in SERVICE_USES})
    writers = {
        right.principal
        for right in rights
        if right.operation is Operation.WRITE and matches(right, Resource.TOPIC, EVENTS)
    }
    assert writers == {"User:ingest"}


def test_users_are_named_by_their_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only agencies with a topic have a user."""
    catalogue = copy_catalogue(tmp_path / "catalogue")
    write_agency(catalogue, "bank", "38", has_topic=True)
    monkeypatch.setenv("UPTAKE_CATALOGUE", str(catalogue))
    settings = load_settings(PermissionSettings)
    assert settings.agency_principals() == {"bank": "User:bank"}
    assert settings.service_rights() == frozenset()
    monkeypatch.setenv("UPTAKE_KAFKA_AGENCY_PRINCIPAL", "User:CN={agency},O=A")
    monkeypatch.setenv("UPTAKE_KAFKA_SERVICE_PRINCIPAL", "User:uptake-{service}")
    settings = load_settings(PermissionSettings)
    assert settings.agency_principals() == {"bank": "User:CN=bank,O=A"}
    principals = {right.principal for right in settings.service_rights()}
    assert principals == {f"User:uptake-{name}" for name in SERVICE_USES}


@pytest.mark.parametrize("template", ["bank", "User:bank", "{agency}", "User:*"])
def test_template_that_would_give_all_agencies_one_user_is_refused(
    monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    """With one user for all, each could write as any other."""
    monkeypatch.setenv("UPTAKE_KAFKA_AGENCY_PRINCIPAL", template)
    with pytest.raises(SettingsError, match="UPTAKE_KAFKA_AGENCY_PRINCIPAL"):
        load_settings(PermissionSettings)


def test_rights_of_services_need_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the agencies' would be left as they are, unsaid."""
    monkeypatch.setenv("UPTAKE_KAFKA_SERVICE_PRINCIPAL", "User:{service}")
    with pytest.raises(SettingsError, match="also set UPTAKE_CATALOGUE"):
        load_settings(PermissionSettings)
