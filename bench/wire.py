"""Microseconds to read a request and to write a response: Produce, Fetch, Metadata.

    python bench/wire.py

Each number is the best of several runs, of CPU time: the least that the machine was disturbed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any
from uuid import UUID

from kio.serial import entity_reader, entity_writer

from kproof_impl.messages import fetch, metadata, produce
from kproof_impl.wire.adapt import to_kio
from kproof_impl.wire.requests import HEADER_START, RequestHeader, decode_request
from kproof_impl.wire.responses import encode_response
from kproof_impl.wire.schema import is_flexible, kio_request, record_request

RUNS = 15
SECONDS_A_RUN = 0.02
CLIENT = "a-client"


def microseconds(work: Callable[[], Any]) -> float:
    """CPU time of one call, best of several runs."""
    work()
    calls = 1
    while True:
        start = time.process_time()
        for _ in range(calls):
            work()
        if time.process_time() - start > SECONDS_A_RUN:
            break
        calls *= 2
    best = float("inf")
    for _ in range(RUNS):
        start = time.process_time()
        for _ in range(calls):
            work()
        best = min(best, (time.process_time() - start) / calls)
    return best * 1e6


def request_frame(key: int, version: int, request: object) -> bytes:
    """A frame as a client sends it, without its length: written by kio."""
    kio_class = kio_request(key, version)
    body = BytesIO()
    write: Any = entity_writer(kio_class)
    write(body, to_kio(record_request(key), kio_class)(request))
    tags = b"\0" if is_flexible(kio_class) else b""
    start = HEADER_START.pack(key, version, 7, len(CLIENT))
    return start + CLIENT.encode() + tags + body.getvalue()


def produce_request(partitions: int, record_bytes: int) -> produce.ProduceRequest:
    data = [produce.PartitionProduceData(index, bytes(record_bytes)) for index in range(partitions)]
    topic = produce.TopicProduceData(partition_data=data, name="a-topic")
    return produce.ProduceRequest(None, -1, 30000, [topic])


def produce_response(partitions: int) -> produce.ProduceResponse:
    answers = [
        produce.PartitionProduceResponse(index, 0, 1234567, -1, 0) for index in range(partitions)
    ]
    return produce.ProduceResponse([produce.TopicProduceResponse(UUID(int=0), answers, "a-topic")])


def fetch_request(partitions: int) -> fetch.FetchRequest:
    asked = [fetch.FetchPartition(index, 3, 123456, -1, -1, 1 << 20) for index in range(partitions)]
    topic = fetch.FetchTopic(partitions=asked, topic="a-topic")
    return fetch.FetchRequest(
        max_wait_ms=500, min_bytes=1, max_bytes=1 << 25, session_epoch=0, topics=[topic]
    )


def fetch_response(partitions: int, record_bytes: int) -> fetch.FetchResponse:
    answers = [
        fetch.PartitionData(index, 0, 1234567, 1234567, 0, records=bytes(record_bytes))
        for index in range(partitions)
    ]
    topic = fetch.FetchableTopicResponse(partitions=answers, topic="a-topic")
    return fetch.FetchResponse(responses=[topic])


def metadata_response(topics: int, partitions: int) -> metadata.MetadataResponse:
    return metadata.MetadataResponse(
        brokers=[metadata.MetadataResponseBroker(1, "localhost", 9092, None)],
        cluster_id="a-cluster-of-one-broker",
        controller_id=1,
        topics=[
            metadata.MetadataResponseTopic(
                name=f"topic-{number}",
                topic_id=UUID(int=number + 1),
                partitions=[
                    metadata.MetadataResponsePartition(0, index, 1, 0, (1,), (1,), ())
                    for index in range(partitions)
                ],
            )
            for number in range(topics)
        ],
    )


def show(title: str, work: Callable[[], Any]) -> None:
    print(f"{title:<58} {microseconds(work):9.2f} us")


def main() -> None:
    metadata_request = metadata.MetadataRequest(
        topics=[metadata.MetadataRequestTopic(name=f"topic-{number}") for number in range(10)]
    )
    requests = {
        "Produce v9, 1 partition of 1 KB": (0, 9, produce_request(1, 1024)),
        "Produce v9, 1 partition of 64 KB": (0, 9, produce_request(1, 65536)),
        "Produce v7, 1 partition of 1 KB": (0, 7, produce_request(1, 1024)),
        "Produce v9, 10 partitions of 1 KB": (0, 9, produce_request(10, 1024)),
        "Fetch v12, 1 partition": (1, 12, fetch_request(1)),
        "Fetch v12, 10 partitions": (1, 12, fetch_request(10)),
        "Fetch v11, 1 partition": (1, 11, fetch_request(1)),
        "Metadata v12, 10 topics": (3, 12, metadata_request),
    }
    for title, (key, version, request) in requests.items():
        frame = request_frame(key, version, request)
        show(f"read request   {title}", partial(decode_request, frame))
    # For comparison: kio alone, to objects of its own.
    read: Any = entity_reader(kio_request(0, 9))
    frame = request_frame(*requests["Produce v9, 1 partition of 1 KB"])
    body_start = HEADER_START.size + len(CLIENT) + 1
    show("  kio alone    Produce v9, 1 partition of 1 KB", partial(read, frame, body_start))
    responses = {
        "Produce v9, 1 partition": (0, 9, produce_response(1)),
        "Produce v7, 1 partition": (0, 7, produce_response(1)),
        "Produce v9, 10 partitions": (0, 9, produce_response(10)),
        "Fetch v12, 1 partition of 64 KB": (1, 12, fetch_response(1, 65536)),
        "Fetch v12, 10 partitions of 64 KB": (1, 12, fetch_response(10, 65536)),
        "Fetch v11, 1 partition of 64 KB": (1, 11, fetch_response(1, 65536)),
        "Metadata v12, 10 topics of 10 partitions": (3, 12, metadata_response(10, 10)),
    }
    for title, (key, version, response) in responses.items():
        header = RequestHeader(key, version, 7, CLIENT)
        show(f"write response {title}", partial(encode_response, header, response))


if __name__ == "__main__":
    main()
