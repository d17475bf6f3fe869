"""From plain functions to decision DAGs: what every engine but CPython is made from.

`terms` are the expressions over a state's leaves; `symbolic` are the stand-ins that a function runs
on; `paths` runs it once for each path; `domains` knows which paths are possible; `decisions` is
the result.  `extract` puts them together.
"""
