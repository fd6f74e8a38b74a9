"""House rules that no linter has, checked on every file that git would take.

Each test lists all offenders at once, as `path:line: what`.
"""

import ast
import fnmatch
import os
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
# It holds what it looks for.
OWN = Path("tests/test_tidy.py")
FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400
TOP_LEVEL = frozenset(
    re.findall(
        r"\S+",
        """
        .ci .dockerignore .editorconfig .env.example .gitignore CHANGELOG.md
        CONTRIBUTING.md LICENSE Makefile NOTICE README.md deploy docker-compose.yml
        docs pyproject.toml requirements services shared tests
        """,
    )
)
EMPTY_NAMES = frozenset(
    re.findall(r"\w+", "base common helper helpers manager misc util utils")
)
LOCKS = ("build", "run", "embedded", "dev")
# Hosts that packages come from, in two halves so that this file may hold them.
REGISTRY_HOSTS = tuple(
    name + "." + domain
    for name, domain in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("yarnpkg", "com"),
        ("repo.maven", "apache.org"),
        ("repo1.maven", "org"),
        ("deb.debian", "org"),
        ("proxy.golang", "org"),
        ("crates", "io"),
    )
)
MACHINE_PATH = re.compile(
    r"(?<![\w./-])/(?:root|work|opt/wheels|Users/\w+|home/\w+)/|\.\./" + r"shared\b"
)
SUPPRESSION = re.compile(r"#\s*(?:noqa|type:\s*ignore)(?:: ?[A-Z0-9, ]*\d|\[[^]]*\])?")
SUPPRESSION_CODE = re.compile(
    r"# (noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*|type: ignore\[[a-z-]+(, ?[a-z-]+)*\])$"
)
REASON = re.compile(r" +(-{1,2}|#) +\S")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
MAKE_COMMAND = re.compile(r"(?:^|[`\n;&|]|\$ )\s*make ([a-z][a-z-]*)")
ANY_LINES = re.MULTILINE | re.DOTALL
TARGET = re.compile(r"^([a-z][a-z-]*):.*## ", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def _ignored_names() -> tuple[list[str], list[str]]:
    """Return the patterns of .gitignore: of folders and of anything."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip() for line in lines if line.strip() and line[0] != "#"]
    folders = [pattern.rstrip("/") for pattern in patterns if pattern.endswith("/")]
    return [*folders, ".git"], [name for name in patterns if not name.endswith("/")]


@cache
def _files() -> tuple[Path, ...]:
    """Return every file that is not ignored, relative to the root, sorted.

    Git itself is not asked: tests need Python and make only.
    """
    ignored_folders, ignored = _ignored_names()

    def is_kept(name: str, patterns: list[str]) -> bool:
        return not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    found = []
    for folder, subfolders, names in os.walk(ROOT):
        subfolders[:] = [
            name for name in subfolders if is_kept(name, [*ignored_folders, *ignored])
        ]
        here = Path(folder).relative_to(ROOT)
        found += [here / name for name in names if is_kept(name, ignored)]
    return tuple(sorted(found))


def _text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def _with_suffix(*suffixes: str) -> list[Path]:
    return [path for path in _files() if path.suffix in suffixes]


def _lines(paths: list[Path]) -> Iterator[tuple[str, str]]:
    """Yield every line with its place."""
    for path in paths:
        for number, line in enumerate(_text(path).splitlines(), start=1):
            yield f"{path}:{number}", line


def _make_targets() -> set[str]:
    """Return the targets that `make` lists."""
    return set(TARGET.findall(_text(Path("Makefile"))))


def _project() -> dict[str, object]:
    return tomllib.loads(_text(Path("pyproject.toml")))


def _distribution(requirement: str) -> str:
    """Return the normalised name at the start of a requirement."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def _pins(lock: str) -> dict[str, set[str]]:
    """Return the versions that a lock file pins, by package."""
    pins: dict[str, set[str]] = {}
    text = _text(Path("requirements") / f"{lock}.txt")
    for name, version in re.findall(r"^([a-z0-9-]+)==([^ ;]+)", text, re.MULTILINE):
        pins.setdefault(name, set()).add(version)
    return pins


def _anchors(markdown: str) -> set[str]:
    """Return the anchors that a page's headings get."""
    headings = re.findall(r"^#+ +(.+)$", markdown, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in headings
    }


def test_functions_are_at_most_sixty_lines() -> None:
    """A function fits a screen, its docstring and decorators included."""
    offenders = []
    for path in _with_suffix(".py"):
        for node in ast.walk(ast.parse(_text(path))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            length = (node.end_lineno or first) - first + 1
            if length > FUNCTION_LINES_MAX:
                offenders.append(f"{path}:{first}: {node.name} has {length} lines")
    assert not offenders, "\n".join(offenders)


def test_modules_are_at_most_four_hundred_lines() -> None:
    """A file is one thing."""
    lengths = {path: len(_text(path).splitlines()) for path in _with_suffix(".py")}
    offenders = [
        f"{path}:1: {length} lines"
        for path, length in lengths.items()
        if length > MODULE_LINES_MAX
    ]
    assert not offenders, "\n".join(offenders)


def test_names_say_what_is_inside() -> None:
    """No file or folder has a name that would fit anything."""
    offenders = [
        str(path)
        for path in _with_suffix(".py", ".sql")
        if EMPTY_NAMES & {part.removesuffix(path.suffix) for part in path.parts}
    ]
    assert not offenders, "\n".join(offenders)


def test_top_level_of_the_tree_is_fixed() -> None:
    """A new folder or file at the top needs a decision, and a line here."""
    assert {path.parts[0] for path in _files()} <= TOP_LEVEL


def test_deploy_holds_no_python() -> None:
    """What is deployed is configuration; code lives in the import packages."""
    offenders = [str(p) for p in _with_suffix(".py") if p.parts[0] == "deploy"]
    assert not offenders, "\n".join(offenders)


def test_every_folder_of_python_is_a_package() -> None:
    """Two test modules of one name in two folders are two modules."""
    folders = {path.parent for path in _with_suffix(".py")} - {Path()}
    files = set(_files())
    offenders = [str(f) for f in sorted(folders) if f / "__init__.py" not in files]
    assert not offenders, "\n".join(offenders)


def test_no_file_names_a_registry() -> None:
    """How a machine reaches packages is its own business."""
    offenders = [
        place
        for place, line in _lines([path for path in _files() if path != OWN])
        if any(host in line for host in REGISTRY_HOSTS)
        or re.search(r"--(extra-)?index[-]url|--find[-]links", line)
    ]
    assert not offenders, "\n".join(offenders)


def test_no_file_names_a_path_of_one_machine() -> None:
    """What works only where it was written does not work."""
    offenders = [
        place
        for place, line in _lines([path for path in _files() if path != OWN])
        if MACHINE_PATH.search(line)
    ]
    assert not offenders, "\n".join(offenders)


def _unexplained(line: str, before: str) -> bool:
    """Say whether a line suppresses a rule without code, or without any reason.

    The reason stands behind the code, or in a comment on the line before.
    """
    for found in SUPPRESSION.finditer(line):
        if not SUPPRESSION_CODE.match(found.group()):
            return True
        has_reason = REASON.match(line, found.end()) or before.lstrip().startswith("#")
        if not has_reason:
            return True
    return False


def test_every_suppression_has_a_code_and_a_reason() -> None:
    """Whoever reads `noqa` or `type: ignore` learns which rule and why not here."""
    offenders = []
    for path in _with_suffix(".py"):
        before = ""
        for number, line in enumerate(_text(path).splitlines(), start=1):
            if path != OWN and _unexplained(line, before):
                offenders.append(f"{path}:{number}")
            before = line
    assert not offenders, "\n".join(offenders)


def test_every_query_is_named_and_described() -> None:
    """A query in a .sql file begins with its name and a comment on what it is for."""
    offenders = []
    for path in _with_suffix(".sql"):
        if "migrations" in path.parts or path.name == "schema.sql":
            continue
        head, *queries = re.split(r"^-- name: ", _text(path), flags=re.MULTILINE)
        if not queries or re.search(r"^(?!--)\S", head, re.MULTILINE):
            offenders.append(f"{path}: text before the first name")
        for query in queries:
            name, _, rest = query.partition("\n")
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                offenders.append(f"{path}: {name!r} is no name")
            if not rest.startswith("-- "):
                offenders.append(f"{path}: {name} has no description")
    assert not offenders, "\n".join(offenders)


def test_migrations_only_go_forward() -> None:
    """A migration has a time for its number; its way back holds no statement."""
    paths = [path for path in _with_suffix(".sql") if "migrations" in path.parts]
    assert paths != []
    offenders = [
        str(path)
        for path in paths
        if not re.fullmatch(r"\d{14}_[a-z][a-z0-9_]*\.sql", path.name)
        or not _text(path).startswith("-- migrate:up")
        or re.search(r"^-- migrate:down.*^(?!--|$)", _text(path), ANY_LINES)
    ]
    assert not offenders, "\n".join(offenders)


def test_decisions_are_numbered_without_gaps() -> None:
    """Every page of docs/adr bears the next number and its status."""
    pages = [path for path in _files() if path.parts[:2] == ("docs", "adr")]
    numbers = [int(path.name.split("-")[0]) for path in pages]
    assert numbers == list(range(1, len(pages) + 1))
    offenders = [
        str(path)
        for path in pages
        if not _text(path).startswith(f"# {path.name[:4]}. ")
        or not re.search(r"^Status: \w+", _text(path), re.MULTILINE)
    ]
    assert not offenders, "\n".join(offenders)


def test_every_dependency_has_its_reason() -> None:
    """Each package that runs stands in docs/adr: why it is here, and its licence."""
    project = _project()["project"]
    assert isinstance(project, dict)
    wanted = [*project["dependencies"], *project["optional-dependencies"]["embedded"]]
    pages = "".join(_text(p) for p in _files() if p.parts[:2] == ("docs", "adr"))
    named = set(re.findall(r"^\| `([a-z0-9-]+)`", pages, re.MULTILINE))
    assert {_distribution(requirement) for requirement in wanted} <= named


def test_locks_agree_and_hash_everything() -> None:
    """One package has one version in all lock files, and hashes in each."""
    everything = _pins("dev")
    for lock in LOCKS:
        assert _pins(lock).items() <= everything.items(), lock
        text = _text(Path("requirements") / f"{lock}.txt")
        entries = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
        assert [e.split()[0] for e in entries if "--hash=sha256:" not in e] == []


def test_locks_hold_every_dependency() -> None:
    """A dependency that was added without `make lock` is found here."""
    content = _project()
    project, groups = content["project"], content["dependency-groups"]
    system = content["build-system"]
    assert isinstance(project, dict)
    assert isinstance(groups, dict)
    assert isinstance(system, dict)
    assert groups["build"] == system["requires"]
    embedded = project["optional-dependencies"]["embedded"]
    dev = [entry for entry in groups["dev"] if isinstance(entry, str)]
    wanted = {
        "build": groups["build"],
        "run": project["dependencies"],
        "embedded": [*project["dependencies"], *embedded],
        "dev": [*project["dependencies"], *embedded, *dev],
    }
    for lock, requirements in wanted.items():
        names = {_distribution(requirement) for requirement in requirements}
        assert names <= set(_pins(lock)), lock


def test_commands_of_make_exist() -> None:
    """Every `make` command that a page, a message or a script names can be run."""
    targets = _make_targets()
    assert {"setup", "demo", "test", "check"} <= targets
    offenders = []
    for path in _with_suffix(".md"):
        for code in CODE.findall(_text(path)):
            wrong = set(MAKE_COMMAND.findall(code)) - targets
            offenders += [f"{path}: make {name}" for name in sorted(wrong)]
    for place, line in _lines(_with_suffix(".py", ".yml", ".toml", ".example")):
        named = set(re.findall(r"`make ([a-z][a-z-]*)", line))
        offenders += [f"{place}: make {name}" for name in sorted(named - targets)]
    for place, line in _lines([p for p in _files() if p.parts[0] == ".ci"]):
        named = set(re.findall(r"^(?:step .* )?make ([a-z][a-z-]*)", line))
        offenders += [f"{place}: make {name}" for name in sorted(named - targets)]
    assert not offenders, "\n".join(offenders)


def test_tests_of_apache_kafka_lie_where_they_are_run() -> None:
    """`make test-kafka` looks only where the Makefile's BROKER_TESTS says."""
    found = re.search(r"^BROKER_TESTS := (.+)$", _text(Path("Makefile")), re.MULTILINE)
    assert found is not None
    folders = {Path(name) for name in found[1].split()}
    offenders = [
        f"{path}:1: marked kafka"
        for path in _with_suffix(".py")
        if re.search(r"pytest\.mark\.kafka\b", _text(path)) and path != OWN
        if not folders & set(path.parents)
    ]
    assert not offenders, "\n".join(offenders)


def test_no_test_is_skipped() -> None:
    """A test that may be skipped proves nothing where it is; markers choose instead."""
    offenders = [
        place
        for place, line in _lines(
            [path for path in _files() if path.parts[0] == "tests" and path != OWN]
        )
        if re.search(r"mark\.(skip|xfail)|pytest\.(skip|xfail|importorskip)", line)
    ]
    assert not offenders, "\n".join(offenders)


def test_links_lead_somewhere() -> None:
    """A link in a page names a file that exists, and a heading in it."""
    offenders = []
    for path in _with_suffix(".md"):
        for link in LINK.findall(_text(path)):
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            target = (ROOT / path.parent / name).resolve() if name else ROOT / path
            if not target.exists():
                offenders.append(f"{path}: {link}")
            elif anchor and anchor not in _anchors(target.read_text(encoding="utf-8")):
                offenders.append(f"{path}: {link} (no such heading)")
    assert not offenders, "\n".join(offenders)


def test_every_alert_of_the_platform_has_its_page() -> None:
    """A rule's `runbook` names a heading of docs/runbooks/platform.md."""
    anchors = _anchors(_text(Path("docs/runbooks/platform.md")))
    rules = [p for p in _files() if p.parts[:3] == ("deploy", "prometheus", "rules")]
    text = "".join(_text(path) for path in rules)
    named = set(re.findall(r"runbook: docs/runbooks/platform\.md#(\S+)", text))
    alerts = {name.lower() for name in re.findall(r"- alert: (\w+)", text)}
    assert alerts != set()
    assert alerts == named
    assert named <= anchors
