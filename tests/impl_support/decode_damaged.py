"""A process of its own: decode damaged frames in little memory, and say how many were accepted.

    python decode_damaged.py SEED COUNT MEGABYTES

An abort of the process, a frame that takes over a second and any exception other than
MalformedRequest end it with another code than 0.
"""

import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from impl_support.frames import damaged_frames
from kproof_impl.wire.requests import MalformedRequest, decode_request


def main() -> None:
    seed, count, megabytes = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    accepted = 0
    for frame in damaged_frames(seed, count):
        start = time.process_time()
        try:
            decode_request(frame)
            accepted += 1
        except MalformedRequest:
            pass
        except BaseException:
            print("this frame fails:", frame.hex(), file=sys.stderr)
            raise
        # The first of a message has its module imported.
        if time.process_time() - start > 1:
            sys.exit(f"this frame takes {time.process_time() - start:.1f} s: {frame.hex()}")
    print(accepted)


main()
