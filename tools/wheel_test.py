"""Build kproof as a user would receive it, and try it where a user would be.

The stages: build the source archive and, from it, a wheel; build a wheel straight from the
checkout; the two wheels must hold the same files with the same bytes. Then install the wheel into
a fresh environment outside the checkout, import the three packages there, and run the command.

An editable install hides what a wheel forgets, so the ordinary tests cannot find such a fault.
Run it by `make wheel-test`.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("kproof_spec", "kproof_impl", "kproof_checker")
COMMANDS = (("--help",), ("list",))
IN_SOURCE_ARCHIVE = ("Makefile", "LICENSE", "CHANGELOG.md", "tests/tidy/test_tidy.py")

PROBE = """
import importlib, importlib.resources, sys
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    if not importlib.resources.files(name).joinpath("py.typed").is_file():
        sys.exit(f"{name} is installed without its py.typed file")
    print(module.__file__)
"""


class WheelTestError(Exception):
    """What a user who installs this build would run into."""


def run(command: Sequence[str | Path], cwd: Path) -> str:
    """Run a command without the caller's Python settings; return what it printed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL"))}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        shown = " ".join(str(part) for part in command)
        raise WheelTestError(
            f"`{shown}` ended with code {done.returncode} and said:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def build(out: Path, *options: str) -> None:
    """Build into `out`; hatchling comes from an environment that `build` makes for itself."""
    run([sys.executable, "-m", "build", "--outdir", out, *options, ROOT], cwd=out.parent)


def the_only(folder: Path, pattern: str) -> Path:
    """The one file in a folder that fits a pattern."""
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise WheelTestError(f"expected one {pattern} from the build, found {len(found)}")
    return found[0]


def read_wheel(path: Path) -> dict[str, str]:
    """The files in a wheel, each with the hash of its bytes."""
    with zipfile.ZipFile(path) as archive:
        return {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in sorted(archive.namelist())
        }


def compare_wheels(from_checkout: dict[str, str], from_source: dict[str, str]) -> None:
    """Refuse two wheels that differ."""
    names = sorted(from_checkout.keys() | from_source.keys())
    different = [n for n in names if from_checkout.get(n) != from_source.get(n)]
    if different:
        raise WheelTestError(
            "the wheel built from the source archive differs from the one built from the checkout"
            " in:\n  " + "\n  ".join(different) + "\nUsual cause: the source archive leaves out a"
            " file that the wheel needs. See [tool.hatch.build] in pyproject.toml."
        )


def validate_wheel(names: Sequence[str]) -> None:
    """Refuse a wheel that installs something else than the three packages and their licence."""
    others = {name.split("/")[0] for name in names} - set(PACKAGES)
    strangers = sorted(name for name in others if not name.endswith(".dist-info"))
    if strangers:
        raise WheelTestError(f"the wheel would put these into site-packages: {strangers}")
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in names):
        raise WheelTestError("the wheel holds no LICENSE; see license-files in pyproject.toml")


def validate_source_archive(path: Path) -> None:
    """Refuse a source archive from which one could not run the tests."""
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    missing = [name for name in IN_SOURCE_ARCHIVE if name not in names]
    if missing:
        raise WheelTestError(f"the source archive lacks {missing}")


def try_wheel(wheel: Path, home: Path) -> None:
    """Install the wheel into a fresh environment and use it from a folder that is not ours."""
    environment, elsewhere = home / "environment", home / "elsewhere"
    elsewhere.mkdir()
    print("  installing the wheel into a fresh environment", flush=True)
    venv.create(environment, with_pip=True)
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    quiet = ("--quiet", "--disable-pip-version-check")
    run([programs / "python", "-m", "pip", "install", *quiet, wheel], cwd=elsewhere)

    print(f"  importing {', '.join(PACKAGES)}", flush=True)
    for line in run([programs / "python", "-c", PROBE, *PACKAGES], cwd=elsewhere).splitlines():
        if not Path(line).resolve().is_relative_to(environment.resolve()):
            raise WheelTestError(f"imported {line}, which is not what the wheel installed")
    for command in COMMANDS:
        print(f"  running kproof {' '.join(command)}", flush=True)
        if not run([programs / "kproof", *command], cwd=elsewhere).strip():
            raise WheelTestError(f"`kproof {' '.join(command)}` printed nothing")


def main() -> int:
    """Run the stages; 0 when all went well, 1 with a message when not."""
    with tempfile.TemporaryDirectory(prefix="kproof-wheel-") as name:
        home = Path(name)
        try:
            print("  building the source archive, and the wheel from it", flush=True)
            build(home / "from-source")
            print("  building the wheel from the checkout", flush=True)
            build(home / "from-checkout", "--wheel")
            wheel = the_only(home / "from-source", "*.whl")
            files = read_wheel(wheel)
            compare_wheels(read_wheel(the_only(home / "from-checkout", "*.whl")), files)
            validate_wheel(list(files))
            validate_source_archive(the_only(home / "from-source", "*.tar.gz"))
            try_wheel(wheel, home)
        except WheelTestError as error:
            print(f"wheel test failed: {error}", file=sys.stderr)
            return 1
        print(f"  {wheel.name}: {len(files)} files, as it should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
