"""How entries (key, row number) are packed into blocks, and found in them. No Django here."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from uploads.rows.keys import Keys

#: The entries of a block: enough that its own columns are little beside them, and few to read for one postcode. Numbers
#: of 4 bytes of two more would take PostgreSQL three chunks of 1,996 bytes instead of two.
ENTRIES = 998
_KEY_WIDTHS = (1, 2, 4, 8)

Numbers = npt.NDArray[np.uint32]


class Block(NamedTuple):
    """Some entries in the order of their keys: row numbers, and what is to be added to `first_key`.

    `keys` is empty where all are `first_key`.
    """

    first_key: int
    last_key: int
    first_row: int
    rows: bytes
    keys: bytes


def pack(keys: Keys, numbers: Numbers) -> list[Block]:
    """The blocks of some rows, each with its key. Rows that share a key are in any order."""
    order = np.argsort(keys)
    keys, numbers = keys[order], numbers[order]
    return [_block(keys[at : at + ENTRIES], numbers[at : at + ENTRIES]) for at in range(0, len(keys), ENTRIES)]


def _block(keys: Keys, numbers: Numbers) -> Block:
    first, last = int(keys[0]), int(keys[-1])
    packed = b""
    if first != last:
        width = next(width for width in _KEY_WIDTHS if last - first < 1 << 8 * width)
        # Whatever the keys' signs are: modulo 2^64, the difference is right.
        packed = (keys.view(np.uint64) - keys[:1].view(np.uint64)).astype(f"<u{width}").tobytes()
    return Block(first, last, int(numbers[0]), numbers.astype("<u4").tobytes(), packed)


def unpack(
    first_key: int, rows: bytes | memoryview, keys: bytes | memoryview, least: int, most: int
) -> tuple[Numbers, Keys]:
    """The entries of a block with keys from `least` to `most`; some of its keys are not below, and some not above."""
    numbers = np.frombuffer(rows, "<u4")
    if not len(keys):
        return numbers, np.full(len(numbers), first_key)
    offsets = np.frombuffer(keys, f"<u{len(keys) // len(numbers)}")
    # As numbers of the offsets' own type: others would be compared as floating-point numbers, or not at all.
    number, largest = offsets.dtype.type, int(np.iinfo(offsets.dtype).max)
    start = np.searchsorted(offsets, number(max(least - first_key, 0)), "left")
    end = np.searchsorted(offsets, number(min(most - first_key, largest)), "right")
    found = offsets[start:end].astype(np.uint64) + np.uint64(first_key % (1 << 64))
    return numbers[start:end], found.view(np.int64)
