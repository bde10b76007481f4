"""Which designs of a space a run may evaluate, told before anything is trained."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np

from qnas.architecture import Architecture
from qnas.circuit.build import design_circuit, n_inputs
from qnas.circuit.parts import part_of, takes
from qnas.circuit.readouts import readouts
from qnas.data import Splits
from qnas.errors import DesignError, OutputCountError, OverBudgetError, TooManyFeaturesError
from qnas.experiment.budgets import check_budgets, check_circuit
from qnas.model.training import TrainingSettings, effective
from qnas.objectives import Design
from qnas.space import Genotype, Space

EXCLUSIONS = (TooManyFeaturesError, OutputCountError, OverBudgetError)
"""What keeps a design from being asked; whatever else is wrong with one becomes the state of its evaluation."""
_OF_DATA = {TooManyFeaturesError: "the number of features", OutputCountError: "the number of outputs"}
_N_REMEMBERED = 10_000
"""For so many genotypes the network is known at once; a searcher asks for that of most several times in a row."""
_N_OUTPUTS = 2
"""What readouts that depend on the number of outputs can give if any."""


class Candidates:
    """Tells the networks of a space apart, and leaves out those that do not fit the data or are over a budget.

    What is found about a network is kept, because a searcher meets most of them several times.
    """

    def __init__(self, space: Space, splits: Splits, training: TrainingSettings) -> None:
        self._space, self._splits, self._training = space, splits, training
        self._found: dict[str, DesignError | None] = {}
        self._network_of = lru_cache(_N_REMEMBERED)(self._identified)

    def network_of(self, genotype: Genotype) -> str | None:
        """The fingerprint of the network that a genotype means; None if it is not to be evaluated."""
        return self._network_of(tuple(genotype.tolist()))

    def _identified(self, genotype: tuple[int, ...]) -> str | None:
        architecture = effective(self._space.decode(np.array(genotype)), self._training.configuration)
        fingerprint = architecture.fingerprint
        if fingerprint not in self._found:
            self._found[fingerprint] = self._exclusion(architecture)
        return fingerprint if self._found[fingerprint] is None else None

    def excluded(self) -> str:
        """What excluded how many networks so far; see `exclusions`."""
        return exclusions(error for error in self._found.values() if error is not None)

    def _exclusion(self, architecture: Architecture) -> DesignError | None:
        try:
            check_candidate(self._space.budgets, architecture, self._splits, self._training)
        except EXCLUSIONS as error:
            return error.with_traceback(None)  # which would keep the model alive
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - a part of the user's may raise anything, also a panic in Rust
            pass
        return None


def check_candidate(
    budgets: Mapping[str, int | float], architecture: Architecture, splits: Splits, training: TrainingSettings
) -> None:
    """Check whether a network may be evaluated, the cheapest way first; it is built only if there are budgets.

    Raises:
        TooManyFeaturesError: it cannot take the features of the data.
        OutputCountError: it cannot give their outputs, though it can give two.
        OverBudgetError: it is over a budget.
    """
    n_inputs(architecture, splits.n_features)
    _check_readout(architecture, splits)
    if budgets:
        check_circuit(budgets, architecture, splits.n_features, splits.n_outputs)
        check_budgets(budgets, Design(architecture, splits, training))


def _check_readout(architecture: Architecture, splits: Splits) -> None:
    if not takes(readouts[part_of(architecture, "readout", default="z")["name"]], "n_outputs"):
        return
    try:
        design_circuit(architecture, splits.n_features, splits.n_outputs)
    except DesignError as error:
        design_circuit(architecture, splits.n_features, _N_OUTPUTS)  # fails, too, if the data are not to blame
        raise OutputCountError(str(error)) from error


def exclusions(errors: Iterable[DesignError]) -> str:
    """How many designs each budget, or the data, excluded, the most frequent first, each with the nearest miss."""
    groups: dict[str, list[DesignError]] = defaultdict(list)
    for error in errors:
        of_budget = f"the budget {error.budget}" if isinstance(error, OverBudgetError) else ""
        groups[of_budget or _OF_DATA[type(error)]].append(error)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    return "; ".join(f"{what} excluded {len(found):,} (at best: {_nearest(found)})" for what, found in ordered)


def _nearest(errors: list[DesignError]) -> str:
    return str(min(errors, key=lambda error: getattr(error, "excess", 0.0))).rstrip(".")
