"""Bytes to lines."""

import io
import tracemalloc
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploads.reading.errors import UnreadableError
from uploads.reading.lines import BLOCK_BYTES, MAX_RECORD_CHARS, line_blocks


def text_lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    return chain.from_iterable(line_blocks(stream, encoding))


def lines_of(data: bytes, encoding: str = "utf-8") -> list[str]:
    return list(text_lines(io.BytesIO(data), encoding))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_taken_and_kept(end: str) -> None:
    assert lines_of(f"a{end}b{end}".encode()) == [f"a{end}", f"b{end}"]


def test_line_ends_may_be_mixed() -> None:
    assert lines_of(b"a\nb\r\nc\rd\n\re") == ["a\n", "b\r\n", "c\r", "d\n", "\r", "e"]


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x0c", "\x0b", "\x85", "\x1c", "\x1e"])
def test_other_separators_are_parts_of_cells(character: str) -> None:
    assert lines_of(f"a{character}b\nc".encode()) == [f"a{character}b\n", "c"]


def test_an_empty_file_has_no_lines() -> None:
    assert lines_of(b"") == []


@pytest.mark.parametrize("before", [BLOCK_BYTES - 2, BLOCK_BYTES - 1, BLOCK_BYTES])
def test_a_crlf_across_the_end_of_a_block_is_one_line_end(before: int) -> None:
    first = b"a" * before
    assert lines_of(first + b"\r\nb\r\n") == [first.decode() + "\r\n", "b\r\n"]


def test_a_cr_at_the_end_of_a_block_ends_its_line() -> None:
    assert lines_of(b"a" * (BLOCK_BYTES - 1) + b"\rb") == ["a" * (BLOCK_BYTES - 1) + "\r", "b"]


def test_a_cr_at_the_end_of_the_file_ends_its_line() -> None:
    assert lines_of(b"a\rb\r") == ["a\r", "b\r"]


def test_a_character_across_the_end_of_a_block_is_whole() -> None:
    assert lines_of(b"a" * (BLOCK_BYTES - 1) + "é\nb".encode()) == ["a" * (BLOCK_BYTES - 1) + "é\n", "b"]


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("utf-8-sig", b"\xef\xbb\xbfa\n"),
        ("utf-16", b"\xff\xfea\0\n\0"),
        ("utf-16", b"\xfe\xff\0a\0\n"),
    ],
)
def test_a_byte_order_mark_is_dropped(encoding: str, data: bytes) -> None:
    assert lines_of(data, encoding) == ["a\n"]


@pytest.mark.parametrize("good_lines", [0, 3, 60_000])
def test_bytes_that_are_not_of_the_encoding_are_an_error_that_names_their_line(good_lines: int) -> None:
    data = b"51.5,-0.1\n" * good_lines + b"51.5,\xff\n51.5,-0.1\n"
    with pytest.raises(UnreadableError, match=f"Line {good_lines + 1} has bytes that are not utf-8") as caught:
        lines_of(data)
    assert caught.value.line == good_lines + 1


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_the_line_of_a_fault_is_told_in_utf_16_too(mark: bytes) -> None:
    encoding = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    good_lines = 30_000
    data = mark + ("51.5,-0.1\n" * good_lines).encode(encoding) + "\ud800x\n".encode(encoding, "surrogatepass")
    with pytest.raises(UnreadableError) as caught:
        lines_of(data, "utf-16")
    assert caught.value.line == good_lines + 1


@pytest.mark.parametrize("good_lines", [1, 3, 60_000])
def test_the_lines_before_a_fault_are_read(good_lines: int) -> None:
    lines = text_lines(io.BytesIO(b"51.5,-0.1\n" * good_lines + b"51.5,\xff\n"), "utf-8")
    assert [next(lines) for _ in range(good_lines)] == ["51.5,-0.1\n"] * good_lines
    with pytest.raises(UnreadableError):
        next(lines)


def test_a_character_that_the_file_cuts_off_is_a_fault() -> None:
    with pytest.raises(UnreadableError) as caught:
        lines_of(b"a\nb\xc3")
    assert caught.value.line == 2


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_that_is_too_long_is_an_error_that_names_it(end: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"Line 2 is longer than 1,048,576 characters") as caught:
        lines_of(b"short\n" + b"a" * (MAX_RECORD_CHARS + 1) + end)
    assert caught.value.line == 2


def test_the_longest_line_is_read() -> None:
    assert [len(line) for line in lines_of(b"a" * MAX_RECORD_CHARS)] == [MAX_RECORD_CHARS]


def test_a_line_without_end_takes_no_more_memory_than_the_longest_line() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return b"a" * size

    tracemalloc.start()
    try:
        with pytest.raises(UnreadableError):
            list(text_lines(Endless(), "utf-8"))  # type: ignore[arg-type]
        assert tracemalloc.get_traced_memory()[1] < 32_000_000
    finally:
        tracemalloc.stop()


@given(st.text(st.sampled_from(["a", "é", "\n", "\r", "\u2028", "\x0c", ","])), st.integers(1, 5))
def test_the_lines_joined_are_the_text(text: str, block: int) -> None:
    class Slow(io.BytesIO):
        """Gives a few bytes at a time, so that the ends of blocks are everywhere."""

        def read(self, size: int | None = -1) -> bytes:
            return super().read(block)

    assert "".join(text_lines(Slow(text.encode()), "utf-8")) == text
    assert list(text_lines(Slow(text.encode()), "utf-8")) == lines_of(text.encode())
