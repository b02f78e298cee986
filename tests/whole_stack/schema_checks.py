"""What schemathesis looks for besides: every problem is one of those that the operation names."""

from typing import Any

import schemathesis


@schemathesis.check
def problem_is_named(ctx: Any, response: Any, case: Any) -> None:
    named = case.operation.definition.raw["responses"].get(str(response.status_code), {}).get("x-problem-types")
    if named is not None and case.method != "HEAD":
        assert response.json()["type"] in named, f"{response.json()['type']} is not among {named}"
