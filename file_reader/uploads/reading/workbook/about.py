"""What is told of a workbook before its rows."""

import json


class About:
    """The sheets of a workbook, and what is special about the one that is read.

    `read` and `left` name the sheets that are read and those that are not. `alike` says that some of these have the
    same first row as the one that is read; `heads` are the first rows of visible ones. `formulas` and `merged` are
    columns (from 1): those whose formulas have no stored value but 0, and those with cells merged over several rows.
    These two are known as far as the sheet was read when the first piece of its CSV was written: merged cells are
    listed behind the rows.
    """

    def __init__(self) -> None:
        self.read: list[str] = []
        self.left: list[str] = []
        self.alike = False
        self.heads: dict[str, list[list[str]]] = {}
        self.formulas: list[int] = []
        self.merged: list[int] = []

    def line(self) -> bytes:
        return json.dumps(vars(self), ensure_ascii=False).encode() + b"\n"

    def take(self, line: bytes) -> None:
        """Becomes what another one wrote."""
        vars(self).update(json.loads(line))
