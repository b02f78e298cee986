"""The dialect of a table that was made of another format."""

from dataclasses import replace

from uploads.reading.detecting.detect import detect_dialect
from uploads.reading.detecting.dialect import Declared, Dialect
from uploads.reading.formats.converting import Origin
from uploads.reading.notations import Notation


def dialect_of_converted(sample: bytes, declared: Declared, origin: Origin) -> Dialect:
    """How it is written is known, and of geometries also which columns; those of other objects are found or declared.

    Raises as `detect_dialect` does.
    """
    known = replace(declared, delimiter=",", encoding="utf-8", has_header=True)
    if origin.latitude and not (declared.latitude or declared.longitude):
        known = replace(
            known,
            latitude=origin.latitude,
            longitude=origin.longitude,
            decimal=".",
            is_of_format=not declared.coordinates,
        )
        if origin.is_grid and not declared.coordinates:
            known = replace(known, coordinates=Notation.OSGB36.value)
    is_declared = bool(declared.latitude or declared.longitude or declared.coordinates)
    return replace(detect_dialect(sample, known), format=origin.format, left=origin.left, is_declared=is_declared)
