"""Engines: what visits states.  All give the same counts, verdicts and trace lengths.

`base` is the interface; `python_engine` runs the functions as they are and is the ground truth;
`numpy_engine` runs the decision DAGs over many states at once; `native` compiles them to machine
code; `choice` picks.
"""
