"""Scripts and styles as a browser gets them through the gateway: kept for ever, compressed, of one version."""

import re
from pathlib import Path

from stack import running_stack


def test_what_a_page_loads_has_a_hash_in_its_name_and_is_kept_for_ever(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack:
        for page in ("/", "/api/docs/", "/admin/login/"):
            loaded = re.findall(r'(?:src|href)="(/static/[^"#]+)', stack.call("GET", page).text)
            assert loaded
            for path in loaded:
                assert re.search(r"\.[0-9a-f]{12}\.\w+$", path), path
                answer = stack.call("GET", path)
                assert answer.status_code == 200
                assert "immutable" in answer.headers["Cache-Control"], path
        scripts = re.findall(r'src="(/static/pages/[^"]+)', stack.call("GET", "/").text)
        imports = re.findall(r'import .* from "./([^"]+)"', "".join(stack.call("GET", path).text for path in scripts))
        assert imports
        for name in imports:
            answer = stack.call("GET", f"/static/pages/{name}", headers={"Accept-Encoding": "gzip"})
            assert "immutable" in answer.headers["Cache-Control"], name
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
