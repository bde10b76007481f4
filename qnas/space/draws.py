"""Random draws: whole numbers of any size, and designs that satisfy their constraints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from qnas.architecture import Architecture
from qnas.errors import SpaceError
from qnas.space.codec import Constraint

MAX_REJECTED = 10_000
"""After so many invalid draws in a row a space counts as having no valid design."""


def below(rng: np.random.Generator, bound: int) -> int:
    """A uniform whole number from 0 to `bound` - 1; the bound may exceed 64 bits."""
    n_bits = max(1, (bound - 1).bit_length())
    n_bytes = (n_bits + 7) // 8
    while (number := int.from_bytes(rng.bytes(n_bytes)) >> (8 * n_bytes - n_bits)) >= bound:
        pass
    return number


def first_valid(
    draw: Callable[[], Architecture], broken: Callable[[Architecture], Iterable[Constraint]]
) -> Architecture:
    """The first drawn architecture that breaks no constraint.

    Raises:
        SpaceError: there was none in 10,000 draws; the sentence says how many each constraint excluded.
    """
    excluded: Counter[str] = Counter()
    for _ in range(MAX_REJECTED):
        architecture = draw()
        reasons = {constraint.because for constraint in broken(architecture)}
        if not reasons:
            return architecture
        excluded.update(reasons)
    listed = "; ".join(f"{because!r} excluded {n:,}" for because, n in excluded.most_common())
    raise SpaceError(f"none of {MAX_REJECTED:,} designs drawn from the space is valid: {listed}. Relax a constraint.")
