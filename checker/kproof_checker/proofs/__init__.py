"""Proofs about pure functions of the specification, for all their arguments at once."""
