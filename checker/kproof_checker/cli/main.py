"""`kproof`: the commands, and the promise that no traceback reaches a user.

Exit codes: 0 good, 1 violated or not as expected, 2 usage or a file that cannot be read or written,
3 unknown, 4 the specification is in error.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NoReturn

import typer

from . import (
    check_command,
    demo_command,
    explain_command,
    export_command,
    graph_command,
    list_command,
    replay_command,
    serve,
    tour_command,
    validate_command,
    walk_command,
    why_not_command,
)
from .refusals import UNKNOWN, USAGE, ClosedPipe, Interrupted, Refused

CLOSED_PIPE = 128 + 13
"""What a shell reports of a program that was ended by a closed pipe."""

app = typer.Typer(
    name="kproof",
    help="Checks models of Kafka's protocols: exhaustively, by walks, and step by step.",
    add_completion=False,
    rich_markup_mode=None,  # Plain help starts in half the time.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _all_commands(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        typer.echo(_version_text())
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(USAGE)


def _version_text() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"kproof {version('kproof')}"
    except PackageNotFoundError:
        return "kproof, not installed: run from its source"


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Renames what typer would otherwise end the program for in its own way."""

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> None:
        try:
            code = function(*args, **kwargs)
        except BrokenPipeError as error:
            raise ClosedPipe from error
        except KeyboardInterrupt as error:
            raise Interrupted from error
        if code:
            raise typer.Exit(int(code))

    return command


COMMANDS: tuple[tuple[str, Callable[..., int]], ...] = (
    ("list", list_command.list_models),
    ("check", check_command.check),
    ("walk", walk_command.walk),
    ("replay", replay_command.replay),
    ("explain", explain_command.explain),
    ("why-not", why_not_command.why_not),
    ("graph", graph_command.graph),
    ("export", export_command.export),
    ("serve", serve.serve),
    ("tour", tour_command.tour),
    ("validate", validate_command.validate),
    ("demo", demo_command.demo),
)
"""A command returns its exit code."""

for _name, _function in COMMANDS:
    app.command(_name)(_guarded(_function))


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and ends the program with its exit code."""
    # Closed by whoever has started it, as in `kproof >&-`: then nobody wants to read it.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - until the end
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # A name that the terminal cannot show is no failure.
            stream.reconfigure(errors="replace")
    code = _code_of(list(sys.argv[1:] if arguments is None else arguments))
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _output_failed(error)
    sys.exit(code)


def _code_of(arguments: list[str]) -> int:
    """Runs the commands; every way to end becomes a code, and a message where one is due."""
    try:
        return int(app(args=arguments, prog_name="kproof", standalone_mode=False) or 0)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else USAGE
    except Refused as error:
        return _tell(str(error), error.code)
    except ClosedPipe as error:
        return _output_failed(OSError(errno.EPIPE, str(error)))
    except OSError as error:
        return _output_failed(error) if error.filename is None else _file_failed(error)
    except Exception as error:  # The last resort: whatever is wrong, a person reads it.
        return _other(error)


def _other(error: Exception) -> int:
    if isinstance(error, Interrupted | typer.Abort):
        return _tell("interrupted before there was a verdict", UNKNOWN)
    if isinstance(error, MemoryError):
        return _tell("out of memory: try a smaller scope, or --max-memory 2G", UNKNOWN)
    # The option parser's own errors, which typer brings under names that change.
    format_message = getattr(error, "format_message", None)
    if format_message is None:
        return _internal(error)
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "kproof"
    message = str(format_message()) or "no command was given"
    return _tell(f"{message[:1].lower()}{message[1:].rstrip('.')}. Try `{path} --help`", USAGE)


def _file_failed(error: OSError) -> int:
    return _tell(f"{error.filename}: {error.strerror or error}", USAGE)


def _internal(error: Exception) -> int:
    if os.environ.get("KPROOF_TRACEBACK"):
        import traceback

        traceback.print_exception(error)
    what = " ".join(f"{type(error).__name__}: {error}".split())
    return _tell(
        f"a fault of kproof itself, so there is no verdict: {what[:500]}. Please report it with "
        "the command you gave; KPROOF_TRACEBACK=1 shows where it happened",
        UNKNOWN,
    )


def _tell(message: str, code: int) -> int:
    end = "" if message.endswith((".", "?", "!")) else "."
    with contextlib.suppress(OSError):
        sys.stderr.write(f"kproof: {message}{end}\n")
        sys.stderr.flush()
    return code


def _output_failed(error: OSError) -> int:
    _silence_output()
    if error.errno == errno.EPIPE:
        return CLOSED_PIPE
    return _tell(f"the output could not be written: {error.strerror}", USAGE)


def _silence_output() -> None:
    """Python flushes standard output once more when it ends; let that go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
