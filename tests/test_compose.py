"""docker-compose.yml: what each container may do, which secrets it has, and whom it can reach."""

import re
from typing import Any

import pytest
import yaml
from stack import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
_FILE_READER = {"FILE_READER_SECRET_KEY", "FILE_READER_DATABASE_PASSWORD", "INTERNAL_TOKEN"}
_POSTCODE_CONSUMER = {"POSTCODE_CONSUMER_SECRET_KEY", "POSTCODE_CONSUMER_DATABASE_PASSWORD", "INTERNAL_TOKEN"}
SECRETS = {
    "gateway": {"INTERNAL_TOKEN"},
    "file_reader": _FILE_READER,
    "worker": _FILE_READER,
    "migrate_file_reader": _FILE_READER,
    "maintenance_file_reader": _FILE_READER,
    "postcode_consumer": _POSTCODE_CONSUMER,
    "migrate_postcode_consumer": _POSTCODE_CONSUMER,
    "maintenance_postcode_consumer": _POSTCODE_CONSUMER,
    # To make the roles of the services at its first start.
    "postgres": {"POSTGRES_PASSWORD", "FILE_READER_DATABASE_PASSWORD", "POSTCODE_CONSUMER_DATABASE_PASSWORD"},
}
NETWORKS = {
    "gateway": {"front", "services"},
    "file_reader": {"services", "databases", "internet"},
    "worker": {"services", "databases", "internet"},
    "migrate_file_reader": {"databases"},
    "maintenance_file_reader": {"databases"},
    "postcode_consumer": {"services", "databases", "internet"},
    "migrate_postcode_consumer": {"databases"},
    # It asks known locations again.
    "maintenance_postcode_consumer": {"databases", "internet"},
    "postgres": {"databases"},
}


def test_every_container_has_only_the_secrets_that_it_needs() -> None:
    given = {
        name: set(re.findall(r"\$\{(\w*(?:KEY|TOKEN|PASSWORD))", " ".join(map(str, service["environment"].values()))))
        for name, service in SERVICES.items()
    }
    assert given == SECRETS


def test_every_container_reaches_only_whom_it_needs() -> None:
    assert {name: set(service["networks"]) for name, service in SERVICES.items()} == NETWORKS
    networks = COMPOSE["networks"]
    inside = {name for name, options in networks.items() if (options or {}).get("internal")}
    assert inside == {"services", "databases"}
    # Without it, the network that has the public port would be a way out.
    assert networks["front"]["driver_opts"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    if "build" in service:
        assert re.search(r"^USER (?!root|0)\w+$", (ROOT / service["build"]["dockerfile"]).read_text(), re.MULTILINE)
    else:
        assert service["user"] not in ("root", "0")
