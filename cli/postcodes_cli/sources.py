"""Which files are meant, and where their results go."""

import glob
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import click

from postcodes_cli.answers import FORMATS
from postcodes_cli.app import existing_file
from postcodes_cli.sending import digest_of

_PACKED = (".gz", ".zip")


@dataclass
class Source:
    """A file that is to be geocoded. `path` is None for standard input, which is kept in `spooled`."""

    path: Path | None
    spooled: BinaryIO | None = None
    _digest: bytes | None = None

    @property
    def name(self) -> str:
        return self.path.name if self.path else "stdin"

    def open(self) -> BinaryIO:
        if self.spooled is not None:
            return self.spooled
        return (self.path or Path("-")).open("rb")

    def digest(self) -> bytes:
        if self._digest is None:
            file = self.open()
            self._digest = digest_of(file)
            if self.path:
                file.close()
        return self._digest


def find(names: Iterable[str]) -> tuple[list[Source], list[str]]:
    """The files of the command line, and those that were left out: results of earlier runs that a pattern has caught.

    Patterns that no shell has filled in are filled in here. Raises UsageError.
    """
    names = list(names)
    if "-" in names:
        if len(names) > 1:
            raise click.UsageError("Standard input (-) comes alone, without other files")
        return [Source(None, _spooled())], []
    paths: dict[Path, None] = {}
    for name in names:
        if glob.has_magic(name) and not Path(name).exists():
            matches = glob.glob(name, recursive=True)  # noqa: PTH207 - patterns may be absolute
            found = sorted(path for path in matches if Path(path).is_file())
            if not found:
                raise click.UsageError(f"No file is called like {name}")
        else:
            found = [name]
        paths |= dict.fromkeys(existing_file(one) for one in found)
    results = [path for path in paths if len(paths) > 1 and _is_result(path)]
    return [Source(path) for path in paths if path not in results], [str(path) for path in results]


def _is_result(path: Path) -> bool:
    return any(path.name.endswith(f".postcodes.{form}") for form in FORMATS) or path.name.endswith(".part")


def _spooled() -> BinaryIO:
    """Standard input in a file without a name: an attempt to send it may have to begin again."""
    if sys.stdin.isatty():
        raise click.UsageError(
            "Standard input is the keyboard here: pass a file, as in `postcodes geocode - < points.csv`"
        )
    file = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the command runs
    shutil.copyfileobj(sys.stdin.buffer, file, 1 << 18)
    file.seek(0)
    return file


def result_path(path: Path, form: str) -> Path:
    """points.csv → points.postcodes.csv, beside it."""
    name = path.name
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return path.with_name(f"{Path(name).stem}.postcodes.{form}")


def targets(sources: list[Source], output: str | None, form: str) -> list[Path | None]:
    """Where each result goes; None is standard output. Raises UsageError."""
    if output == "-" or (output is None and sources[0].path is None):
        if len(sources) > 1:
            raise click.UsageError("Standard output takes one result: pass one file, or a folder as -o")
        return [None]
    if output is not None and (len(sources) > 1 or output.endswith("/") or Path(output).is_dir()):
        folder = Path(output)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise click.UsageError(f"-o must be a folder, and {output} is a file") from None
        except OSError as error:
            raise click.UsageError(f"The folder {output} cannot be made: {error.strerror}") from None
        found = [folder / result_path(source.path or Path("stdin"), form).name for source in sources]
    elif output is not None:
        found = [Path(output)]
    else:
        found = [result_path(source.path, form) for source in sources if source.path]
    _check(sources, found)
    return [path.absolute() for path in found]


def _check(sources: list[Source], found: list[Path]) -> None:
    for path in found:
        if not path.parent.is_dir():
            raise click.UsageError(f"There is no folder {path.parent}")
        if found.count(path) > 1:
            raise click.UsageError(f"Two files would have their result in {path}")
        if any(source.path and path.exists() and path.samefile(source.path) for source in sources):
            raise click.UsageError(f"{path} would be written over itself")
