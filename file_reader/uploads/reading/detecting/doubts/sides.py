"""Columns that say which longitudes are west."""

import re
from collections.abc import Sequence

from uploads.reading.detecting.headers import BESIDE_WEST, SIDE_NAMES, WEST_WORDS
from uploads.reading.detecting.sample import Table

_SIDES = {"e": "e", "east": "e", "ne": "e", "se": "e", "w": "w", "west": "w", "nw": "w", "sw": "w"}
#: The same in other languages, and with an O that is west beside E or L, and east beside W: enough to ask.
_WEST = frozenset("w west western nw sw o oeste ouest ovest з зап запад западная 西 西经 westlich".split())
_EAST = frozenset("e east eastern ne se l leste este est o ost östlich в вост восток восточная 东 東 东经".split())
#: Of a column whose name says west: whether its rows are.
_YES = frozenset({"y", "yes", "true", "t", "1", "1.0"})
_NO = frozenset({"n", "no", "false", "f", "0", "0.0"})
_WEST_OF = re.compile(r"west(ern)?\b", re.IGNORECASE)
#: The share of rows in which a column of sides and the signs must agree, so that the others are wrong.
_AGREEING = 0.75


def sides_of(values: Sequence[str]) -> set[str]:
    """`e`, `w` or both, if that is what the cells of a column say, and nothing else."""
    sides = {_SIDES.get(value.strip().lower(), "") for value in values}
    return set() if "" in sides else sides


def may_say_west(values: Sequence[str]) -> bool:
    """Whether the cells say sides in any language, and some of them may say west."""
    cells = {value.strip().lower() for value in values}
    if cells == {"w", "l"}:  # won and lost
        return False
    west = {cell for cell in cells if cell in _WEST or _WEST_OF.match(cell)}
    return bool(west) and cells <= west | _EAST


def contradicts(cell: str, longitude: float) -> bool:
    """Whether a cell of a column of sides says another side than the longitude's sign, or none that is known."""
    side = _SIDES.get(cell.strip().lower(), "") if cell.strip() else None
    if side is None or longitude == 0:
        return False
    return side != ("e" if longitude > 0 else "w")


def says_side(cell: str) -> bool:
    """Whether a cell of a column that may be one of sides, or of signs, says one."""
    return cell.strip().lower() in _SIDES or cell.strip() == "-"


def says_other_side(cell: str, longitude: float) -> bool:
    """Whether it says another one than the longitude's sign."""
    return says_side(cell) and contradicts("w" if cell.strip() == "-" else cell, longitude)


def says_yes(cell: str) -> bool:
    """Whether a cell of a column that is called like west says that its row is."""
    return cell.strip().lower() in _YES


def names_west(table: Table, column: int) -> bool:
    """Whether a column is called like west, and like nothing else."""
    return bool(WEST_WORDS & table.words(column)) and table.words(column) <= BESIDE_WEST


def west_flags(table: Table, longitude: int) -> list[int]:
    """Columns that are called like west and say yes or no."""
    called = [column for column in table.worded(WEST_WORDS) if column != longitude and names_west(table, column)]
    return [column for column in called if {value.strip().lower() for value in table.values(column)} <= _YES | _NO]


def silent_sides(table: Table, latitude: int, longitude: int) -> list[int]:
    """Columns that may say the side of each row, and have not said anything yet.

    They are called like one; where no longitude has a minus, they may also stand beside it.
    """
    others = [column for column in range(table.width) if column not in (latitude, longitude)]
    beside = () if has_minus(table, longitude) else (longitude - 1, longitude + 1)
    named = table.named(SIDE_NAMES)
    return [column for column in others if table.is_empty(column) and (column in beside or column in named)]


def has_minus(table: Table, longitude: int) -> bool:
    """Whether a longitude of the sample has one."""
    return min(table.numbers(longitude), default=0) < 0


def side_column(table: Table, longitude: int) -> int | None:
    """The column that says east or west of each row, as the signs of the longitudes do; None where there is none."""
    numbers = table.numbers_by_record(longitude)
    for column in range(table.width):
        cells = table.cells_by_record(column)
        said = [(cell, at) for cell, at in zip(cells, numbers, strict=True) if at is not None and cell.strip()]
        agreeing = sum(bool(sides_of([cell])) and not contradicts(cell, at) for cell, at in said)
        if said and agreeing >= _AGREEING * len(said):
            return column
    return None
