"""Every provider does what `ProviderContract` says."""

from pathlib import Path

import pytest
from tests.fake_postcodes_io import POSTCODES
from tests.index_files import NAME_TABLES, ONS_2025, table, zipped
from tests.provider_contract import ProviderContract

from lookups.index.build import build
from lookups.provider import Provider
from lookups.providers.local import Local
from lookups.providers.sandbox import Sandbox

CODES = {
    "SW1A 1AA": {"country": "E92000001", "region": "E12000007", "district": "E09000033", "ward": "E05013806"},
    "EH1 2NG": {"country": "S92000003", "region": "S99999999", "district": "S12000036", "ward": "S13002935"},
}


@pytest.fixture
def local(tmp_path: Path) -> Local:
    """With an index of the same postcodes that the stand-in of postcodes.io has, from a file like that of ONS."""
    rows = [
        {
            "postcode": p["postcode"],
            "latitude": p["latitude"],
            "longitude": p["longitude"],
            **CODES.get(p["postcode"], {}),
        }
        for p in POSTCODES
    ]
    file = zipped(tmp_path / "onspd.zip", {"Data/ONSPD.csv": table(ONS_2025, rows), **NAME_TABLES})
    build(file, tmp_path / "index")
    return Local(tmp_path / "index")


class TestSandbox(ProviderContract):
    @pytest.fixture
    def provider(self) -> Provider:
        return Sandbox()


class TestLocal(ProviderContract):
    @pytest.fixture
    def provider(self, local: Local) -> Provider:
        return local
