"""Which designs of a space a run may evaluate, told before anything is trained."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from qnas.architecture import Architecture
from qnas.circuit.build import n_inputs
from qnas.data import Splits
from qnas.errors import DesignError, OverBudgetError, TooManyFeaturesError
from qnas.experiment.budgets import check_budgets, check_circuit
from qnas.model.training import TrainingSettings, effective
from qnas.objectives import Design
from qnas.space import Genotype, Space

EXCLUSIONS = (TooManyFeaturesError, OverBudgetError)
"""What keeps a design from being asked; whatever else is wrong with one becomes the state of its evaluation."""


class Candidates:
    """Tells the networks of a space apart, and leaves out those that cannot take the data or are over a budget.

    What is found about a network is kept, because a searcher meets most of them several times.
    """

    def __init__(self, space: Space, splits: Splits, training: TrainingSettings) -> None:
        self._space, self._splits, self._training = space, splits, training
        self._found: dict[str, DesignError | None] = {}

    def network_of(self, genotype: Genotype) -> str | None:
        """The fingerprint of the network that a genotype means; None if it is not to be evaluated."""
        architecture = effective(self._space.decode(genotype), self._training.configuration)
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
        except Exception:  # noqa: BLE001 - a part of the user's may raise anything
            pass
        return None


def check_candidate(
    budgets: Mapping[str, int | float], architecture: Architecture, splits: Splits, training: TrainingSettings
) -> None:
    """Check whether a network may be evaluated, the cheapest way first; it is built only if there are budgets.

    Raises:
        TooManyFeaturesError: it cannot take the features of the data.
        OverBudgetError: it is over a budget.
    """
    n_inputs(architecture, splits.n_features)
    if budgets:
        check_circuit(budgets, architecture, splits.n_features, splits.n_outputs)
        check_budgets(budgets, Design(architecture, splits, training))


def exclusions(errors: Iterable[DesignError]) -> str:
    """How many designs each budget, or the data, excluded, the most frequent first, each with the nearest miss."""
    groups: dict[str, list[DesignError]] = defaultdict(list)
    for error in errors:
        what = f"the budget {error.budget}" if isinstance(error, OverBudgetError) else "the number of features"
        groups[what].append(error)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    return "; ".join(f"{what} excluded {len(found):,} (at best: {_nearest(found)})" for what, found in ordered)


def _nearest(errors: list[DesignError]) -> str:
    return str(min(errors, key=lambda error: getattr(error, "excess", 0.0))).rstrip(".")
