"""How entries (key, row number) are packed into blocks, and found in them. No Django here."""

from typing import Any, NamedTuple

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


def keys_of(first_key: int, rows: bytes | memoryview, keys: bytes | memoryview) -> Keys:
    """The key of each entry of a block."""
    count = len(rows) // 4
    if not keys:
        return np.full(count, first_key)
    return (_offsets(keys, count).astype(np.uint64) + np.uint64(first_key % (1 << 64))).view(np.int64)


def rows_between(
    first_key: int, rows: bytes | memoryview, keys: bytes | memoryview | None, least: int, most: int
) -> bytes | memoryview:
    """The row numbers of a block's entries with keys from `least` to `most`: of all of them without `keys`. Otherwise
    some keys are not below, and some not above."""
    if not keys:
        return rows
    offsets = _offsets(keys, len(rows) // 4)
    # As numbers of the offsets' own type: others would be compared as floating-point numbers, or not at all.
    number, largest = offsets.dtype.type, (1 << 8 * offsets.itemsize) - 1
    start = int(np.searchsorted(offsets, number(max(least - first_key, 0)), "left"))
    end = int(np.searchsorted(offsets, number(min(most - first_key, largest)), "right"))
    return rows[4 * start : 4 * end]


def _offsets(keys: bytes | memoryview, count: int) -> npt.NDArray[Any]:
    return np.frombuffer(keys, f"<u{len(keys) // count}")
