"""`manage.py build_index`: what it takes, what it leaves out and says, and what it never leaves half-done."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError
from tests.building import nearest
from tests.fake_postcodes_io import PALACE
from tests.index_files import (
    NAME_TABLES,
    NSPL,
    ONS_2025,
    ONSPD,
    code_point,
    codelist,
    plain,
    table,
    zipped,
)

from lookups.index import file as index_file

WESTMINSTER = {"country": "E92000001", "region": "E12000007", "district": "E09000033", "ward": "E05013806"}
EDINBURGH = {"country": "S92000003", "region": "S99999999", "district": "S12000036", "ward": "S13002935"}
PALACE_ROW = {"postcode": "SW1A 1AA", "latitude": PALACE[0], "longitude": PALACE[1], **WESTMINSTER}
CASTLE_ROW = {"postcode": "EH1 2NG", "latitude": 55.9486, "longitude": -3.1999, **EDINBURGH}
BELFAST_ROW = {"postcode": "BT1 5GS", "latitude": 54.596553, "longitude": -5.93009, "country": "N92000002"}


def refusal(build: Callable[..., str], file: Path) -> str:
    with pytest.raises(CommandError) as refused:
        build(file)
    assert not (file.parent / "index" / index_file.NAME).exists()
    return str(refused.value)


# --- What is taken ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("header", [ONSPD, NSPL, ONS_2025], ids=["ONSPD", "NSPL", "editions since 2025"])
def test_a_zip_of_ons_has_the_names_of_its_codes(tmp_path: Path, build: Callable[..., str], header: list[str]) -> None:
    rows = [PALACE_ROW, CASTLE_ROW, BELFAST_ROW]
    members = {"Data/ONS_UK.csv": table(header, rows), "Data/multi_csv/ONS_UK_SW.csv": table(header, [PALACE_ROW])}
    build(zipped(tmp_path / "ons.zip", {**members, **NAME_TABLES, "User Guide/guide.pdf": b"%PDF"}))
    palace, castle, belfast = (
        answer.postcode_details
        for answer in nearest(tmp_path, PALACE, (55.9486, -3.1999), (54.596553, -5.93009))
        if answer.postcode_details
    )
    assert (palace.country, palace.region, palace.admin_district) == ("England", "London", "Westminster")
    assert palace.admin_ward == "St James's"
    assert (palace.latitude, palace.longitude) == PALACE
    assert (castle.country, castle.region, castle.admin_district) == ("Scotland", None, "City of Edinburgh")
    assert (belfast.outcode, belfast.incode, belfast.country) == ("BT1", "5GS", "Northern Ireland")
    assert (belfast.admin_district, belfast.admin_ward) == (None, None)


def test_a_csv_alone_has_the_names_of_countries_and_regions(tmp_path: Path, build: Callable[..., str]) -> None:
    (tmp_path / "onspd.csv").write_bytes(table(ONSPD, [PALACE_ROW]))
    build(tmp_path / "onspd.csv")
    (answer,) = nearest(tmp_path, PALACE)
    assert answer.postcode_details
    assert (answer.postcode_details.country, answer.postcode_details.region) == ("England", "London")
    assert (answer.postcode_details.admin_district, answer.postcode_details.admin_ward) == (None, None)


def test_a_csv_that_was_unpacked_with_its_documents_has_all_names(tmp_path: Path, build: Callable[..., str]) -> None:
    (tmp_path / "Data").mkdir()
    (tmp_path / "Data" / "NSPL.csv").write_bytes(table(NSPL, [PALACE_ROW]))
    for name, content in NAME_TABLES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content.encode("cp1252"))
    build(tmp_path / "Data" / "NSPL.csv")
    (answer,) = nearest(tmp_path, PALACE)
    assert answer.postcode_details
    assert answer.postcode_details.admin_district == "Westminster"


def test_code_point_open_is_converted_from_the_national_grid(tmp_path: Path, build: Callable[..., str]) -> None:
    members: dict[str, bytes | str] = {
        "Data/CSV/ab.csv": code_point([("AB101AB", 10, 394235, 806529, "S92000003", "S12000033", "S13002842")]),
        "Data/CSV/sw.csv": code_point([("SW1A1AA", 10, 529090, 179645, "E92000001", "E09000033", "E05013806")]),
        "Doc/Codelist.xlsx": codelist({"S12000033": "Aberdeen City"}),
        "Doc/Code-Point_Open_Column_Headers.csv": "PC,PQ,EA,NO,CY,RH,LH,CC,DC,WC\n",
    }
    build(zipped(tmp_path / "codepo_gb.zip", members))
    # Where Ordnance Survey's own conversion has it.
    (answer,) = nearest(tmp_path, (57.149590, -2.096923))
    assert answer.postcode == "AB10 1AB"
    assert answer.distance_m is not None
    assert answer.distance_m < 0.1
    assert answer.postcode_details
    assert (answer.postcode_details.country, answer.postcode_details.admin_district) == ("Scotland", "Aberdeen City")
    assert answer.postcode_details.admin_ward is None


def test_code_point_open_with_a_codelist_that_cannot_be_read_has_no_names(
    tmp_path: Path, build: Callable[..., str]
) -> None:
    rows = [("AB101AB", 10, 394235, 806529, "S92000003", "S12000033", "S13002842")]
    build(zipped(tmp_path / "codepo_gb.zip", {"Data/CSV/ab.csv": code_point(rows), "Doc/Codelist.xlsx": b"PK\3\4?"}))
    (answer,) = nearest(tmp_path, (57.149590, -2.096923))
    assert answer.postcode_details
    assert answer.postcode_details.admin_district is None


@pytest.mark.parametrize("name", ["postcodes.csv", "postcodes.csv.gz"])
def test_any_table_of_postcodes_and_degrees_is_taken(tmp_path: Path, build: Callable[..., str], name: str) -> None:
    build(plain(tmp_path / name, [("sw1a1aa", *PALACE)]))
    assert nearest(tmp_path, PALACE)[0].postcode == "SW1A 1AA"


def test_a_table_may_have_names_instead_of_codes(tmp_path: Path, build: Callable[..., str]) -> None:
    header = "\ufeffPostcode;".replace(";", ",") + "Latitude,Longitude,Country,Region,Admin_District,Admin_Ward\r\n"
    (tmp_path / "named.csv").write_text(header + "SW1A 1AA,51.501009,-0.141588,England,,Westminster,St James's\r\n")
    build(tmp_path / "named.csv")
    (answer,) = nearest(tmp_path, PALACE)
    assert answer.postcode_details
    assert (answer.postcode_details.country, answer.postcode_details.region) == ("England", None)
    assert answer.postcode_details.admin_ward == "St James's"


# --- What is left out ------------------------------------------------------------------------------------------------
def test_only_live_postcodes_with_a_position_are_kept_and_the_others_counted(
    tmp_path: Path, build: Callable[..., str]
) -> None:
    at = {"latitude": PALACE[0], "longitude": PALACE[1]}
    rows = [
        {"postcode": "SW1A 0AA", **at, "terminated": "201712"},
        {"postcode": "SW1A 0AB", "latitude": "99.999999", "longitude": "0.000000"},
        {"postcode": "SW1A 0AC", "latitude": "", "longitude": ""},
        {"postcode": "nonsense", **at},
        {"postcode": "SW1A 0AD", "latitude": "north", "longitude": 0},
        {"postcode": "SW1A 0AE", "latitude": 151, "longitude": 0},
        PALACE_ROW,
    ]
    (tmp_path / "onspd.csv").write_bytes(table(ONSPD, rows) + b"torn,row\r\n\r\n")
    said = build(tmp_path / "onspd.csv")
    assert "1 live postcodes at 1 places" in said
    assert "skipped: 1 terminated, 4 unreadable, 2 without a position" in said
    assert nearest(tmp_path, PALACE)[0].postcode == "SW1A 1AA"


def test_code_points_without_a_position_are_left_out(tmp_path: Path, build: Callable[..., str]) -> None:
    rows = [
        ("AB101AA", 90, 0, 0, "S92000003", "", ""),
        ("AB101AB", 10, 0, 0, "S92000003", "", ""),
        ("AB101AC", 90, 394235, 806529, "S92000003", "", ""),
        ("AB101AF", 10, "", "", "S92000003", "", ""),
        ("AB101AD", 10, 9_000_000, 806529, "S92000003", "", ""),
        ("AB101AE", 10, 394235, 806529, "S92000003", "", ""),
    ]
    said = build(zipped(tmp_path / "codepo_gb.zip", {"Data/CSV/ab.csv": code_point(rows)}))
    assert "skipped: 5 without a position" in said
    assert nearest(tmp_path, (57.149590, -2.096923))[0].postcode == "AB10 1AE"


# --- What is refused -------------------------------------------------------------------------------------------------
def _write(content: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / "file").write_bytes(content)
        return folder / "file"

    return write


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder / "nowhere.zip", "There is no file"),
        (lambda folder: folder, "is a folder"),
        (_write(b""), "Its first line: nothing"),
        (_write(b"id,name\n1,x\n"), "Its first line: id, name"),
        (_write(b"\x89PNG\r\n\x1a\n\x00\x00"), "no columns for postcode"),
        (_write(b'postcode,latitude,longitude\n"' + b"x" * 200_000), "is not a CSV that can be read"),
        (
            _write(b"postcode,latitude,longitude\nSW1A 1AA,,\n"),
            "no live postcode with a position (1 without a position)",
        ),
        (_write(gzip.compress(b"postcode,latitude,longitude\n" * 9_999)[:-20]), "damaged, or was not downloaded"),
        (_write(b"PK\x03\x04 and then nothing"), "damaged, or was not downloaded"),
        (lambda folder: zipped(folder / "x.zip", {"photo.jpg": b"x"}), "no table of postcodes in a folder named Data"),
        (lambda folder: zipped(folder / "x.zip", {"Data/x.csv": b"id,name\n"}), "Data/x.csv in "),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_accepted(
    tmp_path: Path, build: Callable[..., str], make: Callable[[Path], Path], said: str
) -> None:
    message = refusal(build, make(tmp_path))
    assert said in message
    assert "Accepted: the ONS Postcode Directory" in message


def test_a_zip_that_is_damaged_inside_is_refused(tmp_path: Path, build: Callable[..., str]) -> None:
    rows = [{**PALACE_ROW, "postcode": f"SW1A {n % 10}AA", "ward": os.urandom(40).hex()} for n in range(5_000)]
    path = zipped(tmp_path / "onspd.zip", {"Data/ONSPD.csv": table(ONSPD, rows)})
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert "damaged" in refusal(build, path)


def test_a_zip_with_a_password_is_refused(tmp_path: Path, build: Callable[..., str]) -> None:
    path = zipped(tmp_path / "onspd.zip", {"Data/ONSPD.csv": table(ONSPD, [PALACE_ROW])})
    content = path.read_bytes()
    # The flag of encryption, in the local header and in the directory.
    content = content.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01").replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
    )
    path.write_bytes(content)
    assert "password" in refusal(build, path)


def test_a_zip_that_is_packed_by_another_method_is_refused(tmp_path: Path, build: Callable[..., str]) -> None:
    path = zipped(tmp_path / "onspd.zip", {"Data/ONSPD.csv": table(ONSPD, [PALACE_ROW])})
    deflate, deflate64 = b"\x14\x00\x00\x00\x08\x00", b"\x14\x00\x00\x00\x09\x00"
    path.write_bytes(path.read_bytes().replace(deflate, deflate64))
    assert "unpack it first" in refusal(build, path)


# --- What is never left half-done ------------------------------------------------------------------------------------
def test_a_refused_file_leaves_the_old_index(tmp_path: Path, build: Callable[..., str]) -> None:
    build(plain(tmp_path / "good.csv", [("SW1A 1AA", *PALACE)]))
    before = (tmp_path / "index" / index_file.NAME).read_bytes()
    with pytest.raises(CommandError):
        build(plain(tmp_path / "bad.csv", []))
    assert (tmp_path / "index" / index_file.NAME).read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, build: Callable[..., str]) -> None:
    (tmp_path / "index").write_text("a file is in the way")
    with pytest.raises(CommandError, match="index"):
        build(plain(tmp_path / "good.csv", [("SW1A 1AA", *PALACE)]))
