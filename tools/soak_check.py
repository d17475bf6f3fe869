"""What must be true of a broker after it was killed, as functions of a history.

Each returns what it found wrong, in words that name the record; nothing found is an empty list.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from soak_history import History, Place, ProducerHistory, Read, Sent, TopicState

SHOWN_MAX = 20
"""Of each kind of fault so many are told: one lost batch is thousands of lost records."""


def check_records(history: History) -> list[str]:
    """Records: none acknowledged is lost, each is where it was said to be, in order, and once."""
    places: dict[tuple[int, int], list[tuple[Place, int]]] = defaultdict(list)
    for place, log in history.logs.items():
        for offset, read in enumerate(log):
            places[read.producer, read.number].append((place, offset))
    found = list(_strangers(history, places))
    for producer in history.producers.values():
        found += _first(_given_up(producer))
        found += _first(_lost(producer, places))
        found += _first(_elsewhere(producer, history.logs))
        found += _first(_twice(producer, places, history.interruptions))
    return found + _first(_disordered(history))


def _first(faults: Iterator[str]) -> list[str]:
    all_of_them = list(faults)
    shown = all_of_them[:SHOWN_MAX]
    if len(all_of_them) > SHOWN_MAX:
        shown.append(f"... and {len(all_of_them) - SHOWN_MAX} more of this kind")
    return shown


def _strangers(history: History, places: Mapping[tuple[int, int], object]) -> Iterator[str]:
    for producer, number in places:
        one = history.producers.get(producer)
        if one is None or number >= len(one.sent):
            yield f"record {producer}:{number} is in a log, and nobody sent it"


def _given_up(producer: ProducerHistory) -> Iterator[str]:
    for number, sent in enumerate(producer.sent):
        if sent.error:
            yield f"{_name(producer, number)}: the client gave it up: {sent.error}"


def _lost(
    producer: ProducerHistory, places: Mapping[tuple[int, int], list[tuple[Place, int]]]
) -> Iterator[str]:
    for number, sent in enumerate(producer.sent):
        if sent.acked_at and (producer.number, number) not in places:
            where = f"{sent.place[0]}-{sent.place[1]} offset {sent.offset}"
            yield f"{_name(producer, number)}: acknowledged at {where}, and lost"


def _elsewhere(producer: ProducerHistory, logs: Mapping[Place, list[Read]]) -> Iterator[str]:
    for number, sent in enumerate(producer.sent):
        if not sent.acked_at or sent.offset < 0:
            continue
        log = logs.get(sent.place, [])
        read = log[sent.offset] if sent.offset < len(log) else None
        if read is None or (read.producer, read.number) != (producer.number, number):
            there = f"{read.producer}:{read.number}" if read else "nothing"
            where = f"{sent.place[0]}-{sent.place[1]} offset {sent.offset}"
            yield f"{_name(producer, number)}: acknowledged at {where}, where {there} is"


def _twice(
    producer: ProducerHistory,
    places: Mapping[tuple[int, int], list[tuple[Place, int]]],
    interruptions: list[tuple[float, float]],
) -> Iterator[str]:
    for number, sent in enumerate(producer.sent):
        where = places.get((producer.number, number), [])
        if len(where) < 2:
            continue
        if producer.is_idempotent or not _was_under_way(sent, interruptions):
            yield f"{_name(producer, number)}: {len(where)} times in the log: {where}"


def _was_under_way(sent: Sent, interruptions: list[tuple[float, float]]) -> bool:
    """Whether the broker was interrupted between sending and acknowledgement: then the client
    could not know, and without idempotence had to send it again."""
    acked_at = sent.acked_at or float("inf")
    return any(sent.sent_at <= end and start <= acked_at for start, end in interruptions)


def _disordered(history: History) -> Iterator[str]:
    """Within a partition, each record's first appearance is behind those sent before it."""
    for place, log in history.logs.items():
        highest: dict[int, int] = {}
        seen: set[tuple[int, int]] = set()
        for offset, read in enumerate(log):
            producer = history.producers.get(read.producer)
            key = (read.producer, read.number)
            if producer is None or key in seen:
                continue
            seen.add(key)
            before = highest.get(read.producer, -1)
            if read.number > before:
                highest[read.producer] = read.number
            elif producer.is_idempotent or producer.in_flight_max == 1:
                where = f"{place[0]}-{place[1]} offset {offset}"
                yield f"{_name(producer, read.number)}: at {where}, behind number {before}"


def _name(producer: ProducerHistory, number: int) -> str:
    kind = "idempotent" if producer.is_idempotent else "plain"
    return f"record {producer.number}:{number} ({kind}, {producer.compression})"


def check_same(place: Place, before: list[Read], now: list[Read]) -> list[str]:
    """A log that is read again: what was there is there."""
    if len(now) < len(before):
        return [f"{place[0]}-{place[1]} had {len(before)} records, and has {len(now)}"]
    for offset, (one, other) in enumerate(zip(before, now, strict=False)):
        if one != other:
            return [f"{place[0]}-{place[1]} offset {offset} was {one}, and is {other}"]
    return []


def check_commits(history: History, committed: Mapping[str, Mapping[Place, int]]) -> list[str]:
    """Offsets of groups: the last acknowledged one, or one asked for after it."""
    found = []
    for group, commits in history.commits.items():
        allowed: dict[Place, list[int]] = defaultdict(lambda: [-1])
        for commit in commits:
            if commit.is_acked:
                allowed[commit.place] = [commit.offset]
            else:
                allowed[commit.place].append(commit.offset)
        for place, offsets in allowed.items():
            kept = committed.get(group, {}).get(place, -1)
            if kept not in offsets:
                where = f"{place[0]}-{place[1]}"
                found.append(f"group {group}, {where}: committed {kept}, expected one of {offsets}")
    return found


def check_topics(
    history: History, partitions: Mapping[str, int], retention_ms: Mapping[str, int]
) -> list[str]:
    """Topics: created ones are there as they were made, deleted ones are not.

    What nobody knew is known from here on, and has to stay so.
    """
    found = []
    for name, topic in history.topics.items():
        is_there = name in partitions
        if topic.state is TopicState.CREATED and not is_there:
            found.append(f"topic {name}: its creation was acknowledged, and it is gone")
        elif topic.state is TopicState.DELETED and is_there:
            found.append(f"topic {name}: its deletion was acknowledged, and it is there")
        elif is_there and partitions[name] != topic.partitions:
            have = partitions[name]
            found.append(f"topic {name}: made with {topic.partitions} partitions, has {have}")
        elif is_there and retention_ms.get(name, topic.retention_ms) != topic.retention_ms:
            have = retention_ms[name]
            found.append(f"topic {name}: made with retention.ms {topic.retention_ms}, has {have}")
        topic.state = TopicState.CREATED if is_there else TopicState.DELETED
    return found


def duplicates_count(history: History) -> int:
    """How many records are in a log more than once: to see that a soak tries what it should."""
    times = Counter((r.producer, r.number) for log in history.logs.values() for r in log)
    return sum(count - 1 for count in times.values())
