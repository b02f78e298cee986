"""The message that names a source and a path: somebody has put a file there."""

from reader_config.celery import INGEST, app
from uploads.accepting.ingest import look
from uploads.models import Source


@app.task(name=INGEST)
def ingest(source: str, path: str | None = None) -> None:
    """Looks at that file of the source called so, or at all of it; nothing happens when there is none.

    What was written a moment ago is taken by the next look, a few seconds later.
    """
    for found in Source.objects.filter(name=source, enabled=True):
        look(found, path=path)
