"""Print the bytes that one step adds to a process that has done nothing before.

They are the peak resident set of the process after the step, less the resident set when all is imported and the circuit
is built: an upper bound, which includes what libraries load at their first call.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import psutil

from benchmarks.implementations import IMPLEMENTATIONS, Case


def main(name: str, *sizes: str) -> None:
    """Build the named implementation of a case, and do one step."""
    (implementation,) = (one for one in IMPLEMENTATIONS if one.name == name)
    step = implementation.make(Case(*map(int, sizes)))
    before = psutil.Process().memory_info().rss
    step()
    print(_peak() - before)


def _peak() -> int:
    """Bytes. Linux hands ru_maxrss down from the process that starts another, so its own record is read there."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
