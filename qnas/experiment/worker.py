"""What Dask loads in each worker process."""

from __future__ import annotations

import signal


def dask_setup(worker: object) -> None:
    """Leave Ctrl-C, which a terminal sends to all processes, to the main process; it stops its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
