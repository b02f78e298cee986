"""The texts that cells share."""

import re
from array import array

from uploads.reading.workbook.part import LocalNames, Part

#: Characters that XML cannot hold, or that a reader of XML would change, are written by their code: _x000D_ is a CR.
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """A text as people see it in its cell (ECMA-376 part 1, 22.4.2.4)."""
    return _ESCAPE.sub(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return found[0] if code == 0 or 0xD800 <= code < 0xE000 else chr(code)  # no table can hold these


class SharedTexts:
    """The texts that cells share, read as far as they are asked for."""

    def __init__(self, part: Part | None) -> None:
        self._part = part
        self._bytes = bytearray()
        self._ends = array("I", [0])
        if part is not None:
            self._set_handlers(part)

    def __getitem__(self, number: int) -> str:
        while number >= len(self._ends) - 1 and self._part is not None and self._part.parse_piece():
            pass
        if number < 0:
            raise IndexError(number)
        return self._bytes[self._ends[number] : self._ends[number + 1]].decode()

    def _set_handlers(self, part: Part) -> None:
        local = LocalNames()
        chars: list[str] = []
        texts: list[str] = []
        depth = 0
        phonetic = False

        def start(name: str, _: dict[str, str]) -> None:
            nonlocal depth, phonetic
            depth += 1
            chars.clear()
            if depth == 3:
                phonetic = local[name] == "rPh"

        def end(name: str) -> None:
            nonlocal depth
            depth -= 1
            if depth == 1:
                self._bytes += unescaped("".join(texts)).encode()
                texts.clear()
                self._ends.append(len(self._bytes))
                part.begun = part.parser.CurrentByteIndex
            elif local[name] == "t" and not phonetic:
                texts.append("".join(chars))
                chars.clear()

        part.depth = lambda: depth
        part.parser.StartElementHandler = start
        part.parser.EndElementHandler = end
        part.parser.CharacterDataHandler = chars.append
