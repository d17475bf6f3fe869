"""Fill the generated parts of the documents from real runs, or hold them against one.

    python tools/make_tables.py             is what the documents say still so?
    python tools/make_tables.py --rewrite   run what they speak of, and write the results

A generated part stands between two comments, `begin generated: NAME` and `end generated: NAME`.
Times are not compared: they are the machine's, and the rest is the specification's.  Numbers of
lines may be off by a tenth.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import gallery_tables
import property_tables
from kproof_checker.check import check
from kproof_checker.models import find_model
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import CheckResult, Verdict
from kproof_spec.catalog import CHECKS, MODELS
from kproof_spec.catalog_types import Check
from kproof_spec.lang import PropertyKind

ROOT = Path(__file__).resolve().parent.parent
NUMBER = re.compile(r"\b\d[\d,]*\b")
SIZE_TOLERANCE = 0.1
"""Lines are counted to give an idea; not every commit has to change the README."""
PROPERTIES_NAMED_MAX = 4
"""A table names no more properties that hold; docs/properties.md has them all."""
SECONDS = re.compile(r"\b\d+\.\d+ s\b")
COMMAND = ("check", "replication", "--variant", "kip_101", "--property", "strong_isr")
"""What the first screen of the README shows."""

MODULES = (
    "spec/kproof_spec",
    "impl/kproof_impl",
    "checker/kproof_checker",
    "examples",
    "bench",
    "tools",
    "tests",
)


# -- the parts -----------------------------------------------------------------------------------


def counterexample() -> str:
    """A violation as the command line tells it: from the property's name to where its trace is."""
    with tempfile.TemporaryDirectory() as folder:
        program = "from kproof_checker.cli.main import run; run()"
        done = subprocess.run(
            [sys.executable, "-c", program, *COMMAND, "--set", "replicas=2", "--trace-dir", folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 1:
        raise SystemExit(f"make_tables: expected a violation, got: {done.stdout}{done.stderr}")
    said = done.stdout.split("\n\n")
    [steps] = [part for part in said if part.startswith("strong_isr is violated")]
    kept = [line for line in steps.splitlines() if not re.match(r"  (trace|next):", line)]
    shown = " ".join(["kproof", *COMMAND, "--set", "replicas=2"])
    return "\n".join(["```console", f"$ {shown}", *kept, "...", said[-1].strip(), "```"])


def checks() -> str:
    """The small scopes of every model and variant as a table: bounds, and what was found."""
    return _catalogue(c for c in CHECKS if c.size == "small" and not c.mutant)


def mutants() -> str:
    """The same for the mutants."""
    return _catalogue(c for c in CHECKS if c.size == "small" and c.mutant)


def larger() -> str:
    """The same for the larger scopes."""
    return _catalogue(c for c in CHECKS if c.size == "medium")


def _catalogue(chosen: Iterable[Check]) -> str:
    lines = [
        "| model | what is checked | bounds | states | depth | result |",
        "|---|---|---|--:|--:|---|",
    ]
    for planned in chosen:
        variant = planned.variant or MODELS[planned.model].default
        model = find_model(planned.model, planned.variant, planned.mutant)
        result = check(model.closed(**planned.constants), CheckOptions(sample_seconds=0))
        what = f"mutant `{planned.mutant}`" if planned.mutant else f"`{variant}`"
        lines.append(f"| `{planned.model}` | {what} | {_row(result)} |")
    return "\n".join(lines)


def _row(result: CheckResult) -> str:
    bounds = ", ".join(f"{n}={v}" for n, v in result.machine.scope.constants.items())
    states = f"{result.distinct:,}{'*' if result.symmetry else ''}"
    if not result.is_complete:
        states += " of more"
    return f"{bounds} | {states} | {result.depth} | {_verdicts(result)}"


def _verdicts(result: CheckResult) -> str:
    if not result.is_settled:
        raise SystemExit(f"make_tables: {result.machine!r} has no answer: {result.stop.value}")
    found = result.properties.values()
    broken = [p for p in found if p.verdict is Verdict.VIOLATED and p.trace is not None]
    held = [p.name for p in found if p.verdict is Verdict.EXHAUSTED]
    unreached = [f"`{p.name}`" for p in found if p.verdict is Verdict.UNREACHABLE]
    unknown = [f"`{p.name}`" for p in found if p.verdict is Verdict.UNKNOWN]
    if broken:
        states = ", ".join(f"`{p.name}` in {p.trace.length} states" for p in broken if p.trace)
        said = f"**violated**: {states}"
    else:
        many = len(held) > PROPERTIES_NAMED_MAX
        names = f"{len(held)} properties" if many else ", ".join(f"`{name}`" for name in held)
        said = f"exhausted: {names}"
    witnesses = sum(p.claim.kind is PropertyKind.SOMETIMES for p in found) - len(unreached)
    said = f"{said}; {witnesses} witness{'es' if witnesses != 1 else ''} reached"
    if unreached:
        said = f"{said}, unreachable {', '.join(unreached)}"
    return f"{said}; unknown: {', '.join(unknown)}" if unknown else said


def sizes() -> str:
    """How many lines there are, by room; blank lines and comments included."""
    rooms = {
        "the specification language": "spec/kproof_spec/lang",
        "the models": "spec/kproof_spec",
        "the checker": "checker/kproof_checker",
        "the broker, and a client": "impl/kproof_impl",
        "the tests": "tests",
    }
    counts = {
        room: sum(len(_read(p).splitlines()) for p in _python(where))
        for room, where in rooms.items()
    }
    counts["the models"] -= counts["the specification language"]
    rows = [f"| {room} | `{rooms[room]}` | {_rounded(count)} |" for room, count in counts.items()]
    return "\n".join(["| what | where | lines |", "|---|---|--:|", *rows])


def _rounded(count: int) -> str:
    """To two digits, so that not every commit changes it."""
    return f"{round(count, 2 - len(str(count))):,}"


def modules() -> str:
    """Every module with the first sentence of its docstring."""
    parts = []
    for top in MODULES:
        for folder in sorted({path.parent for path in _python(top)}):
            rows = []
            for path in _python(folder.relative_to(ROOT).as_posix(), deep=False):
                doc = ast.get_docstring(ast.parse(_read(path))) or ""
                title = " ".join(doc.split("\n\n")[0].split())
                if path.name == "__init__.py":
                    title = title or "(empty)"
                rows.append(f"| `{path.name}` | {title.replace('|', '/')} |")
            shown = folder.relative_to(ROOT).as_posix()
            parts.append(
                "\n".join([f"### {shown}/", "", "| module | what it is |", "|---|---|", *rows])
            )
    return "\n\n".join(parts)


def _python(where: str, *, deep: bool = True) -> Iterator[Path]:
    folder = ROOT / where
    found = folder.rglob("*.py") if deep else folder.glob("*.py")
    return iter(sorted(path for path in found if "__pycache__" not in path.parts))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# -- the documents -------------------------------------------------------------------------------

PARTS: dict[tuple[str, str], Callable[[], str]] = {
    ("README.md", "counterexample"): counterexample,
    ("README.md", "checks"): checks,
    ("README.md", "sizes"): sizes,
    ("docs/catalogue.md", "mutants"): mutants,
    ("docs/catalogue.md", "larger"): larger,
    ("docs/gallery.md", "gallery"): gallery_tables.gallery,
    ("docs/properties.md", "properties"): property_tables.properties,
    ("traces/README.md", "files"): gallery_tables.files,
    ("ARCHITECTURE.md", "modules"): modules,
}
"""By document and name of the part."""


def part_of(text: str, name: str) -> tuple[int, int]:
    """Where a generated part begins and ends in the text of a document."""
    begin, end = f"<!-- begin generated: {name} -->\n", f"\n<!-- end generated: {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise SystemExit(
            f"make_tables: expected one part {name}, between {begin.strip()} and its "
            "end, each alone on a line"
        )
    return text.index(begin) + len(begin), text.index(end)


def stored(document: str, name: str) -> str:
    """A generated part as it stands in a document."""
    text = _read(ROOT / document)
    start, end = part_of(text, name)
    return text[start:end].strip("\n")


def is_same(name: str, one: str, other: str) -> bool:
    """Whether two texts of a part say the same: times aside, and sizes within a tenth."""
    if name == "sizes":
        before, after = ([int(n.replace(",", "")) for n in NUMBER.findall(x)] for x in (one, other))
        near = (abs(a - b) <= SIZE_TOLERANCE * b for a, b in zip(before, after, strict=False))
        one, other = NUMBER.sub("", one), NUMBER.sub("", other)
        return one == other and len(before) == len(after) and all(near)
    return SECONDS.sub("", one) == SECONDS.sub("", other)


def is_current(document: str, name: str) -> bool:
    """Whether a generated part is what a run gives today."""
    return is_same(name, stored(document, name), PARTS[document, name]())


def write(document: str, name: str, made: str) -> None:
    """Puts the text of a part into its document."""
    path = ROOT / document
    text = _read(path)
    start, end = part_of(text, name)
    path.write_text(f"{text[:start]}\n{made}\n{text[end:]}", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Verify the generated parts, or rewrite them; 0 if all is well, 1 if not, 2 usage."""
    if arguments not in ([], ["--rewrite"]):
        print("usage: python tools/make_tables.py [--rewrite]", file=sys.stderr)
        return 2
    stale = 0
    for (document, name), make in PARTS.items():
        made = make()
        if is_same(name, stored(document, name), made):
            print(f"  {document}, {name}: current")
        elif arguments:
            write(document, name, made)
            print(f"  {document}, {name}: written")
        else:
            print(f"  {document}, {name}: not what a run gives", file=sys.stderr)
            stale += 1
    if stale:
        print("write them anew: python tools/make_tables.py --rewrite", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
