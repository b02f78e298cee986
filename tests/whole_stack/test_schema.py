"""The schema of the API: it has every address and no other, its examples are right, and so are real answers."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator, FormatChecker
from stack import Stack, running_stack
from whole_stack.test_documents import addresses_of_the_services, is_let_through, normal, read

from service_kit.openapi import contract

FILE = b"name,lat,lon\nPalace,51.501009,-0.141588\nSea,56.0,2.5\nBad,95,0\n"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack where every call needs a key, and one that has all scopes."""
    settings = {"AUTH": "required", "REQUESTS_PER_MINUTE": "0"}
    with running_stack(tmp_path_factory.mktemp("schema"), **settings) as running:
        running.use_key("ann")
        yield running


@pytest.fixture(scope="module")
def schema(stack: Stack) -> Json:
    answer = stack.call("GET", "/api/schema/", params={"format": "json"}, headers={"Authorization": ""})
    assert answer.headers["Content-Type"] == "application/json"
    return dict(answer.json())


def operations(schema: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def contents(schema: Json) -> Iterator[tuple[str, Json]]:
    """Every body of the document, asked or answered."""
    for path, method, operation in operations(schema):
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            for kind, content in body.get("content", {}).items():
                yield f"{method} {path} {kind}", content


def in_draft_4(schema: Any, components: Json, *, strict: bool = True) -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema, from which it differs in `nullable`. Strict: with no other members."""
    if isinstance(schema, list):
        return [in_draft_4(one, components, strict=strict) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return in_draft_4(components[schema["$ref"].rpartition("/")[2]], components, strict=strict)
    plain = {
        name: value if name in ("example", "enum", "default") else in_draft_4(value, components, strict=strict)
        for name, value in schema.items()
        if name != "nullable"
    }
    # A problem may say more that helps.
    if strict and "properties" in schema and "detail" not in schema["properties"]:
        plain.setdefault("additionalProperties", False)
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") else plain


def faults(value: Any, of: Json, schema: Json) -> list[str]:
    validator = Draft4Validator(in_draft_4(of, schema["components"]["schemas"]), format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


# --- what it consists of -------------------------------------------------------------------------------------------
def test_the_schema_has_every_address_and_no_other(schema: Json) -> None:
    """Add what is missing to uploads/web/schema/operations.py, lookups/web/schema.py or gateway/schema.py."""
    ours = {address for address in addresses_of_the_services() if address.startswith("/api/v1/")}
    meant = {address for address in ours if is_let_through(address)} | {"/healthz", "/readyz", "/status", "/api/schema"}
    meant.add("/api/v1/uploads/{}/events")
    said = {normal(path) for path in schema["paths"]}
    assert (sorted(meant - said), sorted(said - meant)) == ([], []), "(without schema, without address)"


def test_a_stranger_finds_no_fault_with_the_schema(schema: Json) -> None:
    from openapi_spec_validator import OpenAPIV30SpecValidator

    assert schema["openapi"] == "3.0.3"
    assert [error.message for error in OpenAPIV30SpecValidator(schema).iter_errors()] == []


def test_yaml_and_json_are_one_document(stack: Stack, schema: Json) -> None:
    in_yaml = stack.call("GET", "/api/schema/")
    assert in_yaml.headers["Content-Type"] == "application/yaml"
    assert "&id" not in in_yaml.text
    assert yaml.safe_load(in_yaml.text) == schema
    assert stack.call("GET", "/api/schema/", headers={"Accept": "application/json"}).json() == schema


def test_every_operation_says_what_it_does_takes_and_refuses(schema: Json) -> None:
    names = [operation["operationId"] for _, _, operation in operations(schema)]
    assert sorted(set(names)) == sorted(names)
    types = set(re.findall(r"`(/problems/[\w-]+)`[^|]*\| ([\d, ]+) \|", read("docs/problems.md")))
    known = {(slug, status) for slug, statuses in types for status in statuses.split(", ")}
    several = {"/problems/headers-too-large": "431", "/problems/target-too-long": "414"}
    several |= {"/problems/length-required": "411", "/problems/body-too-large": "413"}
    known |= {*several.items()}
    for path, method, operation in operations(schema):
        where = f"{method} {path}"
        assert operation["summary"], where
        for parameter in operation["parameters"]:
            told = {"description", "example"} & {*parameter} or {"enum", "minimum", "format"} & {*parameter["schema"]}
            assert told, f"{where}: nothing is said of {parameter['name']}"
        for status, answer in operation["responses"].items():
            named = {(slug, status) for slug in answer.get("x-problem-types", ())}
            assert named - known == set(), f"{where}: not in docs/problems.md"
            assert named or int(status) < 400 or path == "/readyz", f"{where}: {status} names no problem"


def test_every_example_is_as_its_schema_says(schema: Json) -> None:
    examples = [
        (where, name, example["value"], content["schema"])
        for where, content in contents(schema)
        for name, example in content.get("examples", {}).items()
    ]
    assert len(examples) > 10
    wrong = {f"{where} {name}": faults(value, of, schema) for where, name, value, of in examples}
    assert {where: found for where, found in wrong.items() if found} == {}
    of_parameters = [
        (parameter["example"], parameter["schema"])
        for _, _, operation in operations(schema)
        for parameter in operation["parameters"]
        if "example" in parameter
    ]
    assert [found for value, of in of_parameters if (found := faults(value, of, schema))] == []


def test_answers_of_lookups_are_shown_by_the_contracts(schema: Json) -> None:
    post = schema["paths"]["/api/v1/reverse-geocode/"]["post"]
    asked = post["requestBody"]["content"]["application/json"]["examples"]["question"]["value"]
    given = post["responses"]["200"]["content"]["application/json"]["examples"]["answers"]["value"]
    day = given["results"][0]["looked_up_at"]
    assert (asked, given) == contract("reverse_geocode/bulk_mixed.json", looked_up_at=day)


def test_real_answers_have_the_members_of_the_schema_and_no_others(stack: Stack, schema: Json) -> None:
    upload = stack.upload(FILE)
    stack.wait_until_done(upload)
    values = {"{id}": upload["id"], "{postcode}": "SW1A1AA"}
    seen = []
    for path, method, operation in operations(schema):
        address = re.sub(r"\{\w+\}", lambda found: values[found[0]], path)
        needed = [one for one in operation["parameters"] if one["in"] == "query" and one["required"]]
        options: Json = {"params": {one["name"]: one.get("example") or one["schema"]["enum"][0] for one in needed}}
        if method == "post" and "requestBody" in operation:
            example = operation["requestBody"]["content"].get("application/json", {}).get("examples")
            options |= {"json": next(iter(example.values()))["value"]} if example else {"files": {"file": FILE}}
        if method == "delete":
            continue
        answer = stack.call(method, address, **options)
        said = operation["responses"][str(answer.status_code)]["content"]
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert kind in said, f"{method} {path}"
        if kind == "application/json":
            assert faults(answer.json(), said[kind]["schema"], schema) == [], f"{method} {path}"
            seen.append(answer.status_code)
    assert seen.count(200) >= 10
