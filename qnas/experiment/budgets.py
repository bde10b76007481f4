"""The budgets of a space, checked on a design before anything is simulated for an objective or trained."""

from __future__ import annotations

from collections.abc import Mapping

from qnas.errors import DesignError, SpaceError, unknown
from qnas.objectives import Design, Objective
from qnas.objectives.objective import objectives

_NAMES = {"parameters": "n_parameters"}
"""Objectives whose budget is called like the column of front.csv."""


def check_budgets(budgets: Mapping[str, int | float], design: Design) -> None:
    """Check the counts of a design against the budgets of its space.

    Raises:
        DesignError: one is over its budget.
        SpaceError: a budget is not `n_parameters` nor an objective that needs only the circuit.
    """
    for name, bound in budgets.items():
        value = budgeted(name)(design).value
        if value > bound:
            raise DesignError(f"{name} is {_number(value)}, over the budget of {_number(bound)}.")


def budgeted(name: str) -> Objective:
    """The count that a budget is about. Raises SpaceError if there is none of that name."""
    countable = {_NAMES.get(one, one): objectives[one] for one in objectives if objectives[one].cost == "circuit"}
    if name not in countable:
        raise SpaceError(unknown("budget", name, countable))
    return countable[name]


def _number(value: int | float) -> str:
    """Such as 1.2e6, or with all digits where that would round."""
    short = f"{value:.6g}".replace("e+0", "e").replace("e+", "e")
    return short if float(short) == value else f"{value:,}"
