"""Columns that say which longitudes are west."""

from collections.abc import Sequence

from uploads.reading.detecting.sample import Table

_SIDES = {"e": "e", "east": "e", "ne": "e", "se": "e", "w": "w", "west": "w", "nw": "w", "sw": "w"}
#: The share of rows in which a column of sides and the signs must agree, so that the others are wrong.
_AGREEING = 0.75


def sides_of(values: Sequence[str]) -> set[str]:
    """`e`, `w` or both, if that is what the cells of a column say, and nothing else."""
    sides = {_SIDES.get(value.strip().lower(), "") for value in values}
    return set() if "" in sides else sides


def contradicts(cell: str, longitude: float) -> bool:
    """Whether a cell of a column of sides says another side than the longitude's sign, or none that is known."""
    side = _SIDES.get(cell.strip().lower(), "") if cell.strip() else None
    if side is None or longitude == 0:
        return False
    return side != ("e" if longitude > 0 else "w")


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
