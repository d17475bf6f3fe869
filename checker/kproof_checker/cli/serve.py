"""`kproof serve`: a broker for Kafka clients, until it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .refusals import UNKNOWN, Refused

if TYPE_CHECKING:
    import asyncio

    from kproof_impl import Broker

    from .serve_observing import Observing
    from .serve_output import ServeOutput

SECONDS_BETWEEN_COUNTERS = 10.0
SECONDS_ON_A_TERMINAL = 1.0


def _directory(text: str) -> Path:
    if not text:  # As of a variable that is not set; it would be the working directory.
        raise typer.BadParameter("it is empty: give a directory")
    return Path(text)


def serve(  # noqa: PLR0913, PLR0917 - each is an option
    port: Annotated[
        int, typer.Option("--port", metavar="N", help="The port; 0 is any free one.")
    ] = 9092,
    host: Annotated[
        str, typer.Option("--host", metavar="NAME", help="The address to listen at.")
    ] = "127.0.0.1",
    advertised_host: Annotated[
        str | None,
        typer.Option(
            "--advertised-host", metavar="NAME", help="What clients are told to connect to."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            metavar="DIR",
            parser=_directory,
            help="Where the logs are kept. Without it: a temporary one, deleted at the end.",
        ),
    ] = None,
    in_memory: Annotated[
        bool, typer.Option("--in-memory", help="No files; all is gone at the end.")
    ] = False,
    topics: Annotated[
        list[str] | None,
        typer.Option(
            "--topic",
            metavar="NAME[:PARTITIONS]",
            help="A topic to make if it is not there. Repeatable.",
        ),
    ] = None,
    configs: Annotated[
        list[str] | None,
        typer.Option(
            "--config",
            metavar="KEY=VALUE",
            help="A setting of the broker, or a default of its topics, by Kafka's name, such as "
            "num.partitions=3. Repeatable.",
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Hold each step against the specification; stop at the first wrong."
        ),
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record", metavar="FILE", help="Write each step to a new file, for kproof validate."
        ),
    ] = None,
    use_uvloop: Annotated[
        bool, typer.Option("--uvloop", help="Use uvloop, which must be installed.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per line, nothing else.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="The address, and what goes wrong.")
    ] = False,
) -> int:
    """Run a single-node broker that unmodified Kafka clients can use.

    It runs until Ctrl-C or SIGTERM, which end it cleanly; a second one ends it at once. Exit code:
    0 stopped cleanly, 1 --verify found a step that the specification does not allow, 2 it could not
    start as it was asked to or go on recording, 3 its logs could not be closed.
    """
    from kproof_impl import Broker
    from kproof_impl.shell.settings import SettingRefused, parse_assignments, parse_settings

    from .serve_observing import Observing
    from .serve_output import ServeOutput

    if advertised_host == "":
        raise Refused("--advertised-host is empty: give a name or an address, or leave it out")
    if in_memory and data_dir is not None:
        raise Refused("--in-memory keeps nothing, and --data-dir is there to keep: give one")
    output = ServeOutput(is_json=as_json, is_quiet=quiet)
    try:
        settings = parse_settings(parse_assignments(configs or ()))
    except SettingRefused as error:
        raise Refused(f"--config {error}") from error
    limits, warning = settings.limits.within_open_files(may_raise=True)
    named = _topics(topics or ())
    observing = None
    if verify or record is not None:
        observing = Observing(is_verified=verify, recording=record)
    broker = Broker(
        port=port,
        host=host,
        advertised_host=advertised_host,
        data_dir=data_dir,
        in_memory=in_memory,
        topics=named,
        settings=settings.broker,
        limits=limits,
        tell=output.tell,
        observe=observing,
    )
    if warning:
        output.warn(warning)
    try:
        return _run(broker, output, observing, use_uvloop=use_uvloop)
    except Exception as error:
        if observing is None or error is not observing.error:
            raise
        return observing.tell_failure(output)
    finally:
        if observing is not None:
            observing.close()


def _topics(texts: Sequence[str]) -> dict[str, int]:
    """`["orders:3"]` as numbers of partitions by name; -1 is as many as the broker's default."""
    topics: dict[str, int] = {}
    for text in texts:
        name, colon, number = text.partition(":")
        if not name or (colon and not (number.isdecimal() and int(number) > 0)):
            raise Refused(
                f"--topic {text}: expected NAME or NAME:PARTITIONS, for example --topic orders:3"
            )
        if name in topics:
            raise Refused(f"--topic {name} was given twice. Give it once")
        topics[name] = int(number) if colon else -1
    return topics


def _run(
    broker: Broker, output: ServeOutput, observing: Observing | None, *, use_uvloop: bool
) -> int:
    import asyncio

    factory = _uvloop_factory() if use_uvloop else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_serve(broker, output, observing))


def _uvloop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    from importlib import import_module

    try:
        factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    except ImportError:
        raise Refused("--uvloop: uvloop is not installed: pip install 'kproof[uvloop]'") from None
    return factory


async def _serve(broker: Broker, output: ServeOutput, observing: Observing | None) -> int:
    import asyncio

    from kproof_impl.records.errors import LogFailed
    from kproof_impl.shell.listener import PortRefused
    from kproof_impl.shell.local_requests import TopicRefused

    stop = asyncio.Event()
    _stop_on_signals(stop, output)
    try:
        await broker.start()
    except TopicRefused as error:
        raise Refused(f"--topic: {error}") from error
    except (PortRefused, LogFailed) as error:
        raise Refused(str(error)) from error
    asyncio.get_running_loop().set_exception_handler(broker.server.loop_failed)
    output.listening(broker)
    _keep_large_buffers()
    counting = asyncio.create_task(_count(broker, output, observing))
    broker.server.on_failure = stop.set
    if observing is None or observing.error is None:
        await stop.wait()
    counting.cancel()
    if observing is None or observing.error is None:
        output.stopping()
    try:
        await broker.stop()
    except LogFailed as error:
        raise Refused(f"the logs could not be closed: {error}", UNKNOWN) from error
    output.stopped(None if observing is None else observing.steps_verified)
    return 0


def _keep_large_buffers() -> None:
    """After the address is told, for this takes a part of the time that a start may take."""
    from kproof_impl.shell.memory import keep_large_buffers

    keep_large_buffers()


def _stop_on_signals(stop: asyncio.Event, output: ServeOutput) -> None:
    """The first asks for a clean end, the second does not wait for it."""
    import asyncio
    import os
    import signal

    def on_signal(number: int) -> None:
        if stop.is_set():
            output.close()
            os._exit(128 + number)
        stop.set()

    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, on_signal, int(each))


async def _count(broker: Broker, output: ServeOutput, observing: Observing | None) -> None:
    """Shows the counters now and then."""
    import asyncio

    every = SECONDS_ON_A_TERMINAL if output.is_renewing else SECONDS_BETWEEN_COUNTERS
    while True:
        await asyncio.sleep(every)
        output.count(broker.server, None if observing is None else observing.steps_verified)
