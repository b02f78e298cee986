"""What a cell may have around a number, and what stands for nothing in it."""

import re

#: What databases and statisticians write for nothing; in a first record, it says that this is no header.
NULLS = frozenset({"na", "n/a", "#n/a", "nan", "null", "<null>", "(null)", "\\n"})
MISSING = NULLS | frozenset({"", "none", "-"})
# Each digit can be matched in one way only: a pattern with a choice takes quadratic time for a cell of many digits.
DIGITS = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
NUMBER = re.compile(DIGITS, re.ASCII)
#: What is around a text and nobody sees: blanks, and marks of the direction of writing.
_BLANK = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u200e\u200f\u202a\u202c\ufeff"
#: Longer than any coordinate that somebody means; what is longer is not looked at.
MAX_CHARS = 1_000


def bare(text: str) -> str:
    """Without the spaces around it, and without the single quotes that some programs put around numbers."""
    text = text.strip(_BLANK)
    if text.startswith('="') and text.endswith('"'):  # so that spreadsheets take it for text
        text = text[2:-1].strip()
    if not text.startswith("'"):
        return text
    both = min(len(text) - len(text.lstrip("'")), len(text) - len(text.rstrip("'")), len(text) // 2)
    return text[both : len(text) - both].strip()
