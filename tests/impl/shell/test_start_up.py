"""What a broker imports, and what it leaves alone until it is needed."""

import subprocess
import sys

PRELUDE = """
import sys
from kproof_impl import Broker
from impl_support.raw_client import RawClient, api_versions, made_topic, produced
"""


def run(script: str) -> str:
    """What a program prints that is run with this process's path."""
    path = f"import sys; sys.path[:] = {sys.path!r}\n"
    done = subprocess.run(
        [sys.executable, "-c", path + script], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_core_is_imported_without_an_event_loop_and_without_kio() -> None:
    script = (
        "import kproof_impl.core.broker\n"
        "print([name for name in ('asyncio', 'kio', 'kproof_impl.shell') if name in sys.modules])\n"
    )
    assert run(script) == "[]"


def test_a_broker_is_ready_without_kio_and_serves_without_hypothesis() -> None:
    script = PRELUDE + (
        "with Broker(in_memory=True) as broker:\n"
        "    print('kio' in sys.modules)\n"
        "    with RawClient(broker.port) as client:\n"
        "        client.ask(api_versions(1))\n"
        "    print('kio' in sys.modules, 'hypothesis' in sys.modules)\n"
        "    import hypothesis.strategies\n"  # Who wants it can have it.
    )
    assert run(script).split() == ["False", "True", "False"]


def test_old_shapes_of_messages_are_imported_when_a_client_speaks_them() -> None:
    script = PRELUDE + (
        "from impl_support.raw_client import request\n"
        "def lifted(version):\n"
        "    with RawClient(broker.port) as client:\n"
        "        client.ask(request(3, version, 1, bytes(4)))\n"
        "    return 'kproof_impl.wire.lifts' in sys.modules\n"
        "with Broker(in_memory=True) as broker:\n"
        "    print(lifted(1), lifted(0))\n"
    )
    assert run(script).split() == ["False", "True"]


def test_a_broker_has_its_checksum_without_a_look_at_what_is_installed() -> None:
    script = (
        "import sys\n"
        "from kproof_impl.records.crc import crc32c as ours\n"
        "print('importlib.metadata' in sys.modules, hex(ours(b'123456789')))\n"
        "from crc32c import crc32c\n"  # Who wants the package can have it.
        "print(crc32c(b'123456789') == ours(memoryview(b'123456789')))\n"
    )
    assert run(script).split() == ["False", "0xe3069283", "True"]


def test_a_thread_that_imports_hypothesis_at_the_same_time_gets_it() -> None:
    script = (
        "import threading\n"
        "failures = []\n"
        "def other():\n"
        "    try:\n"
        "        import hypothesis\n"
        "    except ImportError as error:\n"
        "        failures.append(error)\n"
        "thread = threading.Thread(target=other)\n"
        "thread.start()\n"
        "import kproof_impl.wire.kio_import\n"
        "thread.join()\n"
        "import hypothesis\n"
        "print(failures)\n"
    )
    assert run(script) == "[]"


def test_nothing_of_the_specification_or_the_checker_is_imported() -> None:
    script = PRELUDE + (
        "with Broker() as broker:\n"
        "    made_topic(broker.port, 'orders')\n"
        "    with RawClient(broker.port) as client:\n"
        "        produced(client, 'orders', b'one')\n"
        "print([name for name in sys.modules if name.startswith(('kproof_s', 'kproof_c'))])\n"
    )
    assert run(script) == "[]"
