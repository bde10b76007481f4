"""The loop of a run, without the run: searchers are asked and told as their contract says."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from qnas.search import Searcher
from qnas.space import Genotype


def drive(
    searcher: Searcher,
    begin: Callable[[list[Genotype]], object],
    results: Callable[[list[Genotype]], tuple[np.ndarray, np.ndarray]],
) -> None:
    """Ask until `max_pending` batches are pending, tell the oldest one, until there is nothing to ask.

    Args:
        searcher: newly made.
        begin: is called with every batch when it is asked.
        results: the losses and violations of a batch; is called when the batch is the oldest.
    """
    pending: deque[list[Genotype]] = deque()
    while True:
        while len(pending) < searcher.max_pending and (batch := searcher.ask()):
            begin(batch)
            pending.append(batch)
        if not pending:
            return
        oldest = pending.popleft()
        searcher.tell(oldest, *results(oldest))
