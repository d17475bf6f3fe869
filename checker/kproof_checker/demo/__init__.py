"""`kproof demo`: a broker, a real client and the specification, live.

| module | |
|---|---|
| `story` | what happens, and what has to be true of it |
| `client` | the processes that the story starts, and kills one of |
"""
