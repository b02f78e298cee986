"""What the files of deploy/monitoring, and their document, say."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "deploy" / "monitoring"


def queries() -> list[str]:
    """Every query of every dashboard."""
    dashboards = [json.loads(path.read_text()) for path in sorted((FOLDER / "dashboards").glob("*.json"))]
    return [target["expr"] for board in dashboards for panel in board["panels"] for target in panel["targets"]]


def documented() -> set[str]:
    text = (ROOT / "docs" / "monitoring.md").read_text()
    return set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))
