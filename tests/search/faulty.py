"""A space whose front is known, and what a searcher finds of it."""

from collections import deque

import numpy as np

from qnas.search import SearchSettings, make_searcher
from qnas.space import Space, boolean, choice, integer

N_BITS = 5
faulty = Space(size=integer(0, 9), kind=choice("p", "q", "r"), **{f"bit{k}": boolean() for k in range(N_BITS)})
"""Losses (size + faults, 9 - size + faults): the front is faultless, one design for each of the 10 sizes."""


def losses_of(genotypes):
    faults = [g[1] + sum(g[2:]) for g in genotypes]
    return np.array([[g[0] + f, 9 - g[0] + f] for g, f in zip(genotypes, faults, strict=True)], dtype=float)


def told(searcher, failing=lambda g: False, losses_of=losses_of):
    """All designs that a searcher asks for, with as many batches pending as it allows."""
    pending, asked = deque(), []
    while True:
        while len(pending) < searcher.max_pending and (batch := searcher.ask()):
            pending.append(batch)
            asked += batch
        if not pending:
            return asked
        genotypes = pending.popleft()
        failed = np.array([bool(failing(g)) for g in genotypes])
        losses = np.where(failed[:, None], np.nan, losses_of(genotypes))
        searcher.tell(genotypes, losses, np.where(failed, np.inf, 0.0))


def front_found(name, seed, failing=lambda g: False, **settings):
    """The sizes of the front that 200 evaluations find."""
    searcher = make_searcher(SearchSettings(name, population=20, generations=10, **settings), faulty, 2, seed)
    return {int(g[0]) for g in told(searcher, failing) if not g[1:].any() and not failing(g)}
