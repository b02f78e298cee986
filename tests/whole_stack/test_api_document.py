"""docs/api.md is as the API is: its table of all operations is that of the schema, its examples are run.

`python whole_stack/test_api_document.py < schema.json` prints the table, of a schema of `AUTH=off`.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stack import ROOT, Stack, running_stack

Json = dict[str, Any]

_HEAD = "| operation | takes | answers | refuses, beside what all do |\n|---|---|---|---|\n"
_BODIES = {
    "multipart/form-data": "a form",
    "application/json": "JSON",
    "application/vnd.postcode-columns+msgpack": "columns",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("document"), AUTH="off") as running:
        yield running


# --- the table -----------------------------------------------------------------------------------------------------
def _takes(operation: Json) -> str:
    named = [one for one in operation["parameters"] if one["in"] != "path"]
    names = [f"`{one['name']}`{' (required)' if one['required'] else ''}" for one in named]
    kinds = operation.get("requestBody", {}).get("content", {})
    bodies = dict.fromkeys(_BODIES.get(kind, "the file itself") for kind in kinds)
    return "; ".join(filter(None, [", ".join(names), " or ".join(bodies)]))


def _answers(operation: Json) -> str:
    said = []
    for status, answer in operation["responses"].items():
        contents = answer.get("content", {})
        if int(status) < 400:
            ref = contents.get("application/json", {}).get("schema", {}).get("$ref", "")
            what = f" `{ref.rpartition('/')[2]}`" if ref else " a file" if contents and status == "200" else ""
            what = " events" if "text/event-stream" in contents else what
            said.append(f"{status}{what}")
    return ", ".join(said)


def _refused(operation: Json) -> set[str]:
    return {status for status in operation["responses"] if int(status) >= 400}


def table(schema: Json) -> tuple[str, str]:
    """The statuses with which every operation may refuse, and the rows of the table."""
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in schema["paths"].items()
        if path.startswith("/api/v1/")
        for method, operation in methods.items()
    }
    of_all = set.intersection(*map(_refused, operations.values()))
    rows = [
        f"| `{name}` | {_takes(one)} | {_answers(one)} | {', '.join(sorted(_refused(one) - of_all))} |"
        for name, one in sorted(operations.items(), key=lambda item: item[0].split()[::-1])
    ]
    return ", ".join(sorted(of_all)), _HEAD + "\n".join(rows) + "\n"


def test_the_page_has_every_operation_with_what_the_schema_says_of_it(stack: Stack) -> None:
    of_all, rows = table(stack.call("GET", "/api/schema/", params={"format": "json"}).json())
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    start = page.index(_HEAD)
    assert page[start:].partition("\n\n")[0].splitlines() == rows.splitlines()
    assert f"refused with {of_all};" in page


# --- the examples --------------------------------------------------------------------------------------------------
def examples(document: str) -> Iterator[tuple[str, str]]:
    """The commands of a document, each with what it prints."""
    page = (ROOT / document).read_text(encoding="utf-8")
    for block in re.findall(r"^```console\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


def is_printed(said: str, printed: str, address: str) -> bool:
    """Whether a command printed what the document has: `…` is anything, and an id is another one."""
    wanted = re.escape(printed.strip().replace("http://127.0.0.1:8080", address)).replace("…", ".*")
    wanted = re.sub(r"\w{8}(?:\\-\w{4}){3}\\-\w{12}", r"[0-9a-f-]{36}", wanted)
    return re.fullmatch(wanted, said.strip(), re.DOTALL) is not None


@pytest.mark.parametrize("document", ["README.md", "docs/api.md"])
def test_every_example_prints_what_the_document_says(stack: Stack, tmp_path: Path, document: str) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    known = {"PATH": os.environ["PATH"], "ID": ""}
    commands = [(command, printed) for command, printed in examples(document) if "curl" in command or "ID=" in command]
    assert len(commands) > 3
    said = ""
    for command, printed in commands:
        if command.startswith("ID="):
            known["ID"] = json.loads(said)["id"]
            links = {"links": {"self": f"{stack.url}/api/v1/uploads/{known['ID']}/"}}
            stack.wait(links, lambda seen: bool(seen["indexed_at"]), "the upload has its row index")
            continue
        done = subprocess.run(
            ["bash", "-c", command.replace("http://127.0.0.1:8080", stack.url)],
            cwd=tmp_path,
            env=known,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout
        assert done.returncode == 0, (command, done.stderr)
        assert is_printed(said, printed, stack.url), f"{command}\nprinted:\n{said}\nthe document has:\n{printed}"
    if document == "README.md":
        assert b"SW1A 1AA" in (tmp_path / "result.csv").read_bytes()


if __name__ == "__main__":
    print(*table(json.load(sys.stdin)), sep="\n")
