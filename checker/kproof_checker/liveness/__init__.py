"""Liveness: what must come true at last, on every fair run.

`state_graph` holds the reachable states and steps as arrays; `fair` finds a part of the graph in
which a fair run can stay for ever; `lasso` makes a short run of it that is checked in CPython;
`ranges` finds actions that only a bound of the scope keeps from happening; `judge` puts them
together.
"""
