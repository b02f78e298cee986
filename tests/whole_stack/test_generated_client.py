"""A client that a public generator makes of the schema uploads a file and fetches its result."""

import importlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from stack import running_stack, wait_for

FILE = b"name,lat,lon\nBuckingham Palace,51.501009,-0.141588\n"


@pytest.mark.filterwarnings("ignore")  # the generated code is not ours
def test_a_generated_client_uploads_a_file_and_fetches_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_stack(tmp_path / "stack", AUTH="required") as stack:
        stack.use_key("ann")
        document = tmp_path / "schema.json"
        document.write_bytes(stack.call("GET", "/api/schema/", params={"format": "json"}).content)
        programs = Path(sys.executable).parent
        made = subprocess.run(
            [
                *(programs / "openapi-python-client", "generate", "--meta", "none"),
                *("--path", document, "--output-path", tmp_path / "postcodes_client"),
            ],
            env=os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},  # it calls ruff
            check=False,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        assert "ERROR" not in made.stdout + made.stderr
        monkeypatch.syspath_prepend(tmp_path)
        client_module, types = (importlib.import_module(f"postcodes_client.{name}") for name in ("client", "types"))
        api, form = "postcodes_client.api.default", "postcodes_client.models.create_upload_files_body"
        create, get, result, reverse = (
            importlib.import_module(f"{api}.{name}")
            for name in ("create_upload", "get_upload", "get_result_csv", "reverse_geocode")
        )
        key = stack.headers["Authorization"].split()[-1]
        with client_module.AuthenticatedClient(base_url=stack.url, token=key) as client:
            file = types.File(payload=io.BytesIO(FILE), file_name="places.csv")
            body = importlib.import_module(form).CreateUploadFilesBody(file=file, max_distance=1_000)
            upload = create.sync(client=client, body=body)
            assert (upload.filename, upload.max_distance) == ("places.csv", 1_000)

            def ended() -> object:
                seen = get.sync(upload.id, client=client)
                return seen if seen.state.value == "done" else None

            assert wait_for(ended, "the upload ends").rows.matched == 1
            assert "Buckingham Palace,51.501009,-0.141588,match,,SW1A 1AA" in result.sync(upload.id, client=client)
            found = reverse.sync(client=client, latitude=51.501009, longitude=-0.141588)
            assert found.postcode == "SW1A 1AA"
            assert reverse.sync(client=client, latitude=95, longitude=0).type_ == "/problems/invalid-location"
