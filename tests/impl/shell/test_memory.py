"""A process that serves keeps the memory of large requests."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from kproof_impl.shell.memory import keep_large_buffers
if sys.argv[1] == "kept":
    assert keep_large_buffers()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
bytearray(1 << 20)
before = faults()
for _ in range(50):
    bytearray(1 << 20)
print(faults() - before)
"""


def page_faults(how: str) -> int:
    command = [sys.executable, "-c", FAULTS, how]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_large_buffers_are_used_again_where_they_would_be_mapped_anew() -> None:
    assert page_faults("kept") * 10 < page_faults("as it is")
