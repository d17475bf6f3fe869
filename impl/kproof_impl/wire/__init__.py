"""Bytes of Kafka's protocol to the records of `kproof_impl.messages` and back.

| module | |
|---|---|
| `apis` | which messages are served, in which versions |
| `frames`, `frame_memory` | a stream of bytes cut into frames, and the memory of large ones |
| `requests` | a frame to a header and a request |
| `responses` | a response to a frame |
| `produce`, `fetch`, `fetch_response` | the two that carry records: readers and writers by hand |
| `repeated_produce` | a faster twin for Produce requests that begin as an earlier one |
| `metadata_response` | the longest of all others: a writer by hand |
| `schema` | all others are read and written by kio: what its classes say |
| `scan` | the check of a body before kio reads it |
| `adapt`, `lifts` | kio's objects to our records and back; old shapes of messages |
| `kio_import` | kio without what comes along |
| `primitives`, `errors` | what the readers by hand and the scan share |

Nothing of a message is imported before the first such message comes: importing all takes a second.
"""
