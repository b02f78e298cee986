"""An example of each line of docs/files.md, by its section."""

from tests.documented import containers, formats, questions, tables
from tests.documented.example import Examples

EXAMPLES: dict[str, Examples] = {
    section: examples
    for module in (containers, formats, tables, questions)
    for section, examples in module.EXAMPLES.items()
}
