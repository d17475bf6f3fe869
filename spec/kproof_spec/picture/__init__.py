"""The full picture, small: a topic over three brokers, a producer, and two groups that read it.

Every part of this has a model of its own that goes deeper: `replication` for how logs come to agree
when leadership moves, `group` for who reads what, `consumer` for what a commit promises, `log` for
retention.  Here they are joined with each part reduced to its promise, to show that the promises
fit together: what is acknowledged is kept when a broker dies, and each group reads all of it, in
order, at its own pace, whatever the other group does.

| module | what |
|---|---|
| `state` | what brokers, producer and groups hold |
| `composed` | the steps |
| `properties` | what must hold |
| `mutants` | one seam undone at a time |
"""
