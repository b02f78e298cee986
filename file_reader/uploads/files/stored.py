"""Where the files of uploads are, and how they are opened and removed."""

import shutil
import uuid
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from uploads.reading.containers import as_table


def path_of(public_id: uuid.UUID) -> Path:
    """Where the file of an upload is. Its name says nothing of the name that people gave it."""
    return Path(settings.UPLOADS_DIR) / "files" / f"{public_id.hex}.csv"


def open_upload(public_id: uuid.UUID, sheet: str) -> BinaryIO:
    """The table of an upload, for reading from its beginning: its file, or that sheet of its workbook as CSV."""
    return as_table(path_of(public_id).open("rb"), sheet)


def remove_file(public_id: uuid.UUID) -> None:
    """Removes the file of an upload and its results; no error when they are gone already."""
    path_of(public_id).unlink(missing_ok=True)
    remove_results(public_id)
    forget_intent(public_id)


def results_folder() -> Path:
    return Path(settings.UPLOADS_DIR) / "results"


def results_of(public_id: uuid.UUID) -> Path:
    """The folder with the results of an upload that are kept."""
    return results_folder() / public_id.hex


def remove_results(public_id: uuid.UUID) -> None:
    """Removes what is kept of an upload's results."""
    shutil.rmtree(results_of(public_id), ignore_errors=True)


def forget_intent(public_id: uuid.UUID) -> None:
    """There is nothing to collect: the upload of the file is committed, or the file is gone."""
    intent_of(public_id).unlink(missing_ok=True)


def incoming_folder() -> Path:
    return Path(settings.UPLOADS_DIR) / "incoming"


def intent_of(public_id: uuid.UUID) -> Path:
    return incoming_folder() / f"{public_id.hex}.intent"
