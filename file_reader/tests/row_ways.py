"""The thresholds between the ways to a page of rows, for tests that want each way with a few rows."""

import pytest

from uploads.rows import gathering, pages, scope, searching, walking

_MODULES = (scope, walking, gathering, searching, pages)


def set_thresholds(monkeypatch: pytest.MonkeyPatch, **values: int) -> None:
    """`set_thresholds(monkeypatch, FEW_ROWS=0)`, wherever that name is used."""
    for name, value in values.items():
        used = [(module, found) for module in _MODULES for found in (name, f"_{name}") if hasattr(module, found)]
        assert used, name
        for module, found in used:
            monkeypatch.setattr(module, found, value)


def forbid_walking(monkeypatch: pytest.MonkeyPatch) -> None:
    """What walks fails."""
    monkeypatch.setattr(walking.Walking, "page", None)
