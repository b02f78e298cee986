"""A multipart form, parsed as it streams."""

from collections.abc import Callable, Iterator

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, MultipartState, parse_options_header

from uploads.accepting.body_problems import cut_short, malformed
from uploads.files.incoming import Incoming

_MAX_FIELD_BYTES = 1 << 14


class MultipartForm:
    """A multipart form, parsed as it streams: one file in the field `file`, everything else small text fields."""

    def __init__(self, incoming: Incoming, boundary: bytes, give: Callable[[str, str], None]) -> None:
        self._incoming = incoming
        self._give = give
        self._filename: str | None = None
        self._header = b""
        self._value = b""
        self._disposition = b""
        self._name = ""
        self._is_file = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_data,
                "on_part_data": self._data,
                "on_part_end": self._end_part,
            },
            max_header_size=_MAX_FIELD_BYTES,
        )

    def parse(self, pieces: Iterator[bytes]) -> str:
        try:
            for piece in pieces:
                self._parser.write(piece)
        except MultipartParseError as error:
            raise malformed(f"The multipart body is malformed: {error}") from None
        if self._parser.state != MultipartState.END:
            raise cut_short()
        if self._filename is None:
            raise malformed("The form has no file in the field 'file'.")
        return self._filename

    def _begin_part(self) -> None:
        self._disposition = self._header = self._value = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _begin_data(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", errors="replace")
        self._is_file = b"filename" in options
        if not self._is_file:
            return
        if self._name != "file":
            raise malformed(f"The file belongs into the field 'file', not {self._name!r}.")
        if self._filename is not None:
            raise malformed("There are several files in the form. Send one upload for each.")
        # Browsers write a quote in a name as %22, and nothing else but line breaks in this way.
        self._filename = options[b"filename"].decode("utf-8", errors="replace").replace("%22", '"')

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._incoming.write(data[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > _MAX_FIELD_BYTES:
            raise malformed(f"The field {self._name!r} is longer than {_MAX_FIELD_BYTES:,} bytes.")

    def _end_part(self) -> None:
        if not self._is_file:
            if self._name == "file":
                raise malformed("The field 'file' is text: send it as a file, with a file name.")
            self._give(self._name, self._value.decode("utf-8", errors="replace"))
