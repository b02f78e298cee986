"""What the processes of a service have counted, in files."""

from pathlib import Path

import pytest
from prometheus_client import Counter
from prometheus_client.values import MultiProcessValue

from service_kit.metrics import page


def test_a_file_that_its_process_has_only_just_made_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr("prometheus_client.values.ValueClass", MultiProcessValue())
    monkeypatch.setattr("prometheus_client.metrics.values.ValueClass", MultiProcessValue())
    Counter("things", "Things.", registry=None).inc()
    assert list(tmp_path.glob("*.db"))
    (tmp_path / "counter_1.db").touch()
    assert b"things_total 1.0" in page()[0]
