"""What stands in the cells of a workbook comes out as people see it there, or in ISO 8601."""

import csv
import io

import pytest
from tests.corpus.packing import raw_workbook, row, workbook
from tests.corpus.reading import opened, told

from uploads.reading.formats.converting import Origin
from uploads.reading.preview import preview


def cell_of(xml: str, **parts: str | list[str]) -> str:
    """The text of a cell, which is written beside another one."""
    book = raw_workbook(f"<row><c><v>1</v></c>{xml}</row>", **parts)  # type: ignore[arg-type]
    with opened(book, "") as table:
        ((_, text),) = csv.reader(io.TextIOWrapper(table, encoding="utf-8", newline=""))
    return text


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        ("1.1041666666666667", "[h]:mm:ss", "26:30:00"),
        ("1.1041666666666667", "[mm]:ss", "26:30:00"),
        ("1.1041666666666667", "[h]:mm", "26:30:00"),
        ("0.0000178240740740", "[s].000", "0:00:01.540"),
        ("-0.0625", "[hh]:mm", "-1:30:00"),
        ("1e300", "[h]:mm", "#VALUE!"),
        ("45293", "dd/mm/yyyy", "2024-01-02T00:00:00"),
        ("45293.5", "[$-409]d mmm yyyy h:mm AM/PM;@", "2024-01-02T12:00:00"),
        ("0.4", "h:mm", "09:36:00"),
        ("0.515", "0.0%", "0.515"),
        ("51.5", "0.0", "51.5"),
        ("51.5", '0.0" m"', "51.5"),
        ("51.5", '0.0"°N"', "51.5N"),
        ("0.14", r"0.00\°\W;-0.00", "0.14W"),
        ("0.14", '0.00" West"', "0.14West"),
        ("0.14", "0.00[$° W]", "0.14W"),
        ("0.14", '"-"0.00', "-0.14"),
        ("0.14", r"\-0.00", "-0.14"),
        ("0.14", "-0.00", "-0.14"),
        ("-0.14", '"-"0.00', "-0.14"),
        ("0.14", "[$£-809]0.00", "0.14"),
        ("0", '0.0"W"', "0"),
        ("51.5", "@", "51.5"),
    ],
)
def test_a_number_in_a_format(value: str, code: str, shown: str) -> None:
    assert cell_of(f'<c s="1"><v>{value}</v></c>', formats=[code]) == shown


def test_dates_of_a_workbook_that_counts_from_1904() -> None:
    cell = '<c s="1"><v>43831</v></c>'
    assert cell_of(cell, formats=["yyyy"], book='<workbookPr date1904="1"/>') == "2024-01-02T00:00:00"
    assert cell_of(cell, formats=["yyyy"], book='<workbookPr date1904="false"/>') == "2020-01-01T00:00:00"


@pytest.mark.parametrize(
    ("xml", "shown"),
    [
        ("<c><v>0.30000000000000004</v></c>", "0.3"),
        ("<c><v>51.501008999999996</v></c>", "51.501009"),
        ("<c><v>5.1100000000000003</v></c>", "5.11"),
        ("<c><v>51.50100912345678</v></c>", "51.50100912345678"),
        ("<c><v>5.15E+01</v></c>", "51.5"),
        ("<c><v>12345678901234567</v></c>", "12345678901234567"),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c t="d"><v>2024-01-02T03:04:05Z</v></c>', "2024-01-02T03:04:05"),
        ('<c t="d"><v>PT26H30M</v></c>', "26:30:00"),
        ('<c t="str"><f>A1</f><v>a_x000D_b</v></c>', "a\rb"),
        ('<c t="inlineStr"><is><t>a_x0009_b_x005F_x0041__xD83D__x0000_</t></is></c>', "a\tb_x0041__xD83D__x0000_"),
        ('<c t="inlineStr"><is><t xml:space="preserve"> a </t></is></c>', " a "),
        ('<c t="inlineStr"><is><r><t>5</t></r><r><rPr><b/></rPr><t>1.5</t></r><rPh><t>x</t></rPh></is></c>', "51.5"),
        ('<x:c xmlns:x="y" t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c>', "a"),
    ],
)
def test_a_cell(xml: str, shown: str) -> None:
    assert cell_of(xml) == shown


def test_texts_that_cells_share_have_their_characters_by_code() -> None:
    assert cell_of('<c t="s"><v>0</v></c>', shared=["a_x000D_\nb_x005F_x0041_"]) == "a\r\nb_x0041_"


def test_sheets_alike_become_one_table_with_the_name_of_the_sheet() -> None:
    sheet = [["sheet", "lat", "lon"], ["a", 51.5, -0.1]]
    with opened(workbook(sheet, [*sheet, ["b"]]), "*") as table:
        assert table.read().decode().splitlines() == [
            "sheet,lat,lon,sheet_",
            "a,51.5,-0.1,Sheet",
            "a,51.5,-0.1,Sheet1",
            "b,,,Sheet1",
        ]


@pytest.mark.parametrize(
    ("book", "code", "fix"),
    [
        (workbook([["lat", "lon"], [51.501, -0.142]], [["lat", "lon"]]), "further_sheets", {"sheet": "*"}),
        (workbook([["lat", "lon"], [51.501, -0.142]], [["lon", "lat"]]), "further_sheets", {}),
        (
            raw_workbook(
                row("lat", "lon") + row(51.501, -0.142) + row("", -0.142),
                behind='<mergeCells><mergeCell ref="A2:A3"/></mergeCells>',
            ),
            "merged_cells",
            {},
        ),
    ],
    ids=["sheets alike", "another sheet", "merged cells"],
)
def test_what_a_workbook_warns_of(book: bytes, code: str, fix: dict[str, str]) -> None:
    with opened(book, "") as table:
        warnings = preview(table, told(book, Origin()))["warnings"]
    assert [(warning["code"], warning["fix"]) for warning in warnings] == [(code, fix)]


def test_merged_cells_are_no_matter_where_each_row_has_its_coordinates() -> None:
    merged = '<mergeCells><mergeCell ref="A2:A3"/></mergeCells>'
    book = raw_workbook(row("lat", "lon") + row(51.501, -0.142) * 2, behind=merged)
    with opened(book, "") as table:
        assert preview(table, told(book, Origin()))["warnings"] == []
