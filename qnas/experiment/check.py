"""Mistakes in a search space, found by drawing and building designs; nothing is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from qnas.data import DataSettings
from qnas.errors import SpaceError
from qnas.experiment.budgets import budgeted
from qnas.experiment.evaluation import single_thread, splits_of
from qnas.experiment.probes import Workshop
from qnas.experiment.samples import Samples
from qnas.experiment.suspicions import RULES, notes
from qnas.model.training import TrainingSettings
from qnas.space import Space
from qnas.space.words import misspelt


@dataclass(frozen=True)
class Inspection:
    """What was found in a space.

    Attributes:
        mistakes: one sentence each, with what to do.
        notes: what is no mistake, but worth knowing.
        n_built: how many designs were built.
    """

    mistakes: tuple[str, ...]
    notes: tuple[str, ...]
    n_built: int


def find_mistakes(
    space: Space,
    data: DataSettings | None = None,
    *,
    training: TrainingSettings | None = None,
    n_designs: int = 100,
    seed: int = 0,
    watch: Callable[[int], None] = lambda n_built: None,
) -> Inspection:
    """Find what is wrong with a space.

    Values that no valid design has, or that nothing reads; genes that never change the network; circuits that ignore
    inputs, or all of their weights; designs that cannot be built; budgets that no design meets, or that do not exist.

    Args:
        space: what is checked.
        data: what designs are built for; digits by default.
        training: its configuration counts, e.g. "pqc" leaves the circuit alone.
        n_designs: how many are drawn at random; more are built for the values of each gene.
        seed: of the designs that are drawn.
        watch: called with the number of designs that have been built, after each.

    Raises:
        UsageError: of the data.
    """
    wrong = dict(_wrong_budgets(space))
    known = Space.of(space.tree).within(**{name: bound for name, bound in space.bounds if name not in wrong})
    workshop = Workshop(known, splits_of(data or DataSettings()), training or TrainingSettings(), watch)
    samples = Samples(known, workshop, np.random.default_rng(seed))
    mistakes = [*misspelt(space.tree), *wrong.values()]
    try:
        with single_thread():
            samples.draw(n_designs)
            for rule in RULES:
                mistakes += rule(samples)
    except SpaceError as error:  # no design is valid, or a constraint cannot be judged
        mistakes.append(str(error))
    return Inspection(tuple(mistakes), tuple(notes(samples)), workshop.n_built)


def _wrong_budgets(space: Space) -> Iterator[tuple[str, str]]:
    for name in space.budgets:
        try:
            budgeted(name)
        except SpaceError as error:
            yield name, str(error)
