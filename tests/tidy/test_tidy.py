"""House style as ordinary tests, over the files of the checkout and their syntax trees.

Each rule is one test of all its files, and a failure names those that break it. Formatting, naming
and types are left to ruff and mypy; here stand the rules that those tools do not know.
A test helper returns what it found wrong, and the test demands that to be nothing.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("spec/kproof_spec", "impl/kproof_impl", "checker/kproof_checker")

PYTHON_LINES_MAX = 400
FILE_BYTES_MAX = 500_000

NOT_IN_SPEC = {"random", "time", "os", "socket", "asyncio", "threading"}
"""What would make a specification depend on more than its arguments."""
NOT_IN_CORE = NOT_IN_SPEC | {"uuid4", "secrets", "datetime", "pathlib", "kio"}
"""The same for the broker's core, which says what to do and does nothing itself."""

OPEN_TASK = re.compile(r"(?<![\w`\"'])(?:TO[D]O|FIX[M]E)\b(?!\(#\d+\))")
HOME_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|home/\w+|Users/\w+)/")
FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
LINK = re.compile(r"\]\(\s*<?([^)<>\s]+)>?[^)]*\)")
NAMED_LINK = re.compile(r"^\s*\[[^\]]+\]:\s+<?([^<>\s]+)", re.MULTILINE)
HTML_LINK = re.compile(r"\b(?:src|href)=\"([^\"]+)\"")
OTHER_PLACE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//|#)", re.IGNORECASE)


def list_files() -> list[str]:
    """The files of the project by their path from the root: what git tracks or would track."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            names = set(done.stdout.split("\0")) - {""}
            return sorted(n for n in names if (ROOT / n).is_file())
    return sorted(walk(ROOT))


def walk(folder: Path) -> Iterator[str]:
    """The files below a folder, for a checkout without git: what runs leave behind is skipped."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            hidden = path.name.startswith(".") and path.name not in {".ci", ".github"}
            if not hidden and path.name not in {"__pycache__", "build", "dist"}:
                yield from walk(path)
        elif path.suffix != ".pyc":
            yield path.relative_to(ROOT).as_posix()


def is_text(name: str) -> bool:
    """Whether git would call the file text: no zero byte near its start."""
    with (ROOT / name).open("rb") as file:
        return b"\0" not in file.read(8000)


@cache
def read(name: str) -> str:
    """The text of a file, its line ends as they are."""
    return (ROOT / name).read_bytes().decode("utf-8")


@cache
def parse(name: str) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(read(name), filename=name)


FILES = list_files()
TEXT = [name for name in FILES if is_text(name)]
PYTHON = [name for name in TEXT if name.endswith(".py")]
SPEC = [name for name in PYTHON if name.startswith("spec/")]
CORE = [
    n
    for n in PYTHON
    if n.startswith(
        ("impl/kproof_impl/core/", "impl/kproof_impl/records/", "impl/kproof_impl/messages/")
    )
]
MARKDOWN = [name for name in TEXT if name.endswith(".md")]


def each(names: Sequence[str]) -> Callable[[Callable[[str], None]], Callable[[], None]]:
    """A rule about one file, as a test of them all: a case a file would be thousands of tests."""

    def of_all(rule: Callable[[str], None]) -> Callable[[], None]:
        def test() -> None:
            wrong = []
            for name in names:
                try:
                    rule(name)
                except AssertionError as error:
                    wrong.append(f"{name}: {error}")
            assert wrong == []

        test.__name__, test.__doc__ = rule.__name__, rule.__doc__
        return test

    return of_all


each_file = each(FILES)
each_text = each(TEXT)
each_python = each(PYTHON)
each_spec = each(SPEC)
each_core = each(CORE)
each_markdown = each(MARKDOWN)


def lines_where(text: str, pattern: re.Pattern[str]) -> list[str]:
    """The lines in which a pattern occurs, each after its number."""
    return [f"{i}: {x}" for i, x in enumerate(text.split("\n"), 1) if pattern.search(x)]


# Files


def test_a_rule_that_a_file_breaks_names_the_file() -> None:
    @each(["README.md", "Makefile"])
    def rule(name: str) -> None:
        assert name != "Makefile"

    with pytest.raises(AssertionError, match="Makefile: "):
        rule()


def test_the_rules_are_applied_to_every_room() -> None:
    assert {"Makefile", "pyproject.toml"} <= set(FILES)
    assert all(f"{room}/__init__.py" in PYTHON for room in ROOMS)


@each_file
def test_no_file_is_large(name: str) -> None:
    assert (ROOT / name).stat().st_size <= FILE_BYTES_MAX


@each_text
def test_a_text_ends_in_one_newline(name: str) -> None:
    text = read(name)
    assert text == "" or (text.endswith("\n") and not text.endswith("\n\n"))


@each_text
def test_no_line_ends_in_a_blank(name: str) -> None:
    assert lines_where(read(name), re.compile(r"[ \t\r]$")) == []


@each([n for n in TEXT if Path(n).name != "Makefile"])
def test_no_tab_outside_makefiles(name: str) -> None:
    assert lines_where(read(name), re.compile(r"\t")) == []


@each_text
def test_no_path_of_one_persons_machine(name: str) -> None:
    assert lines_where(read(name), HOME_PATH) == []


@each_text
def test_an_open_task_names_its_issue(name: str) -> None:
    """Write it with the number in brackets, as in `TODO(#12)`."""
    assert lines_where(read(name), OPEN_TASK) == []


@each(ROOMS)
def test_a_room_is_marked_as_typed(room: str) -> None:
    assert f"{room}/py.typed" in FILES


# Python


@each_python
def test_no_python_file_is_long(name: str) -> None:
    assert read(name).count("\n") <= PYTHON_LINES_MAX


@each_python
def test_a_module_says_what_it_is(name: str) -> None:
    assert ast.get_docstring(parse(name))


@each_python
def test_a_suppressed_check_gives_its_code(name: str) -> None:
    comments = (
        token.string
        for token in tokenize.generate_tokens(io.StringIO(read(name)).readline)
        if token.type == tokenize.COMMENT
    )
    bare = re.compile(r"type:\s*ignore(?!\[)|\bnoqa(?!:)")
    assert [comment for comment in comments if bare.search(comment)] == []


def test_no_two_test_files_share_a_name() -> None:
    names = [Path(n).name for n in PYTHON if n.startswith("tests/")]
    tests = [n for n in names if n.startswith("test_")]
    assert sorted(set(tests)) == sorted(tests)
    assert "__init__.py" not in names


# The specification


def is_public(name: str) -> bool:
    """Whether a name does not begin with an underscore."""
    return not name.startswith("_")


def is_said_elsewhere(node: ast.AST) -> bool:
    """Whether a function is an overload, an override or a setter, documented where it began."""
    decorators = getattr(node, "decorator_list", [])
    names = [d.attr if isinstance(d, ast.Attribute) else getattr(d, "id", "") for d in decorators]
    return bool({"overload", "override", "setter", "deleter"} & set(names))


@cache
def documented_by_class() -> dict[str, set[str]]:
    """For each class of the specification, the methods that it or a class before it documents."""
    found: dict[str, set[str]] = {}
    bases: dict[str, list[str]] = {}
    for name in SPEC:
        for node in ast.walk(parse(name)):
            if isinstance(node, ast.ClassDef):
                methods = [n for n in node.body if isinstance(n, ast.FunctionDef)]
                found[node.name] = {m.name for m in methods if ast.get_docstring(m)}
                bases[node.name] = [b.id for b in node.bases if isinstance(b, ast.Name)]

    def inherited(cls: str) -> set[str]:
        own = found.get(cls, set())
        return own.union(*(inherited(base) for base in bases.get(cls, [])))

    return {cls: inherited(cls) for cls in found}


def undocumented(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """The public functions, classes and methods that have no docstring.

    A method that fulfils a documented one of a base class says no more than that one.
    """
    inherited = documented_by_class().get(prefix.rstrip("."), set()) if prefix else set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not is_public(node.name) or is_said_elsewhere(node):
                continue
            if not ast.get_docstring(node) and node.name not in inherited:
                yield f"{node.lineno}: {prefix}{node.name}"
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node.body, f"{prefix}{node.name}.")


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and top-level package of each absolute import, wherever in the file it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, (node.module or "").split(".")[0]


def is_set(node: ast.expr) -> bool:
    """Whether an expression is plainly a built-in set, or hands on the order of one."""
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor()):
            return is_set(node.left) or is_set(node.right)
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Call(func=ast.Name(id="list" | "tuple" | "iter" | "enumerate"), args=[first, *_]):
            return is_set(first)
        case _:
            return False


def loops_over_sets(tree: ast.Module) -> Iterator[int]:
    """The lines that go through a set in whatever order its hashes give."""
    for node in ast.walk(tree):
        match node:
            case ast.For(iter=source) | ast.AsyncFor(iter=source) | ast.comprehension(iter=source):
                loop = source
            case ast.Starred(value=source):
                loop = source
            case ast.Call(func=ast.Name(id="list" | "tuple" | "iter" | "enumerate")):
                loop = node
            case _:
                continue
        if is_set(loop):
            yield loop.lineno


@each_spec
def test_what_the_spec_offers_is_documented(name: str) -> None:
    assert list(undocumented(parse(name).body)) == []


@each_spec
def test_the_spec_depends_on_nothing_but_its_arguments(name: str) -> None:
    """No clock, no chance, no network, no threads: the same input gives the same answer."""
    assert [found for found in imports(parse(name)) if found[1] in NOT_IN_SPEC] == []


@each_core
def test_the_core_depends_on_nothing_but_its_inputs(name: str) -> None:
    """Time comes with each event, and ids and logs through ports: else no run could be repeated."""
    assert [found for found in imports(parse(name)) if found[1] in NOT_IN_CORE] == []


@each_core
def test_the_core_never_iterates_over_a_set(name: str) -> None:
    assert list(loops_over_sets(parse(name))) == []


@each_spec
def test_the_spec_needs_the_standard_library_only(name: str) -> None:
    allowed = sys.stdlib_module_names | {"kproof_spec"}
    assert [found for found in imports(parse(name)) if found[1] not in allowed] == []


@each_spec
def test_the_spec_never_iterates_over_a_set(name: str) -> None:
    """The order of a set changes with the hash seed, and candidates must come in a fixed one."""
    assert list(loops_over_sets(parse(name))) == []


def test_the_search_for_set_loops_finds_them() -> None:
    bad = [
        "for x in {1, 2}: pass",
        "for x in set(a): pass",
        "[x for x in frozenset(a)]",
        "for i, x in enumerate({y for y in a}): pass",
        "list(set(a))",
        "f(*{1, 2})",
        "for x in set(a) | b: pass",
    ]
    good = ["for x in sorted(set(a)): pass", "x in {1, 2}", "for x in a: pass", "len(set(a))"]

    assert [line for line in bad if not list(loops_over_sets(ast.parse(line)))] == []
    assert [line for line in good if list(loops_over_sets(ast.parse(line)))] == []


# Markdown


def prose(name: str) -> str:
    """A Markdown text without its code; its lines keep their numbers."""
    kept: list[str] = []
    fence = ""
    for line in read(name).split("\n"):
        found = FENCE.match(line)
        if not fence and found:
            fence = found[1]
        elif fence and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
        elif not fence:
            kept.append(CODE_SPAN.sub("code", line))
            continue
        kept.append("")
    return "\n".join(kept)


@each_markdown
def test_a_page_has_one_title(name: str) -> None:
    assert len(lines_where(prose(name), re.compile(r"^# \S"))) == 1


@each_markdown
def test_a_relative_link_leads_to_a_file(name: str) -> None:
    text = prose(name)
    targets = [t for link in (LINK, NAMED_LINK, HTML_LINK) for t in link.findall(text)]
    here = (ROOT / name).parent
    relative = [target for target in targets if not OTHER_PLACE.match(target)]

    assert [t for t in relative if not (here / t.partition("#")[0]).exists()] == []
