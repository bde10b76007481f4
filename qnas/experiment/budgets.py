"""The budgets of a space, checked on a design before anything is simulated for an objective or trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf

from qnas.architecture import Architecture
from qnas.circuit.build import DesignCircuit, coupling_name, design_circuit
from qnas.errors import OverBudgetError, SpaceError, unknown
from qnas.model.couplings import Classical, couplings
from qnas.objectives import Design, Objective
from qnas.objectives.flops import program_flops, readout_flops
from qnas.objectives.objective import objectives

_NAMES = {"parameters": "n_parameters"}
"""Objectives whose budget is called like the column of front.csv."""

_LEAST: dict[str, Callable[[DesignCircuit], int]] = {
    "qubits": lambda design: int(design.circuit.num_qubits),
    "depth": lambda design: int(design.circuit.depth()),
    "n_parameters": lambda design: len(design.weights),
    "flops": lambda design: program_flops(design.program) + readout_flops(design.observables),
}
"""What a model with this circuit has at least, without simulating or building it."""


def check_budgets(budgets: Mapping[str, int | float], design: Design) -> None:
    """Check the counts of a design against the budgets of its space.

    Raises:
        OverBudgetError: one is over its budget.
        SpaceError: a budget is not `n_parameters` nor an objective that needs only the circuit.
    """
    for name, bound in budgets.items():
        _check(name, budgeted(name)(design).value, bound)


def check_circuit(
    budgets: Mapping[str, int | float], architecture: Architecture, n_features: int, n_outputs: int
) -> None:
    """Check the budgets that the circuit alone is over, however large it is; the model is not built.

    Only for couplings of qnas itself, since another one may leave the circuit out, as the classical control does.

    Raises:
        OverBudgetError: one is over its budget.
        QnasError: the architecture names no circuit.
    """
    coupling = couplings[coupling_name(architecture)]
    own = getattr(coupling, "__module__", "").startswith("qnas.")
    if coupling is Classical or not own or not budgets.keys() & _LEAST.keys():
        return
    design = design_circuit(architecture, n_features, n_outputs)
    for name in (name for name in _LEAST if name in budgets):
        _check(name, _LEAST[name](design), budgets[name], at_least=name in ("n_parameters", "flops"))


def budgeted(name: str) -> Objective:
    """The count that a budget is about. Raises SpaceError if there is none of that name."""
    countable = {_NAMES.get(one, one): objectives[one] for one in objectives if objectives[one].cost == "circuit"}
    if name not in countable:
        raise SpaceError(unknown("budget", name, countable))
    return countable[name]


def _check(name: str, value: int | float, bound: int | float, *, at_least: bool = False) -> None:
    if value > bound:
        found = f"at least {_number(value)}" if at_least else _number(value)
        sentence = f"{name} is {found}, over the budget of {_number(bound)}."
        raise OverBudgetError(sentence, name, value / bound if bound else inf)


def _number(value: int | float) -> str:
    """Such as 1.2e6, or with all digits where that would round."""
    short = f"{value:.6g}".replace("e+0", "e").replace("e+", "e")
    return short if float(short) == value else f"{value:,}"
