"""The page on the broker names what is served, and every setting and option that there is."""

import re
from pathlib import Path

from kproof_checker.cli.serve import serve
from kproof_impl.shell.settings import OF_BROKER, OF_SOCKETS
from kproof_impl.wire.apis import APIS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "broker.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_table_of_requests_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) to (\d+) \|$", TEXT, re.MULTILINE)

    assert [(name, int(key), int(oldest), int(newest)) for name, key, oldest, newest in rows] == [
        (api.name, api.key, api.min_version, api.max_version) for api in APIS.values()
    ]


def test_every_setting_of_the_broker_and_its_sockets_is_named() -> None:
    assert [name for name in (*OF_BROKER, *OF_SOCKETS) if f"`{name}`" not in TEXT] == []


def test_every_option_of_the_command_is_named() -> None:
    source = Path(serve.__code__.co_filename).read_text(encoding="utf-8")
    options = re.findall(r'typer\.Option\(\s*"(--[\w-]+)"', source)

    assert len(options) > 8
    assert [option for option in options if f"`{option}" not in TEXT] == []
