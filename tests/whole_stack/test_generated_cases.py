"""Schemathesis makes requests of the schema, right and wrong ones, and compares every answer with it.

Some 2,000 cases; SCHEMATHESIS_EXAMPLES=100 has it invent more, SCHEMATHESIS_SEED=2 others.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from stack import running_stack

_HERE = Path(__file__).parent


@pytest.mark.timeout(3_600)
def test_no_generated_request_finds_a_difference_between_schema_and_service(tmp_path: Path) -> None:
    """What it is told about the API, and which answers are right for reasons of their own, stands in two files beside
    this one: schemathesis.toml and schemathesis_hooks.py."""
    # Keys, so that it can try without; addresses in requests lead to a port where nobody is.
    settings = {"AUTH": "required", "REQUESTS_PER_MINUTE": "0", "WEBHOOK_ALLOWED_HOSTS": "localhost:9"}
    with running_stack(tmp_path / "stack", **settings) as stack:
        stack.use_key("ann")
        upload = stack.upload(b"lat,lon\n51.501009,-0.141588\n")
        program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
        assert program
        told = [program, "--config-file", str(_HERE / "schemathesis.toml"), "run", "--no-color"]
        chosen = ["--max-examples", os.environ.get("SCHEMATHESIS_EXAMPLES", "3")]
        chosen += ["--seed", os.environ.get("SCHEMATHESIS_SEED", "1")]
        done = subprocess.run(
            [*told, *chosen, f"{stack.url}/api/schema/?format=json"],
            cwd=tmp_path,
            env=os.environ
            | {
                "HOOKS": str(_HERE / "schemathesis_hooks.py"),
                "API_KEY": stack.headers["Authorization"].split()[-1],
                "UPLOAD_ID": upload["id"],
            },
            check=False,
            capture_output=True,
            text=True,
        )
    print(done.stdout[-20_000:], done.stderr)
    assert done.returncode == 0
    assert re.search(r"(\d+) selected / \1 total", done.stdout)
