"""What can go wrong, as one tree.

QnasError
├── UsageError             the user can mend it; the command line exits with 2
│   ├── ConfigurationError     a key or value of the configuration
│   ├── PluginError            a part, space or objective that cannot be found or loaded
│   ├── SpaceError             a search space that says something impossible
│   ├── DataError              a data set that cannot be used as it is
│   ├── CircuitError           a circuit, or a call with it, that qnas cannot simulate
│   │   ├── MemoryBudgetError      too many qubits for the memory
│   │   └── NotFiniteError         numbers that are not finite reached a circuit
│   └── RunFolderError         a run folder that holds something else
├── DesignError            an architecture that names no network
│   ├── TooManyFeaturesError   more features than its encoding takes
│   ├── OutputCountError       a number of outputs that its readout cannot give
│   └── OverBudgetError        a count over a budget of its space
└── RunError               a run failed; the command line exits with 1
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class QnasError(Exception):
    """Base of everything qnas raises on purpose; its text is one sentence for the user."""


class UsageError(QnasError):
    """A mistake that the user can mend."""


class ConfigurationError(UsageError):
    """A key or a value of the configuration is wrong."""


class PluginError(UsageError):
    """A part, space or objective cannot be found or loaded."""


class SpaceError(UsageError):
    """A search space says something impossible."""


class DataError(UsageError):
    """A data set cannot be used as it is."""


class CircuitError(UsageError):
    """A circuit, or a call with it, that qnas cannot simulate."""


class MemoryBudgetError(CircuitError):
    """A circuit needs more memory than there is."""


class NotFiniteError(CircuitError, FloatingPointError):
    """Numbers that are not finite reached a circuit, e.g. because training diverged."""


class RunFolderError(UsageError):
    """A run folder holds something else than what was asked for."""


class DesignError(QnasError):
    """An architecture names no network that can be built."""


class TooManyFeaturesError(DesignError):
    """The data have more features than the encoding of an architecture takes."""


class OutputCountError(DesignError):
    """The data have a number of outputs that the readout of an architecture cannot give."""


class OverBudgetError(DesignError):
    """A count of an architecture is over a budget of its space; `excess` is the count in units of that budget."""

    def __init__(self, sentence: str, budget: str, excess: float) -> None:
        super().__init__(sentence)
        self.budget = budget
        self.excess = excess


class RunError(QnasError):
    """A run failed."""


def unknown(kind: str, value: object, allowed: Iterable[object], advice: str = "") -> str:
    """The sentence for a name that is not known: the value, the nearest valid name, all valid names, what to do."""
    names = [str(name) for name in allowed]
    nearest = difflib.get_close_matches(str(value), names, n=1, cutoff=0.5)
    guess = f"did you mean {nearest[0]!r}? " if nearest else ""
    listed = ", ".join(names) if names else "none"
    return f"unknown {kind} {str(value)!r}: {guess}Allowed: {listed}." + (f" {advice}" if advice else "")
