"""The broker: a small cluster that speaks the Kafka protocol. It is to come; nothing is here yet.

It will report what it did as events, which the checker holds against the specification. It never
imports `kproof_spec` or `kproof_checker`: it is a witness of its own.
"""
