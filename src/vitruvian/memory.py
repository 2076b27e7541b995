"""How the process holds memory."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # names of glibc's mallopt
_LARGEST = 2**31 - 1
_MARGIN = 64 << 20
_DEFAULT_THRESHOLD = 128 << 10


def keep_freed_memory(keep: bool = True) -> bool:
    """Tell the C library to keep large freed blocks for the next layer in place of giving them back to the system.

    A generator frees and asks for the same hundred megabytes at every layer, and the system clears every page anew: on
    a CPU that is a third of the time of a large picture. It concerns the whole process, so programs decide, not the
    library; the command line calls it first.

    Args:
        keep: False for the C library's own rule.

    Returns:
        Whether the C library took the advice (glibc does; elsewhere nothing changes).
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    threshold, margin = (_LARGEST, _MARGIN) if keep else (_DEFAULT_THRESHOLD, 0)
    settings = {_MMAP_THRESHOLD: threshold, _TRIM_THRESHOLD: threshold, _TOP_PAD: margin}
    return all(bool(mallopt(option, value)) for option, value in settings.items())
