"""The budgets of a space, checked on a design before anything is simulated for an objective or trained."""

from __future__ import annotations

from collections.abc import Mapping

from qnas.errors import DesignError, SpaceError, unknown
from qnas.objectives import Design, Objective
from qnas.objectives.objective import objectives

_OBJECTIVES = {"n_parameters": "parameters"}
"""Budgets that are called like the column of front.csv, not like the objective."""


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
    known = _OBJECTIVES.get(name, name)
    if known not in objectives or objectives[known].cost != "circuit":
        countable = [one for one in objectives if objectives[one].cost == "circuit"]
        raise SpaceError(unknown("budget", name, [*_OBJECTIVES, *countable]))
    return objectives[known]


def _number(value: int | float) -> str:
    """Such as 1.2e6, or with all digits where that would round."""
    short = f"{value:.6g}".replace("e+0", "e").replace("e+", "e")
    return short if float(short) == value else f"{value:,}"
