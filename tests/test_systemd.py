"""The units of deploy/systemd/: systemd understands them, and they run what is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from stack import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").iterdir())


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_understands_every_unit(tmp_path: Path) -> None:
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/postcodes/.venv", str(ROOT / ".venv")))
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_a_unit_runs_what_is_there(unit: Path) -> None:
    text = unit.read_text()
    [folder] = re.findall(r"^WorkingDirectory=/opt/postcodes/(.+)$", text, re.MULTILINE)
    for command in re.findall(r"^ExecStart(?:Pre)?=/opt/postcodes/.venv/bin/(.+)$", text, re.MULTILINE):
        words = command.split()
        if words[:2] == ["python", "manage.py"]:
            told = subprocess.run(
                [ROOT / ".venv" / "bin" / "python", "manage.py", "help", words[2]],
                cwd=ROOT / folder,
                capture_output=True,
                check=False,
                env={"SECRET_KEY": "x", "INTERNAL_TOKEN": "x"},
            )
            assert told.returncode == 0, told.stderr
        elif words[0] == "gunicorn":
            assert (ROOT / folder / words[2]).is_file()
        else:
            assert (ROOT / folder / words[2]).is_dir()
    assert "User=postcodes\n" in text
    assert "NoNewPrivileges=yes\n" in text


def test_the_page_of_operating_starts_every_unit() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    for unit in UNITS:
        if "[Install]" in unit.read_text():
            assert re.search(rf"\b{re.escape(unit.name.removesuffix('.service').rstrip('@'))}\b", page), unit.name


def test_what_serves_is_not_killed_before_it_has_ended_by_itself_and_its_master_alone_is_told() -> None:
    units = {unit.name: unit.read_text() for unit in UNITS}
    for name in ("gateway", "file-reader", "postcode-consumer"):
        unit = units[f"postcodes-{name}.service"]
        assert "TimeoutStopSec=45\n" in unit
        assert ("KillMode=mixed\n" in unit) == ("gunicorn" in unit)
    assert re.search("^WatchdogSec=", units["postcodes-worker@.service"], re.MULTILINE)
