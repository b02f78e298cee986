"""What is installed is what was there when the requirements were compiled."""

import re

import pytest
from stack import ROOT

SERVICES = ("gateway", "file_reader", "postcode_consumer")
INSTALLERS = ["Makefile", *(f"{service}/Dockerfile" for service in SERVICES)]
OF_IMAGES = [f"{service}/requirements.txt" for service in SERVICES]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-parquet.txt", *OF_IMAGES])
def test_every_package_has_the_hashes_of_its_files(name: str) -> None:
    packages = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
    known = re.compile(r"\S+==\S+ .*--hash=sha256:\w{64}", re.DOTALL)
    assert [package for package in packages if not known.match(package)] == []


@pytest.mark.parametrize("name", OF_IMAGES)
def test_an_image_has_the_versions_that_the_tests_run_with(name: str) -> None:
    def pinned(path: str) -> set[str]:
        return set(re.findall(r"^\S+==\S+", (ROOT / path).read_text(), re.MULTILINE))

    assert pinned(name) <= pinned("requirements.txt")


@pytest.mark.parametrize("name", INSTALLERS)
def test_nothing_is_installed_without_its_hash(name: str) -> None:
    commands = re.findall(r"pip install (.*?)(?:&&|\n)", (ROOT / name).read_text().replace("\\\n", ""))
    assert len(commands) == 2
    for options in commands:
        # service_kit is built from this repository, with what is installed already.
        ours = {"--no-deps", "--no-build-isolation", "./service_kit"} <= {*options.split()}
        assert ours or "--require-hashes --only-binary :all:" in options
