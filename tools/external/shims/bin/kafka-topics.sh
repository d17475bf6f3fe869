#!/bin/sh
# librdkafka's tests call Kafka's shell tools by this path; the work is done through a client.
exec "${KPROOF_PYTHON:-python3}" "$(dirname "$0")/../kafka_tools.py" topics "$@"
