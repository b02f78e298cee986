"""docker-compose.yml: what each container may do, which secrets it has, and whom it can reach."""

import re
from typing import Any

import pytest
import yaml
from stack import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
_FILE_READER = {"file_reader_secret_key", "file_reader_database_password", "internal_token"}
_POSTCODE_CONSUMER = {"postcode_consumer_secret_key", "postcode_consumer_database_password", "internal_token"}
SECRETS = {
    "gateway": {"internal_token"},
    "file_reader": _FILE_READER,
    "worker": _FILE_READER,
    "migrate_file_reader": _FILE_READER,
    "maintenance_file_reader": _FILE_READER,
    "postcode_consumer": _POSTCODE_CONSUMER,
    "migrate_postcode_consumer": _POSTCODE_CONSUMER,
    "maintenance_postcode_consumer": _POSTCODE_CONSUMER,
    # To make the roles of the services at its first start.
    "postgres": {"postgres_password", "file_reader_database_password", "postcode_consumer_database_password"},
    "broker": set(),
    "prometheus": set(),
    "loki": set(),
    "grafana": {"grafana_password"},
    "celery": _FILE_READER,
    "beat": _FILE_READER,
}
NETWORKS = {
    "gateway": {"front", "services"},
    "file_reader": {"services", "databases", "internet", "broker"},
    "worker": {"services", "databases", "internet", "broker"},
    "migrate_file_reader": {"databases"},
    "maintenance_file_reader": {"databases"},
    "postcode_consumer": {"services", "databases", "internet"},
    "migrate_postcode_consumer": {"databases"},
    # It asks known locations again.
    "maintenance_postcode_consumer": {"databases", "internet"},
    "postgres": {"databases"},
    "broker": {"broker"},
    "prometheus": {"services", "monitoring"},
    "loki": {"front", "monitoring"},
    "grafana": {"front", "monitoring"},
    "celery": {"services", "databases", "internet", "broker"},
    "beat": {"broker"},
}


def test_every_container_has_only_the_secrets_that_it_needs() -> None:
    assert {name: set(service.get("secrets", ())) for name, service in SERVICES.items()} == SECRETS
    # None in an environment, where `docker inspect` would show it.
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("KEY|TOKEN|PASSWORD", name):
                assert name.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_the_secrets_are_those_that_make_writes() -> None:
    listed = re.search(r"^SECRETS := ((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert listed
    assert {*listed[1].replace("\\\n", " ").split()} == {*COMPOSE["secrets"]}
    assert COMPOSE["secrets"] == {name: {"file": f"./secrets/{name}"} for name in COMPOSE["secrets"]}


def test_every_container_reaches_only_whom_it_needs() -> None:
    assert {name: set(service["networks"]) for name, service in SERVICES.items()} == NETWORKS
    networks = COMPOSE["networks"]
    inside = {name for name, options in networks.items() if (options or {}).get("internal")}
    assert inside == {"services", "databases", "broker", "monitoring"}
    # Without it, the network that has the public port would be a way out.
    assert networks["front"]["driver_opts"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.pop("gateway") == ["${PUBLISH:-127.0.0.1:8080}:8080"]
    # For who runs it, on that machine alone.
    assert published == {"loki": ["127.0.0.1:3100:3100"], "grafana": ["127.0.0.1:3000:3000"]}


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


@pytest.mark.parametrize(
    "name", ["postgres", "broker", "gateway", "file_reader", "postcode_consumer", "worker", "celery"]
)
def test_whoever_answers_or_works_is_asked_whether_it_does(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", ["gateway", "file_reader", "postcode_consumer"])
def test_a_service_is_not_killed_before_it_has_ended_by_itself(name: str) -> None:
    service = SERVICES[name]
    image = (ROOT / service["build"]["dockerfile"]).read_text()
    announced = re.search(r"^ENV STOP_READY_SECONDS=(\d+)$", image, re.MULTILINE)
    assert announced
    # In the exec form: a shell in between would not pass SIGTERM on.
    assert re.search(r"^CMD \[", image, re.MULTILINE)
    assert int(service["stop_grace_period"].removesuffix("s")) > int(announced[1]) + 30
