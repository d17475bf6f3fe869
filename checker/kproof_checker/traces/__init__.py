"""Traces: runs of a model that anyone can store, read, replay and explain."""
