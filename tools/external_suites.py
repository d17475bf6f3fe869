"""Run other projects' own test suites against our broker, and print how each test ended.

    python tools/external_suites.py                    both suites, against `kproof serve`
    python tools/external_suites.py --smoke            twelve tests of librdkafka, half a minute
    python tools/external_suites.py --bootstrap host:port        against a broker that runs already
    python tools/external_suites.py --suite librdkafka --tests 0012,0113

The suites are fetched by npm and pip and built once, into .kproof/external (--cache). librdkafka's
needs npm, a C compiler and make, and takes some minutes to build. The end is 0 if every test that
Apache Kafka passes (tools/external/baseline_*.json) passes here too, 1 if one does not, 2 if a
suite could not be run.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from external import kafka_python, librdkafka
from external.outcomes import Outcome, SuiteError, differences, read_baseline, table
from external.served_broker import served_broker

ROOT = Path(__file__).resolve().parent.parent
SUITES = (librdkafka.SUITE, kafka_python.SUITE)

SETTINGS = (
    *("--config", "node.id=0"),  # kafka-python's tests place replicas on broker 0.
    *("--config", "num.partitions=4"),
    *("--config", "group.min.session.timeout.ms=100"),
    # Of two consumers that begin together, 0102 and 0118 bear no order of joining but one.
    *("--config", "group.initial.rebalance.delay.ms=300"),
)
"""Options of `kproof serve` under which the suites run: four partitions a topic by default."""


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; the exit code."""
    options = _parser().parse_args(arguments)
    suites = (librdkafka.SUITE,) if options.smoke else tuple(options.suite or SUITES)
    try:
        with ExitStack() as stack:
            folders = {suite: _prepare(suite, options.cache) for suite in suites}
            bootstrap = options.bootstrap
            if bootstrap is None:
                data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kproof-")))
                bootstrap = stack.enter_context(served_broker(data, SETTINGS))
            reports = [
                (suite, _collect(_run(suite, folders[suite], bootstrap, options), options.json))
                for suite in suites
            ]
    except SuiteError as error:
        print(error, file=sys.stderr)
        return 2
    if options.save_baseline:
        for suite, outcomes in reports:
            _save_baseline(suite, outcomes, options.save_baseline)
    worse = sum(len(differences(found, read_baseline(suite))) for suite, found in reports)
    if options.json:
        print(json.dumps({suite: [asdict(o) for o in found] for suite, found in reports}, indent=1))
    else:
        for suite, outcomes in reports:
            print(f"\n{suite}\n{table(outcomes, read_baseline(suite))}")
    return 1 if worse else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--suite", action="append", choices=SUITES, help="this suite only")
    parser.add_argument("--smoke", action="store_true", help="twelve tests of librdkafka")
    parser.add_argument("--tests", default="", help="librdkafka: numbers, a comma between them")
    parser.add_argument("-k", default="", help="kafka-python: pytest's -k expression")
    parser.add_argument("--bootstrap", help="host:port of a broker that runs already")
    parser.add_argument("--cache", type=Path, default=ROOT / ".kproof" / "external")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--save-baseline", metavar="BROKER", help="keep the outcomes as Kafka's")
    return parser


def _prepare(suite: str, cache: Path) -> Path:
    if suite == librdkafka.SUITE:
        return librdkafka.prepare(cache.resolve())
    return kafka_python.prepare(cache.resolve())


def _run(
    suite: str, folder: Path, bootstrap: str, options: argparse.Namespace
) -> Iterator[Outcome]:
    if suite == kafka_python.SUITE:
        return kafka_python.run(folder, bootstrap, options.k)
    numbers = librdkafka.SMOKE if options.smoke else librdkafka.TESTS
    chosen = options.tests.split(",") if options.tests else numbers
    return librdkafka.run(folder, bootstrap, chosen, is_quick=options.smoke)


def _collect(outcomes: Iterator[Outcome], quiet: bool) -> list[Outcome]:
    """All of them; each is told as it comes, since the whole takes minutes."""
    found: list[Outcome] = []
    for outcome in outcomes:
        found.append(outcome)
        if not quiet:
            print(
                f"{outcome.name}: {outcome.result} {outcome.seconds:.1f} s {outcome.note}".strip()
            )
            sys.stdout.flush()
    return found


def _save_baseline(suite: str, outcomes: Sequence[Outcome], broker: str) -> None:
    path = ROOT / "tools" / "external" / f"baseline_{suite}.json"
    found = {outcome.name: outcome.result for outcome in outcomes}
    document = {"suite": suite, "broker": broker, "tests": found}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
