"""What runs in the processes of `real_members`: one that forks, and in each child one consumer.

A consumer in a process of its own can be killed and stopped for a while as an operating system
does it, without a word to the broker.  The first process imports the client and makes none, so
that a child is there in a millisecond and shares nothing with its sisters.

    python real_member_process.py SOCKET        # Until standard input ends.

A child is told `(command, arguments)` and answers with the list of what happened, in order:
`("assigned", places, member_id)`, `("revoked", places)`, `("lost", places)`, `("record", topic,
partition, offset, key, value)`, `("committing", offsets)`, `("committed", offsets, error name or
"")`.
A place is `(topic, partition)`, offsets are `{place: next offset}`.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

Place = tuple[str, int]


class Member:
    """A consumer that notes all it is told.  It never commits what it was not given."""

    def __init__(
        self, config: Mapping[str, Any], topics: list[str], *, commits_when_revoked: bool
    ) -> None:
        self.happened: list[tuple[Any, ...]] = []
        self.next_offsets: dict[Place, int] = {}
        """Of the partitions it has, where it was given something."""
        self.commits_when_revoked = commits_when_revoked
        self.consumer = Consumer({**config, "on_commit": self._on_commit})
        self.consumer.subscribe(
            topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        member_id = self.consumer.memberid() or ""
        self.happened.append(("assigned", _places(partitions), member_id))

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        offsets = {
            place: self.next_offsets.pop(place)
            for place in _places(partitions)
            if place in self.next_offsets
        }
        if self.commits_when_revoked and offsets:
            self._commit_and_wait(offsets)
        self.happened.append(("revoked", _places(partitions)))

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        for place in _places(partitions):
            self.next_offsets.pop(place, None)
        self.happened.append(("lost", _places(partitions)))

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        self._note_committed(error, partitions)

    def _note_committed(self, error: KafkaError | None, answers: list[TopicPartition]) -> None:
        by_error: dict[str, dict[Place, int]] = {}
        for each in answers:
            wrong = error or each.error
            name = "" if wrong is None else wrong.name()
            by_error.setdefault(name, {})[each.topic, each.partition] = each.offset
        self.happened += [("committed", offsets, name) for name, offsets in by_error.items()]

    def _commit_and_wait(self, offsets: dict[Place, int]) -> None:
        self.happened.append(("committing", dict(offsets)))
        asked = [TopicPartition(*place, offset) for place, offset in offsets.items()]
        noted = len(self.happened)
        try:
            answers = self.consumer.commit(offsets=asked, asynchronous=False)
        except KafkaException as error:
            answers = asked
            self._note_committed(error.args[0], answers)
        else:
            if len(self.happened) == noted:  # The callback may have told it already.
                self._note_committed(None, answers or asked)

    def poll(self, records_max: int, seconds: float) -> None:
        """Polls until it has some records or the time is over."""
        until = time.monotonic() + seconds
        records = 0
        while records < records_max and (left := until - time.monotonic()) > 0:
            message = self.consumer.poll(min(left, 0.05))
            if message is None:
                continue
            error = message.error()
            if error is not None:
                self.happened.append(("error", error.name()))
                continue
            records += 1
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            assert topic is not None
            assert partition is not None
            assert offset is not None
            self.next_offsets[topic, partition] = offset + 1
            self.happened.append(
                ("record", topic, partition, offset, message.key(), message.value())
            )

    def commit(self, *, is_waiting: bool) -> None:
        """Commits behind the last record that it was given of each partition it has."""
        if not self.next_offsets:
            return
        if is_waiting:
            self._commit_and_wait(dict(self.next_offsets))
            return
        self.happened.append(("committing", dict(self.next_offsets)))
        asked = [TopicPartition(*place, offset) for place, offset in self.next_offsets.items()]
        try:
            self.consumer.commit(offsets=asked, asynchronous=True)
        except KafkaException as error:
            self._note_committed(error.args[0], asked)

    def close(self) -> None:
        """Leaves the group."""
        self.consumer.close()


def _places(partitions: list[TopicPartition]) -> list[Place]:
    return [(each.topic, each.partition) for each in partitions]


def run_member(link: Connection) -> None:
    """Obeys until it is told to close or nobody is there to tell it anything."""
    link.send(os.getpid())
    config, topics, commits_when_revoked = link.recv()
    member = Member(config, topics, commits_when_revoked=commits_when_revoked)
    while True:
        try:
            command, arguments = link.recv()
        except EOFError:
            return
        getattr(member, command)(**arguments)
        link.send(member.happened)
        member.happened = []
        if command == "close":
            return


def main(address: str) -> None:
    """Forks a child for each connection."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody waits for a child.
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("listening", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connected, _ = listener.accept()
            if os.fork() == 0:
                os.close(0)
                listener.close()
                run_member(Connection(connected.detach()))
                os._exit(0)
            connected.close()


if __name__ == "__main__":
    main(sys.argv[1])
