"""What a workbook may have in it, and how a part says that it has more, or is broken."""

import zipfile
import zlib
from xml.parsers import expat

#: The texts that a workbook's cells share are in memory while it is read: at most this many bytes of XML.
MAX_SHARED_BYTES = 64 << 20
#: The last row and the last column that there can be in a workbook.
MAX_ROWS = 1 << 20
MAX_COLUMNS = 1 << 14
#: Bytes of XML for the styles, or for the list of sheets.
MAX_PART_BYTES = 16 << 20
#: Bytes of XML for one row of the sheet, or for one of the texts that cells share.
MAX_ROW_BYTES = 8 << 20
#: Bytes of one tag or comment: expat looks at it again from its beginning with each piece.
MAX_TAG_BYTES = 1 << 20
MAX_DEPTH = 100
#: Different names of elements and attributes, which the parser remembers. Workbooks have some hundreds.
MAX_NAMES = 10_000
#: Longer and more ones Excel does not take: 255 characters, some hundreds of formats, 65,490 styles.
MAX_FORMAT_CHARS = 255
MAX_FORMATS = 10_000
MAX_STYLES = 100_000

#: What a damaged or malicious workbook raises.
BROKEN = (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, KeyError, ValueError, IndexError, OverflowError,
          NotImplementedError, RuntimeError, OSError)  # fmt: skip


class RefusedError(Exception):
    """A limit is passed. The message ends a sentence that begins with "The workbook"."""


class ContradictionError(Exception):
    """The sheet's XML contradicts itself in a row, and either reading could lose a cell. The message says where."""
