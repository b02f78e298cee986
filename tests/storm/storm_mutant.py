"""`manage.py worker` with the fence switched off: what a late write asks for is what the row has by now.

The storm must fail with it. The fenced writes of the product are replaced from outside, wherever they were imported.
"""

import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FILE_READER = Path(__file__).resolve().parents[2] / "file_reader"


def unfenced(write: Callable[..., None], rows: Any, id_field: str, state: str) -> Callable[..., None]:
    """The fenced write of a lease, made to succeed whoever holds the row."""

    def late_write(lease: Any, **values: Any) -> None:
        row = rows.filter(pk=getattr(lease, id_field))
        row.update(state=state)
        fence = row.values_list("fence", flat=True).first()
        write(lease if fence is None else dataclasses.replace(lease, fence=fence), **values)

    return late_write


def replace_everywhere(name: str, mutant: Callable[..., None]) -> None:
    original = getattr(sys.modules["uploads.work.leases"], name)
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("uploads.") and getattr(module, name, None) is original:
            setattr(module, name, mutant)


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "reader_config.settings"
    sys.path.insert(0, str(FILE_READER))
    import django

    django.setup()
    from django.core.management import call_command

    from uploads.models import Chunk, Upload
    from uploads.work import (
        geocoding,  # noqa: F401 - imported, so that they are patched
        loading,  # noqa: F401 - imported, so that they are patched
        worker,  # noqa: F401 - imported, so that they are patched
    )
    from uploads.work import leases as engine

    replace_everywhere("release_chunk", unfenced(engine.release_chunk, Chunk.objects, "chunk_id", "leased"))
    replace_everywhere("advance_upload", unfenced(engine.advance_upload, Upload.objects, "upload_id", "loading"))
    call_command("worker")


if __name__ == "__main__":
    main()
