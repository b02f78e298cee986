"""The manual page is that of the commands, and comes along with them."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import manual
import pytest


def test_the_page_is_that_of_the_commands() -> None:
    assert manual.PAGE.read_text() == manual.page(), "The commands have changed: .venv/bin/python cli/manual.py"


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_shows_it_without_a_warning() -> None:
    line = ["groff", "-man", "-Tutf8", "-ww", str(manual.PAGE)]
    shown = subprocess.run(line, capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    assert "postcodes lookup 51.501009 -0.141588" in shown.stdout


def test_the_wheel_has_it(wheel: Path) -> None:
    (page,) = (name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("/share/man/man1/postcodes.1"))
    assert zipfile.ZipFile(wheel).read(page) == manual.PAGE.read_bytes()
