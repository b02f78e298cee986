"""Where a rule about security is set aside, the line says why."""

import re
import subprocess

from stack import ROOT


def test_every_line_that_is_exempt_from_a_security_rule_says_why() -> None:
    files = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = [line for name in files.split() for line in (ROOT / name).read_text().splitlines()]
    exempt = [line for line in lines if re.search(r"# noqa: S\d", line)]
    assert len(exempt) > 10
    assert [line for line in exempt if not re.search(r"# noqa: S\d+ (- \w|\()", line)] == []
