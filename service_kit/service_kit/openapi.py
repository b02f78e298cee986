"""An OpenAPI document (3.0.3) in short: operations with their parameters, bodies, answers and problems."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]

JSON = "application/json"
_CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"

PROBLEM: Json = {
    "type": "object",
    "description": "An error (RFC 9457). Some types have further members that help.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "Stable: `/problems/…`.", "example": "/problems/not-found"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people; may change."},
    },
}


def ref(name: str) -> Json:
    """The component of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def struct(description: str, **members: Json) -> Json:
    """An object that always has all these members."""
    return {"type": "object", "description": description, "required": list(members), "properties": members}


def text(description: str = "", **more: Any) -> Json:
    """A text; `format`, `enum`, `example` and the like in `more`."""
    return typed("string", description, **more)


def number(description: str = "", **more: Any) -> Json:
    """A number; its unit stands in the description."""
    return typed("number", description, **more)


def typed(kind: str, description: str = "", **more: Any) -> Json:
    """A value of one of JSON's types."""
    return {"type": kind, **({"description": description} if description else {}), **more}


def or_null(schema: Json) -> Json:
    """What may also be null."""
    return {"nullable": True, **({"allOf": [schema]} if "$ref" in schema else schema)}


def array(items: Json, description: str = "", **more: Any) -> Json:
    """A list."""
    return typed("array", description, items=items, **more)


def parameter(name: str, schema: Json, *, where: str = "query", required: bool = False) -> Json:
    """A parameter of an operation; what is in the path is always required."""
    rest = {key: value for key, value in schema.items() if key not in ("description", "example")}
    said: Json = {key: schema[key] for key in ("description", "example") if key in schema}
    return {"name": name, "in": where, "required": required or where == "path", **said, "schema": rest}


def content(schema: Json, *types: str, **examples: Any) -> Json:
    """A body of one of the types (JSON if none is named), with examples by their names."""
    named = {"examples": {name: {"value": value} for name, value in examples.items()}} if examples else {}
    return {kind: {"schema": schema, **named} for kind in types or (JSON,)}


def answer(description: str, body: Json | None = None, **headers: Json) -> Json:
    """An answer; headers by name, with `_` for `-`."""
    named = {name.replace("_", "-"): {"schema": schema, "required": True} for name, schema in headers.items()}
    return {"description": description, **({"content": body} if body else {}), **({"headers": named} if named else {})}


def problem(*slugs: str) -> Json:
    """An answer that is a problem of one of these types, as docs/problems.md has them."""
    types = [f"/problems/{slug}" for slug in slugs]
    return {
        "description": ", ".join(f"`{name}`" for name in types),
        "content": content(ref("Problem"), "application/problem+json"),
        "x-problem-types": types,
    }


def operation(
    name: str,
    summary: str,
    answers: Mapping[int, Json],
    *,
    description: str = "",
    parameters: Iterable[Json] = (),
    body: Json | None = None,
    problems: Mapping[int, str] | None = None,
) -> Json:
    """An operation. `problems` has the slugs of each status, with spaces between.

    What the gateway answers itself, such as 401 and 429, it adds.
    """
    responses = {str(status): said for status, said in answers.items()}
    responses |= {str(status): problem(*slugs.split()) for status, slugs in (problems or {}).items()}
    return {
        "operationId": name,
        "summary": summary,
        **({"description": description} if description else {}),
        "parameters": list(parameters),
        **({"requestBody": {"required": True, "content": body}} if body else {}),
        "responses": responses,
    }


def document(title: str, version: str, paths: Json, schemas: Json) -> Json:
    """The whole document."""
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {"schemas": {**schemas, "Problem": PROBLEM}},
    }


def contract(path: str, **any_text: str) -> tuple[Any, Any]:
    """The bodies of a contract's request (None without one) and answer; `any_text` is for its members `"<any>"`."""

    def fill(members: Json) -> Json:
        return {key: any_text[key] if value == "<any>" else value for key, value in members.items()}

    agreed = json.loads((_CONTRACTS / path).read_text(encoding="utf-8"), object_hook=fill)
    return agreed["request"].get("body"), agreed["response"]["body"]
