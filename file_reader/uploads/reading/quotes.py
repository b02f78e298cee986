"""Whether the quotes of a record over several lines are what they seem."""

import csv
import io
import re


def quotes_close(text: str, delimiter: str) -> bool:
    """Whether every quoted field of the text ends with its closing quote (spaces may follow).

    A quote that somebody forgot to close ends at the next quote of the file, however many lines later: what follows
    there is not the end of a field. csv's reader is lenient and takes all those lines for one cell.
    """
    text = re.sub(f'" +(?={re.escape(delimiter)}|[\\r\\n]|$)', '"', text)
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            pass
    except csv.Error:
        return False
    return True
