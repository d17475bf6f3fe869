"""The broker as a pure machine: events and the time go in, effects come out.

Nothing here knows a socket, a file, a thread, a clock or a random number.  What it needs of them it
is given: the time with each event, logs and identifiers through `kproof_impl.core.ports`.
"""
