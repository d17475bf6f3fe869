"""Two workers against one, and against what two cores of this machine can give.

Cores that are shared, or that slow each other down, cannot give twice the speed of one to anything.
So two searches of one worker each are also run at once, as processes that share nothing: what they
get together is all that there is.
"""

from __future__ import annotations

from measure import Apart, Report, apart, options

SCOPE = {"replicas": 3, "log_size": 2, "max_records": 2, "max_leader_epoch": 3}


def both_at_once() -> float:
    """The seconds until two separate searches, begun together, are both done."""
    searches = [Apart(SCOPE), Apart(SCOPE)]
    for search in searches:
        search.go()
    return max(search.loop().wall_seconds for search in searches)


def main() -> None:
    """Measures and prints.  The three kinds take turns, so that a slow minute hits them alike."""
    given = options(__doc__)
    report = Report("Workers: replication with KIP-320, seconds by the clock", is_json=given.json)
    ones, twos, apart_seconds = [], [], []
    states = 0
    for _ in range(given.runs):
        one = apart(SCOPE)
        two = apart(SCOPE, workers=2)
        assert one.states == two.states
        states = one.states
        ones.append(one.wall_seconds)
        twos.append(two.wall_seconds)
        apart_seconds.append(both_at_once())

    speed_up = min(ones) / min(twos)
    capacity = 2 * min(ones) / min(apart_seconds)
    report.add(f"one worker, {states:,} states", min(ones), "seconds")
    report.add("two workers, the same", min(twos), "seconds")
    report.add("two processes of one worker at once", min(apart_seconds), "seconds")
    report.add("two workers against one", speed_up, "times", "at least 1.6 on two free cores")
    report.add("two processes against one", capacity, "times: what this machine can give")
    report.add("of that, two workers get", 100 * speed_up / capacity, "percent")
    report.show()


if __name__ == "__main__":
    main()
