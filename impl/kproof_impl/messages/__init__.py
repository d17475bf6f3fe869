"""What clients and broker say to each other, one record per message, whatever the version.

Each class has the fields of all versions that are served; a field that a version lacks has the
default that Kafka gives it.  Names are those of Kafka's message schemas, with times as numbers of
milliseconds (`_ms`), ids as `UUID`, arrays as any sequence.  `kproof_impl.wire` turns bytes of a
version into these and back; everything else in the broker knows no versions and no bytes.
"""
