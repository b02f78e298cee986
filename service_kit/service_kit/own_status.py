"""`/internal/status/` of a Django service: its part of `/status/` of the gateway.

It has numbers and states, and no name of a user, a file, a machine or a folder. Figures and troubles are for everybody;
`use`, the figures that tell how much others use the service, is for who has a key. The gateway writes figures for
people by their names: what ends in `_seconds` is a time, what ends in `_bytes` a size.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from django.http import JsonResponse

from service_kit.metrics import disk_bytes

Figure = str | float | Sequence[float] | datetime | None


def own_status(
    figures: Mapping[str, Figure], use: Mapping[str, Figure], troubles: Mapping[str, object], **more: str
) -> JsonResponse:
    """The answer. `troubles` are sentences for people, each with what is true while it is the case."""
    return JsonResponse(
        {
            "figures": {name: figure for name, figure in figures.items() if figure is not None},
            "use": {name: figure for name, figure in use.items() if figure is not None},
            "troubles": [sentence for sentence, is_so in troubles.items() if is_so],
            **more,
        }
    )


def disk_figures(folder: Path) -> dict[str, int]:
    """What is free on the disk of a folder; nothing when it cannot be asked."""
    try:
        free, size = disk_bytes(folder)
    except OSError:
        return {}
    return {"disk_free_bytes": free, "disk_bytes": size}
