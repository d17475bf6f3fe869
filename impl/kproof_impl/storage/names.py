"""How directories and files are named: by the topic's id, never by a client's string."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

LOG = ".log"
INDEX = ".index"
TIME_INDEX = ".timeindex"
SNAPSHOT = ".snapshot"
DELETED = ".deleted"
"""Follows the name of a file that is to be removed."""
CLEANED = ".cleaned"
"""Follows the name of a file that a cleaning writes; nobody misses it."""
SWAP = ".swap"
"""Follows the name of a log that is whole, and takes the place of those it was made from."""
DELETE_DIRECTORY = "-delete"
"""Ends the name of a directory that is to be removed."""

_OFFSET_DIGITS = 20
_OFFSET_MAX = (1 << 63) - 1
_ID_CHARACTERS = 22


def id_text(topic_id: UUID) -> str:
    """22 characters: base64 with `-` and `_`, without padding, as Kafka writes ids."""
    return urlsafe_b64encode(topic_id.bytes).decode().rstrip("=")


def directory_name(topic_id: UUID, partition: int) -> str:
    return f"{id_text(topic_id)}-{partition}"


def parse_directory_name(name: str) -> tuple[UUID, int] | None:
    """The topic and partition of a directory; `None` if it is not the directory of a log."""
    text, _, number = name.rpartition("-")
    if len(text) != _ID_CHARACTERS or not number.isascii() or not number.isdigit():
        return None
    try:
        topic_id = UUID(bytes=urlsafe_b64decode(text + "=="))
    except ValueError:
        return None
    return (topic_id, int(number)) if directory_name(topic_id, int(number)) == name else None


def offset_name(offset: int) -> str:
    """The beginning of the names of the files that start at an offset."""
    return f"{offset:0{_OFFSET_DIGITS}d}"


def offsets_named(names: list[str], suffix: str) -> list[int]:
    """The offsets in the names with a suffix, sorted."""
    stems = (name.removesuffix(suffix) for name in names if name.endswith(suffix))
    return sorted(
        int(stem)
        for stem in stems
        if len(stem) == _OFFSET_DIGITS
        and stem.isascii()
        and stem.isdigit()
        and int(stem) <= _OFFSET_MAX
    )
