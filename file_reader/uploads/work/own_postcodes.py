"""What a file says of its rows' postcodes, kept while they are loaded, and compared when all have their answers."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from uploads.models import OwnPostcodes, Row, RowStatus, Upload, outcode_of
from uploads.reading.own_postcodes import NEAR, disagreement
from uploads.row_ids import row_id, row_number


def own_rows(upload_id: int) -> list[tuple[int, str]]:
    """Those that another loader has kept."""
    kept = OwnPostcodes.objects.filter(upload=upload_id).values_list("rows", flat=True).first()
    return [(number, codes) for number, codes in kept or ()]


def keep_own_rows(upload_id: int, rows: Sequence[tuple[int, str]]) -> None:
    """In the transaction that loads them."""
    OwnPostcodes.objects.update_or_create(upload_id=upload_id, defaults={"rows": rows})


def compare_own_postcodes(upload_ids: Collection[int]) -> None:
    """Says on each of these uploads whether its answers are others than its file says; in the transaction in which they
    end. Most files have no postcodes: for them it costs one short look."""
    for own in OwnPostcodes.objects.filter(upload__in=upload_ids).select_related("upload"):
        codes = {row_id(own.upload_id, number): codes for number, codes in own.rows}
        near = Row.objects.filter(pk__in=codes, status=RowStatus.MATCH, distance_m__lte=NEAR).order_by("pk")
        answers = near.values_list("pk", "postcode")
        compared = [(row_number(pk), codes[pk], outcode_of(postcode or "")) for pk, postcode in answers]
        found = disagreement(compared, own.upload.dialect.get("precision_m"))
        Upload.objects.filter(pk=own.upload_id).update(own_postcodes=found and asdict(found))
