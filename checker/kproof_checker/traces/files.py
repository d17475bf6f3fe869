"""Writing a file so that it is there whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


class CannotWrite(OSError):
    """The file could not be written; the message says which, why, and what to do."""


def write_text(path: Path, text: str) -> None:
    """Puts `text` into the file, which is never seen half written; makes its folder if need be.

    What is no ordinary file, such as a pipe or a device, is written to and stays what it is.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        # A link stays a link: what it leads to is replaced.
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text(text, encoding="utf-8", newline="\n")
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        why = error.strerror or str(error)
        raise CannotWrite(
            f"cannot write {path}: {why}. Nothing was changed there; "
            "free some space or name another file"
        ) from error
