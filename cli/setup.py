"""What pyproject.toml cannot say: the wheel has the services in it, as data that `postcodes serve` starts.

They come from the repository around this folder, as they are there, and so do the versions of what they need.
"""

import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent.parent
#: What a service is made of; tests, and what else lies around, stay here (as in .dockerignore).
_PARTS = ("serve.py", "LICENSE", "contracts", "service_kit", "gateway", "file_reader", "postcode_consumer")
_LEFT_OUT = (
    "tests",
    "build",
    "__pycache__",
    ".*",
    "*.egg-info",
    "*.sqlite3*",
    "*.ini",
    "*.po",
    "requirements.*",
    "Dockerfile",
)


class WithServices(build_py):  # type: ignore[misc]  # it has no types
    """Puts the services beside the modules."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # the repository is at hand then
            return
        target = Path(self.build_lib) / "postcodes_cli" / "server"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in _PARTS:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns(*_LEFT_OUT))
            else:
                shutil.copy(ROOT / name, target / name)


def pinned() -> list[str]:
    """The versions that the tests have seen, without their hashes, which a wheel cannot ask for."""
    return re.findall(r"^(\S+==[^\\\n]+?) *\\?$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


if not (ROOT / "serve.py").exists():
    raise SystemExit("postcodes-cli is built inside its repository: pip wheel ./cli")
setup(cmdclass={"build_py": WithServices}, extras_require={"serve": pinned()})
