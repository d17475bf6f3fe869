"""Logs on files, in Kafka's own formats: segments, indexes, producer state, recovery.

`partition_log` and `log_store` are what the core asks for by `core.ports`; `files` is what they
ask of the world: real files, memory, or files that fail on purpose.
"""
