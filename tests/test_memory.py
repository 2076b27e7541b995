from __future__ import annotations

import subprocess
import sys

import pytest

# Page faults of a large tensor that comes and goes, with the C library's own rule and then with ours; in a process of
# its own, since memory once kept stays.
_SCRIPT = """
import resource, torch
from vitruvian.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(64 << 20, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
plain = faults()
taken = keep_freed_memory()
faults()
print(int(taken), plain, faults())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_freed_memory_is_not_asked_for_again() -> None:
    answer = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    taken, plain, kept = map(int, answer.stdout.split())
    if not taken:
        pytest.skip("this C library has no mallopt")
    assert plain > 10_000
    assert kept < plain / 10
