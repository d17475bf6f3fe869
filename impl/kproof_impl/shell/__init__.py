"""Sockets, timers and threads around the broker's core: bytes to inputs, effects to bytes.

| module | |
|---|---|
| `server` | listens, keeps the time, hands inputs to the core and performs its effects |
| `connection` | one client's connection: frames in, answers out, and its limits |
| `limits` | how much one client, and all of them, may ask of this process |
| `listener` | binding a port, and what to say when it cannot be bound |
| `embedded` | a broker inside a program: `async with Broker()` or `with Broker()` |
| `clock`, `identifiers` | the time and new names |

Nothing is decided here: what a request means is the core's.
"""
