"""The broker held to the specification: each step it takes is taken by a model in lock step.

The broker tells its steps (`kproof_impl.events`).  A *refinement map* per model says which actions
of the specification a step is, and where in the model's state the broker's stands.  The model, in
its open scope, takes those actions; if it refuses one, or has another state afterwards, broker and
specification disagree, and the court says so.

| module | |
|---|---|
| `court` | which map an event is for; what happened, for a report |
| `log_map` | a partition's log, on the model `log` |
| `group_map` | a consumer group, on the model `group`, variant `eager`; its offsets |
| `recording` | events as lines of a file, and back |
"""
