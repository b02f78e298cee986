"""What the documents say is held against the code: settings, addresses, options, the tree, links, the README's length.

The code is read as text and parsed, not imported: no Django has to be set up.
"""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

ROOT = next(folder for folder in Path(__file__).resolve().parents if (folder / "Makefile").exists())
CODE = ("file_reader", "postcode_consumer", "gateway", "service_kit")
#: What the processes tell each other, or others' programs, through the environment: nobody sets these by hand.
NOT_SETTINGS = {
    "NOTIFY_SOCKET",
    "DJANGO_SETTINGS_MODULE",
    "DJANGO_SUPERUSER_PASSWORD",
    "PROMETHEUS_MULTIPROC_DIR",
    "PYTHONUNBUFFERED",
}
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", "contracts/*.md")
    for path in ROOT.glob(pattern)
)
#: What an expression cannot be told to be without running the program.
UNKNOWN = object()


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def modules() -> list[Path]:
    """The modules of the services; migrations and tests left out."""
    found = [path.relative_to(ROOT) for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    return [ROOT / "serve.py", *(ROOT / path for path in found if not {"tests", "migrations"} & {*path.parts})]


def value_of(node: ast.AST | None, names: dict[str, Any]) -> Any:
    """What an expression of constants, known names and paths is; UNKNOWN for every other."""
    if node is None:
        return UNKNOWN
    code = compile(ast.Expression(node), "<default>", "eval")  # type: ignore[arg-type]
    try:
        return eval(code, {"__builtins__": {}, "Path": PurePosixPath}, names)
    except Exception:  # noqa: BLE001 - it needs something that is not known here
        return UNKNOWN


def constants_of(tree: ast.Module, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """The module's names that are given a constant, in the order in which they are."""
    names = dict(known or {})
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = value_of(node.value, names)
            if value is not UNKNOWN:
                names[node.targets[0].id] = value
    return names


# --- settings ------------------------------------------------------------------------------------------------------
class Helper(NamedTuple):
    """A function that reads a variable whose name it is given, or makes of the text that it is given."""

    #: The variable's name, with `{}` for the text that is given.
    name: str
    #: Its default, or the number of the argument that is.
    default: Any
    default_argument: int | None


def is_environment(node: ast.AST) -> bool:
    return ast.unparse(node) in ("os.environ", "environ", "environment")


def reading_of(call: ast.Call) -> tuple[ast.expr, ast.expr | None] | None:
    """The name and the default of a variable that is read by `env_…(name, …)` or `environ.get(name, …)`."""
    arguments = call.args
    if ast.unparse(call.func).rpartition(".")[2].startswith("env_"):
        arguments = arguments[1:] if arguments and is_environment(arguments[0]) else arguments
    elif not re.fullmatch(r"(os\.environ|environ|environment)\.(get|setdefault)", ast.unparse(call.func)):
        return None
    # The default is the last: one of a list of words has the list before it.
    return (arguments[0], arguments[-1] if len(arguments) > 1 else None) if arguments else None


def helpers_of(tree: ast.Module, names: dict[str, Any]) -> Iterator[tuple[str, Helper]]:
    """The module's functions that pass their first argument on to one of those above."""
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.args.args]:
        parameters = [argument.arg for argument in function.args.args]
        for call in [node for node in ast.walk(function) if isinstance(node, ast.Call)]:
            if not (found := reading_of(call)) or function.name.startswith("env_"):
                continue
            name = value_of(found[0], {parameters[0]: "{}"})
            if isinstance(name, str) and "{}" in name:
                given = found[1].id if isinstance(found[1], ast.Name) else None
                number = parameters.index(given) if given in parameters else None
                yield function.name, Helper(name, value_of(found[1], names), number)


def reads_of(tree: ast.Module, names: dict[str, Any], helpers: dict[str, list[Helper]]) -> Iterator[tuple[Any, Any]]:
    """The variables that a module reads, each with its default, or UNKNOWN."""
    variables: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and is_environment(node.value):
            yield value_of(node.slice, {}), UNKNOWN
        elif isinstance(node, ast.Call) and (found := reading_of(node)):
            yield value_of(found[0], {}), value_of(found[1], names)
        elif isinstance(node, ast.Call) and node.args:
            for helper in helpers.get(ast.unparse(node.func), ()):
                given = node.args[helper.default_argument] if helper.default_argument is not None else None
                default = helper.default if given is None else value_of(given, names)
                yield helper.name.format(value_of(node.args[0], {})), default
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            # auth = env_str("AUTH", "") … auth = auth or "off"
            if isinstance(node.value, ast.Call) and (found := reading_of(node.value)):
                variables[node.targets[0].id] = value_of(found[0], {})
            elif isinstance(node.value, ast.BoolOp) and ast.unparse(node.value.values[0]) in variables:
                yield variables[ast.unparse(node.value.values[0])], value_of(node.value.values[-1], names)


@functools.cache
def settings_of_the_code() -> dict[str, set[str]]:
    """Each variable with the defaults that the code gives it as a literal."""
    # What WSGI calls environ is a request.
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in modules() if path.name != "wsgi.py"]
    names = {name: value for tree in trees for name, value in constants_of(tree).items() if name.isupper()}
    helpers: dict[str, list[Helper]] = {}
    for function, helper in [found for tree in trees for found in helpers_of(tree, names)]:
        helpers.setdefault(function, []).append(helper)
    settings: dict[str, set[str]] = {}
    for tree in trees:
        for name, default in reads_of(tree, names, helpers):
            if isinstance(name, str) and re.fullmatch(r"[A-Z][A-Z0-9_]+", name) and name not in NOT_SETTINGS:
                defaults = settings.setdefault(name, set())
                if isinstance(default, str | int | float | PurePosixPath):
                    defaults.add(str(default))
    # Where one place says "" and another says what holds then, the latter is the default.
    return {name: defaults - {""} or defaults for name, defaults in settings.items()}


def settings_of_compose() -> dict[str, set[str]]:
    settings: dict[str, set[str]] = {}
    for name, default in re.findall(r"\$\{([A-Z_]+)(?::-([^}]*))?", read("docker-compose.yml")):
        settings.setdefault(name, set()).update({default} if default else ())
    return settings


def settings_of_the_document() -> dict[str, str]:
    """Each variable of docs/settings.md with its default; empty when the table says so."""
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| (?:`([^`]+)`|empty) \|", read("docs/settings.md"), re.MULTILINE)
    return dict(rows)


def settings_of_the_example() -> dict[str, str]:
    lines = re.findall(r"^([A-Z][A-Z0-9_]+)=([^\s#]*)", read(".env.example"), re.MULTILINE)
    return dict(lines)


def differences(said: dict[str, str], meant: dict[str, set[str]]) -> list[str]:
    return [
        f"{name}: {said[name]!r} instead of {default!r}"
        for name, defaults in sorted(meant.items())
        for default in sorted(defaults)
        if name in said and PurePosixPath(said[name]) != PurePosixPath(default)
    ]


def test_the_code_is_searched_for_settings_in_all_the_ways_in_which_it_reads_them() -> None:
    found = settings_of_the_code()
    assert found["CHUNK_ROWS"] == {"20000"}
    assert found["MAX_UPLOAD_BYTES"] == {str(1 << 30)}
    assert found["DATA_DIR"] == {"var"}
    assert found["POSTCODES_IO_URL"] == {"https://api.postcodes.io"}
    assert found["FILE_READER_PROCESSES"] == found["POSTCODE_CONSUMER_PROCESSES"] == {"1"}
    assert found["WORKERS"] == {"2"}
    assert found["POSTCODE_CONSUMER_HOST"] == {"127.0.0.1"}
    assert found["AUTH"] == {"off"}
    assert {"CACHE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "FILE_READER_URL", "FILE_READER_DATABASE_URL"} <= {*found}


def test_the_page_of_settings_has_every_setting_and_no_other() -> None:
    assert sorted(settings_of_the_document()) == sorted({*settings_of_the_code(), *settings_of_compose()})


def test_the_example_of_an_environment_has_every_setting_and_no_other() -> None:
    assert sorted(settings_of_the_example()) == sorted(settings_of_the_code())


@pytest.mark.parametrize("said", [settings_of_the_document, settings_of_the_example])
def test_the_defaults_that_are_written_down_are_those_of_the_code(said: Any) -> None:
    assert differences(said(), settings_of_the_code()) == []
    compose = settings_of_compose()
    # The one that is another there, and the page says so.
    assert compose.pop("UPLOAD_KEEP_DAYS") == {"30"}
    assert differences(said(), compose) == []


def test_the_page_and_the_example_say_the_same() -> None:
    page = settings_of_the_document()
    assert {name: page.get(name) for name in settings_of_the_example()} == settings_of_the_example()


# --- addresses -----------------------------------------------------------------------------------------------------
def patterns(service: str, module: str) -> Iterator[str]:
    """The addresses of a module of URL patterns, with `{}` for what differs."""
    settings = next((ROOT / service).glob("*_config/settings.py"))
    known = {"settings": SimpleNamespace(**constants_of(ast.parse(settings.read_text(encoding="utf-8"))))}
    tree = ast.parse((ROOT / service / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    names = constants_of(tree, known)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "path":
            prefix = value_of(node.args[0], names)
            assert isinstance(prefix, str), f"{service}: {ast.unparse(node)} cannot be read here"
            prefix = re.sub(r"<[^>]*>", "{}", prefix)
            target = node.args[1]
            if isinstance(target, ast.Call) and ast.unparse(target.func) == "include":
                included = value_of(target.args[0], names)
                yield from (prefix + address for address in patterns(service, included))
            else:
                yield prefix


def addresses_of_the_services() -> set[str]:
    services = {"file_reader": "reader_config.urls", "postcode_consumer": "consumer_config.urls"}
    return {normal(address) for service, module in services.items() for address in patterns(service, module)}


def routes_of_the_gateway() -> dict[str, bool]:
    """Its paths, and whether they are also those of everything below."""
    calls = [
        node
        for node in ast.walk(ast.parse(read("gateway/gateway/routes.py")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Route"
    ]
    return {
        value_of(call.args[0], {}): not any(
            keyword.arg == "below" and value_of(keyword.value, {}) is False for keyword in call.keywords
        )
        for call in calls
    }


def normal(address: str) -> str:
    """An address as it is compared: with one slash before it and none behind, `{}` for what differs."""
    return "/" + re.sub(r"\{[^}]*\}", "{}", address).strip("/")


def addresses_of_the_document(*, inside: bool) -> set[str]:
    """The addresses in the tables of docs/api.md and docs/pages.md: those of the gateway, or those at a service's own
    port only."""
    public, _, internal = read("docs/api.md").partition("## At a service's own port only")
    public += read("docs/pages.md")
    rows = re.findall(r"^\| `(?:[A-Z]+ )?(/[^`?]*)` \|", internal if inside else public, re.MULTILINE)
    return {normal(address) for address in rows}


def is_let_through(address: str) -> bool:
    """Whether the gateway has a route for it, or answers it itself."""
    if address in ("/healthz", "/readyz", "/api/schema"):
        return True
    routes = routes_of_the_gateway().items()
    return any(address == normal(path) or (below and address.startswith(path)) for path, below in routes)


def test_the_page_of_the_api_has_every_address_and_no_other() -> None:
    said = addresses_of_the_document(inside=False) | addresses_of_the_document(inside=True)
    assert "/api/v1/uploads/{}/result.csv" in said
    by_the_gateway_itself = {"/static", "/status", "/api/schema", "/api/v1/uploads/{}/events"}
    assert said - by_the_gateway_itself == addresses_of_the_services()


def test_what_the_page_says_of_the_gateway_is_so() -> None:
    assert {address for address in addresses_of_the_document(inside=False) if not is_let_through(address)} == set()
    assert {address for address in addresses_of_the_document(inside=True) if is_let_through(address)} == set()


def test_every_route_of_the_gateway_leads_to_an_address_on_the_page() -> None:
    public = addresses_of_the_document(inside=False)
    routes = {normal(path) for path in routes_of_the_gateway()}
    assert {route for route in routes if not {route, f"{route}/{{}}"} & public} == set()


@pytest.mark.parametrize(("tuple_name", "head"), [("OPTIONS", "option"), ("ROW_FILTERS", "filter")])
def test_the_page_of_the_api_has_every_option_and_filter_and_no_other(tuple_name: str, head: str) -> None:
    table = re.search(rf"^\| {head} \|.*\n\|---.*\n((?:\|.*\n)+)", read("docs/api.md"), re.MULTILINE)
    assert table is not None
    said = [name for row in table[1].splitlines() for name in re.findall(r"`(\w+)`", row.split(" | ")[0])]
    meant = [
        constants_of(ast.parse(path.read_text(encoding="utf-8")))[tuple_name]
        for path in modules()
        if re.search(rf"^{tuple_name} = ", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert [sorted(said)] == [sorted(names) for names in meant]


# --- the tree ------------------------------------------------------------------------------------------------------
def test_the_tree_on_the_page_of_the_architecture_has_every_room_and_nothing_that_is_not_there() -> None:
    said = set(re.findall(r"^([\w/]+/|\w+\.py) {2,}\w", read("docs/architecture.md"), re.MULTILINE))
    assert {path for path in said if not (ROOT / path).exists()} == set()
    rooms = {
        f"{path.parent.relative_to(ROOT).as_posix()}/"
        for path in modules()
        if path.parent != ROOT and path.parts[len(ROOT.parts)] != "service_kit" and path.stem != "__init__"
    }
    command_folders = {room for room in rooms if room.endswith("/commands/")}
    outside = {"file_reader/", "postcode_consumer/"}  # manage.py
    assert {room for room in rooms - command_folders - outside if room not in said} == set()


def test_the_modules_and_methods_that_the_page_of_the_architecture_names_are_there() -> None:
    names = re.findall(r"`([^`]+)`", without_code(read("docs/architecture.md")))
    services = ("file_reader", "file_reader/uploads", "postcode_consumer", "postcode_consumer/lookups")
    roots = [ROOT, *(ROOT / service for service in services)]
    paths = [name for name in names if re.fullmatch(r"\w+(/\w+)+/?|\w+/", name)]
    assert len(paths) > 20
    there = {path for path in paths for root in roots for end in ("", ".py") if (root / f"{path}{end}").exists()}
    assert set(paths) - there == set()
    code = [path.read_text(encoding="utf-8") for path in modules()]
    methods = [name.split(".") for name in names if re.fullmatch(r"[A-Z]\w+\.\w+", name)]
    assert methods
    for owner, method in methods:
        assert any(f"class {owner}" in text and f"def {method}(" in text for text in code), f"{owner}.{method}"


@pytest.mark.parametrize("document", ["docs/faults.md", "docs/states.md"])
def test_the_functions_that_guard_and_change_states_are_where_the_page_says(document: str) -> None:
    names = re.findall(r"`((?:[a-z_]+\.)+(?:[A-Z]\w+\.)?(?!py\b|csv\b)\w+)(?:\(\))?`", read(document))
    assert len(names) > 15
    code = {path.as_posix().removesuffix(".py"): path.read_text(encoding="utf-8") for path in modules()}
    for name in names:
        place, owner, found = re.fullmatch(r"([a-z_.]+?)\.(?:([A-Z]\w+)\.)?(\w+)", name).groups()  # type: ignore[union-attr]
        texts = [text for path, text in code.items() if f"{path}/".endswith(f"/{place.replace('.', '/')}/")]
        wanted = re.compile(rf"^\s*(?:async )?(?:def|class) {found}\b|^{found}\b", re.MULTILINE)
        assert any(wanted.search(text) and (owner or "") in text for text in texts), f"{document}: {name}"


# --- links ---------------------------------------------------------------------------------------------------------
def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors_of(path: Path) -> set[str]:
    """The names under which GitHub has the headings of a document."""
    headings = re.findall(r"^#+ +(.*)$", without_code(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(document: str) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(read(document))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert broken == []


def test_the_readme_is_short() -> None:
    assert len(read("README.md").split()) <= 700
