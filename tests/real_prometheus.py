"""A real Prometheus, for as long as a test or a drill lasts."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import yaml
from stack import ROOT, wait_for

RULES = ROOT / "deploy" / "monitoring" / "rules.yml"


@contextmanager
def prometheus(
    folder: Path, port: int, targets: dict[str, list[int]], *, rules: Path = RULES, seconds: int = 2
) -> Iterator[None]:
    """One with these rules, which scrapes the ports of each job on this machine every so many seconds."""
    folder.mkdir()
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{target}" for target in ports]}]}
        for job, ports in targets.items()
    ]
    config = {
        "global": {"scrape_interval": f"{seconds}s", "evaluation_interval": f"{seconds}s"},
        "rule_files": [str(rules)],
        "scrape_configs": jobs,
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: _is_up(port), "Prometheus answers")
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _is_up(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/-/ready", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def answer(port: int, query: str, **of_a_range: float) -> list[dict[str, Any]]:
    """The series of a query: now, or with `start`, `end` and `step` (seconds) over that time."""
    path = "query_range" if of_a_range else "query"
    parameters = {"query": query, **of_a_range}
    said = requests.get(f"http://127.0.0.1:{port}/api/v1/{path}", params=parameters, timeout=30).json()
    assert said["status"] == "success", (query, said)
    return list(said["data"]["result"])
