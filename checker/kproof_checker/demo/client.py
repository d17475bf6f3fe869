"""The processes of the story: clients with kafka-python, as anybody would use it.

    python -m kproof_checker.demo.client send ADDRESS TOPIC ORDER...
    python -m kproof_checker.demo.client work ADDRESS TOPIC GROUP SESSION_MS

They say what they do in lines of JSON.  The first ends when all is acknowledged, and says where
each record is: `{"sent": [partition, offset]}`.  The second is a member of a group until it is
killed: `{"assigned": [0, 2]}`, `{"handled": [partition, offset]}`, `{"committed": {"0": 12}}`.
"""

from __future__ import annotations

import json
import logging
import sys

from kafka import KafkaConsumer, KafkaProducer  # type: ignore[import-untyped]  # It has no types.

STEPS = ("created", "paid", "shipped", "delivered")
"""Of each order, in this order."""
POLL_MS = 50
RECORDS_MAX = 5
"""In a poll, so that there are many commits to tell of."""
SECONDS_MAX = 30
"""How long an acknowledgement may take."""


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


def send(address: str, topic: str, *orders: str) -> None:
    """Sends the steps of some orders, the order as the key."""
    producer = KafkaProducer(bootstrap_servers=address, acks="all", linger_ms=5)
    futures = [
        producer.send(topic, step.encode(), key=order.encode())
        for step in STEPS
        for order in orders
    ]
    for future in futures:
        record = future.get(timeout=SECONDS_MAX)
        tell(sent=[record.partition, record.offset])


def work(address: str, topic: str, group: str, session_ms: str) -> None:
    """Handles records and commits them, for ever."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=address,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=int(session_ms),
        heartbeat_interval_ms=int(session_ms) // 6,
    )
    assigned: list[int] | None = None
    while True:
        found = consumer.poll(POLL_MS, max_records=RECORDS_MAX)
        now = sorted(one.partition for one in consumer.assignment())
        if now != assigned:
            assigned = now
            tell(assigned=assigned)
        for records in found.values():
            for record in records:
                tell(handled=[record.partition, record.offset])
        if found:
            consumer.commit()
            tell(committed={one.partition: consumer.position(one) for one in found})


if __name__ == "__main__":
    logging.disable()  # That a rebalance has begun is no news for who watches the story.
    run = send if sys.argv[1] == "send" else work
    run(*sys.argv[2:])
