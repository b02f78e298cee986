"""`result.csv`: the original records as they stand in the file, each with its answer appended, streamed."""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial

import msgspec

from uploads.models import STATUS_WORDS, AreaNames, Upload, outcode_of
from uploads.reading.coordinates import as_number
from uploads.reading.detecting.dialect import Dialect
from uploads.results.columns import COLUMNS
from uploads.results.pieces import Answers, AreaNamesOnce, Choice, Piece, Result, open_result
from uploads.results.table import answer_columns, file_columns, names_of

#: What spreadsheets begin formulas with (OWASP, "CSV injection"), also in their full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_LINE_ENDS = "\r\n"
#: Encodings that are told by a mark, the mark, and what is written behind it: Python would choose the byte order anew.
_MARKED = (
    ("utf-8-sig", codecs.BOM_UTF8, "utf-8"),
    ("utf-16", codecs.BOM_UTF16_LE, "utf-16-le"),
    ("utf-16", codecs.BOM_UTF16_BE, "utf-16-be"),
)


def result_csv(upload: Upload, choice: Choice) -> Iterator[bytes]:
    """Yields the result file in pieces, in the file's own encoding and dialect. Raises UploadGoneError.

    With `safe`, a spreadsheet takes no cell for a formula: a text that begins like one gets an apostrophe in front.
    """
    with open_result(upload, choice.status) as result:
        mark, encode = _encoder(result.beginning, result.dialect.encoding)
        write = _whole_rows(result) if choice.columns is None else _chosen_columns(result, choice.columns)
        if mark and result.width:
            yield mark
        yield encode(_above(result, choice))
        for piece in result.pieces:
            yield encode(write(_harmless(piece, result.dialect) if choice.safe else piece))


def _above(result: Result, choice: Choice) -> str:
    """What stands above the rows. The header has the names of the columns that are added, or of those chosen."""
    dialect = result.dialect
    texts = (_harmless(result.above, dialect) if choice.safe else result.above).texts
    if not dialect.has_header or not texts:
        return "".join(texts)
    header = texts[-1]
    if choice.columns is not None:
        columns = map(_without_formula, choice.columns) if choice.safe else choice.columns
        header = _join(columns, dialect) + _line_end(header)
    else:
        names = [[_join(("", *result.answers), dialect)]]
        header = _extended([header], result.above.widths[-1:], result.width, names, dialect.delimiter)
    return "".join([*texts[:-1], header])


def _whole_rows(result: Result) -> Callable[[Piece], str]:
    """Writes rows: the record's own text with its answer behind it."""
    answers = _Answers(result.dialect)
    return lambda piece: _extended(
        piece.texts, piece.widths, result.width, answers.of(piece.answers), result.dialect.delimiter
    )


def _chosen_columns(result: Result, chosen: Sequence[str]) -> Callable[[Piece], str]:
    """Writes these columns of rows."""
    dialect, names = result.dialect, names_of(result)
    places = [names.index(name) for name in chosen]
    areas = AreaNamesOnce(tuple)

    def write(piece: Piece) -> str:
        answers = answer_columns(piece.answers, areas)
        metres = COLUMNS.index("result_distance_m")
        answers[metres] = [text.replace(".", dialect.decimal) for text in _decimals(piece.answers.distances)]
        columns = [*file_columns(piece, result), *answers]
        texts = [[_quoted(text or "", dialect) for text in columns[place]] for place in places]
        rows = map(dialect.delimiter.join, zip(*texts, strict=True))
        return "".join([row + end for row, end in zip(rows, map(_line_end, piece.texts), strict=True)])

    return write


def _harmless(piece: Piece, dialect: Dialect) -> Piece:
    """The same records without formulas."""
    texts, records = list(piece.texts), list(piece.records())
    for number, fields in enumerate(records):
        if any(map(_is_formula, fields)):
            records[number] = list(map(_without_formula, fields))
            texts[number] = _join(records[number], dialect) + _line_end(texts[number])
    return replace(piece, texts=texts, records=lambda: records)


def _is_formula(field: str) -> bool:
    """Numbers are no formulas, whatever their sign."""
    return field.startswith(_FORMULA) and as_number(field) is None


def _without_formula(field: str) -> str:
    return "'" + field if _is_formula(field) else field


def _line_end(text: str) -> str:
    return text[len(text.rstrip(_LINE_ENDS)) :]


def _extended(texts: list[str], widths: list[int], width: int, answers: Sequence[list[str]], delimiter: str) -> str:
    """Each record's own text with its answer behind it; `answers` are the columns of what is put there.

    Short records are filled up, so that the columns are right.
    """
    together = "".join(texts)
    # Only the last record of a file can be without a line end: here each has one, and nothing else like it.
    if "\r" not in together and together.count("\n") == len(texts) and together.endswith("\n"):
        bare, ends = together.split("\n")[:-1], ["\n"] * len(texts)
    else:
        bare = [text.rstrip(_LINE_ENDS) for text in texts]
        ends = [text[len(record) :] for text, record in zip(texts, bare, strict=True)]
    columns = [bare, *answers, ends]
    if min(widths, default=width) < width:
        columns.insert(1, [delimiter * max(0, width - own) for own in widths])
    pieces = [""] * (len(columns) * len(texts))
    for number, column in enumerate(columns):
        pieces[number :: len(columns)] = column
    return "".join(pieces)


class _Answers:
    """Answers as they are written in the dialect of a file."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._outcome = cache(partial(_outcome, dialect))
        self._places = AreaNamesOnce(partial(_place, dialect))

    def of(self, answers: Answers) -> list[list[str]]:
        """What is written for each row: the fields of COLUMNS and what stands before each, as columns."""
        codes = [postcode or "" for postcode in answers.postcodes]
        outcodes = list(map(outcode_of, codes))
        if _needs_care("".join(codes), self._dialect):
            codes, outcodes = self._quoted(codes), self._quoted(outcodes)
        metres = _decimals(answers.distances)
        if self._dialect.decimal != ".":
            metres = self._quoted([text.replace(".", self._dialect.decimal) for text in metres])
        between = [self._dialect.delimiter] * len(codes)
        return [
            list(map(self._outcome, answers.statuses, answers.reasons)),
            codes,
            between,
            metres,
            between,
            outcodes,
            self._places.of(answers.areas),
        ]

    def _quoted(self, fields: list[str]) -> list[str]:
        return [_quoted(field, self._dialect) for field in fields]


def _outcome(dialect: Dialect, status: int, reason: str | None) -> str:
    return _join(["", STATUS_WORDS[status], reason or "", ""], dialect)


def _place(dialect: Dialect, names: AreaNames) -> str:
    return _join(["", *[name or "" for name in names]], dialect)


def _decimals(numbers: Sequence[float | None]) -> list[str]:
    """The numbers as Python writes them. As JSON, that takes a third of the time, and is the same but for exponents."""
    text = msgspec.json.encode(numbers)[1:-1].decode()
    if "e" in text or "0.0000" in text or not text:
        return ["" if number is None else repr(number) for number in numbers]
    return text.replace("null", "").split(",")


def _join(fields: Iterable[str], dialect: Dialect) -> str:
    return dialect.delimiter.join([_quoted(field, dialect) for field in fields])


def _quoted(field: str, dialect: Dialect) -> str:
    """The field as it is written: in quotes where they are needed, or without what would end it."""
    if not _needs_care(field, dialect):
        return field
    if dialect.quoting == "quotes":
        return '"' + field.replace('"', '""') + '"'
    return re.sub(rf"[{re.escape(dialect.delimiter)}\r\n]", "_" if dialect.delimiter != "_" else " ", field)


def _needs_care(text: str, dialect: Dialect) -> bool:
    return dialect.delimiter in text or '"' in text or "\n" in text or "\r" in text


def _encoder(beginning: bytes, encoding: str) -> tuple[bytes, Callable[[str], bytes]]:
    """The byte order mark that the file begins with, if it has one, and a function from text to bytes, piece by piece.

    A character of an answer that the file's encoding does not have becomes a question mark.
    """
    for marked, mark, plain in _MARKED:
        if encoding == marked and beginning.startswith(mark):
            return mark, codecs.getincrementalencoder(plain)().encode
    return b"", codecs.getincrementalencoder(encoding)(errors="replace").encode
