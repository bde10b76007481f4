"""Constraints on objectives, such as "accuracy >= 0.9": designs that meet them go before all that do not."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qnas.errors import ConfigurationError, unknown
from qnas.objectives.objective import Objective

_FORM = re.compile(r"\s*(\w+)\s*(<=|>=)\s*(\S+)\s*")


@dataclass(frozen=True)
class Constraint:
    """A bound on the values of an objective, in their natural sign and unit.

    Attributes:
        name: of the objective.
        sense: "<=" or ">=".
        bound: the last value that is allowed.
    """

    name: str
    sense: str
    bound: float

    @classmethod
    def parse(cls, text: str, names: Iterable[str]) -> Constraint:
        """The constraint that a text such as "flops <= 1e6" means.

        Raises:
            ConfigurationError: the text has another form, its number is none, or its name is not among `names`.
        """
        found = _FORM.fullmatch(text)
        bound = _number(found[3]) if found else math.nan
        if found is None or math.isnan(bound):
            raise ConfigurationError(
                f"objectives.constraints has {text!r}; a constraint reads like 'accuracy >= 0.9' or 'flops <= 1e6'."
            )
        if found[1] not in (allowed := list(names)):
            advice = "A constraint is on an objective of the run; a space bounds further counts by .within(...)."
            raise ConfigurationError(unknown("objective in objectives.constraints,", found[1], allowed, advice))
        return cls(found[1], found[2], bound)

    def violation(self, values: Mapping[str, int | float]) -> float:
        """How far a value is beyond the bound, in units of the bound (of 1 for a bound of 0); 0 if it is not."""
        beyond = values[self.name] - self.bound if self.sense == "<=" else self.bound - values[self.name]
        return max(0.0, beyond / (abs(self.bound) or 1.0))

    def __str__(self) -> str:
        return f"{self.name} {self.sense} {self.bound:g}"


def constraints_of(texts: Iterable[str], objectives: Iterable[Objective]) -> tuple[Constraint, ...]:
    """The constraints of a run. Raises ConfigurationError if one cannot be read, or is on none of its objectives."""
    names = [objective.name for objective in objectives]
    return tuple(Constraint.parse(text, names) for text in texts)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan
