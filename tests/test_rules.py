"""What lies in deploy/monitoring: rules that fire when they should, and nothing that speaks of what is not there."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from monitoring import FOLDER, ROOT, documented, queries

RULES = yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"][0]["rules"]
ALERTS = [rule["alert"] for rule in RULES]
needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool") and os.environ.get("REQUIRE_PROMETHEUS") != "1",
    reason="there is no promtool here (Debian: apt install prometheus)",
)


def promtool(*arguments: str, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def named_in(expressions: list[str]) -> set[str]:
    """The metrics that are named, histograms by their own name."""
    words = set(re.findall(r"\b(?:gateway|file_reader|postcode_consumer|process)_\w+\b", " ".join(expressions)))
    return {re.sub(r"_seconds_(bucket|sum|count)$", "_seconds", word) for word in words} - {"file_reader"}


@needs_promtool
@pytest.mark.parametrize("file", ["prometheus.yml", "prometheus-local.yml"])
def test_prometheus_takes_the_configuration(file: str) -> None:
    done = promtool("check", "config", file)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_every_alert_fires_and_stays_silent_as_its_tests_say() -> None:
    done = promtool("test", "rules", "rules_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    names = [test["name"] for test in yaml.safe_load((FOLDER / "rules_test.yml").read_text())["tests"]]
    assert sorted(names) == sorted(f"{alert} {what}" for alert in ALERTS for what in ("fires", "is silent"))


@needs_promtool
@pytest.mark.parametrize("direction", ["more", "less"])
@pytest.mark.parametrize("alert", ALERTS)
def test_a_threshold_that_is_changed_is_noticed(alert: str, direction: str, tmp_path: Path) -> None:
    rules: list[dict[str, Any]] = yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"][0]["rules"]
    (rule,) = (rule for rule in rules if rule["alert"] == alert)
    condition, compares, threshold = re.fullmatch(r"(.*) ([<>]) ([\d.]+)", rule["expr"], re.DOTALL).groups()  # type: ignore[union-attr]
    other = float(threshold) * 2 + 5 if direction == "more" else float(threshold) / 2 - 0.5
    rule["expr"] = f"{condition} {compares} {other}"
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "postcodes", "rules": [rule]}]}))
    test = yaml.safe_load((FOLDER / "rules_test.yml").read_text())
    test["tests"] = [one for one in test["tests"] if one["name"].partition(" ")[0] == alert]
    (tmp_path / "rules_test.yml").write_text(yaml.safe_dump(test))
    assert promtool("test", "rules", "rules_test.yml", folder=tmp_path).returncode != 0


def test_each_alert_leads_to_a_place_in_the_document_of_operators() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for rule in RULES:
        document, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (document, anchor in anchors) == ("docs/operating.md", True), rule


def test_every_metric_is_documented_and_every_one_is_used() -> None:
    assert named_in([*queries(), *(rule["expr"] for rule in RULES)]) == documented()


def test_what_grafana_is_told_is_there() -> None:
    for path in FOLDER.glob("grafana/*/*.yml"):
        assert yaml.safe_load(path.read_text())["apiVersion"] == 1
    assert yaml.safe_load((FOLDER / "loki.yml").read_text())["schema_config"]["configs"]
    boards = [json.loads(path.read_text()) for path in (FOLDER / "dashboards").glob("*.json")]
    assert len({board["uid"] for board in boards}) == len(boards) == 3
