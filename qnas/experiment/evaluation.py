"""Evaluate one architecture: objectives from the cheapest to the dearest; every failure is a state with a sentence."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import Enum
from functools import lru_cache
from math import isfinite
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import ThreadpoolController

from qnas.architecture import Architecture
from qnas.config import ObjectiveSettings
from qnas.data import DataSettings, Splits, load_splits
from qnas.errors import CircuitError, DesignError, MemoryBudgetError, NotFiniteError, PluginError, QnasError
from qnas.experiment.budgets import check_budgets
from qnas.front.tables import as_json
from qnas.model.training import WHOLE, Stretch, TrainingSettings
from qnas.model.weights import weights_to_bytes
from qnas.objectives import Design, Objective, choose_objectives
from qnas.objectives.constraint import constraints_of
from qnas.objectives.objective import COSTS, TRAINED
from qnas.simulation import SimulationSettings, make_simulator
from qnas.space import load_space


class State(Enum):
    """How an evaluation ended; the value is what the ledger and messages say."""

    COMPLETE = "complete"
    INVALID = "the design cannot be built, or is over a budget"
    NOT_A_NUMBER = "not a number"
    OUT_OF_MEMORY = "out of memory"
    OUT_OF_TIME = "out of time"
    ERROR = "an objective or part raised"
    LOST = "the worker could not evaluate it"
    EXCLUDED = "excluded by a constraint before training"

    @property
    def about_design(self) -> bool:
        """Whether this says something about the design, and not about the machine, which may do better next time."""
        return self not in (State.LOST, State.OUT_OF_MEMORY, State.OUT_OF_TIME)


@dataclass(frozen=True)
class Task:
    """All that one evaluation depends on, plain and picklable."""

    architecture: Architecture
    space: str
    data: DataSettings
    objectives: ObjectiveSettings
    simulation: SimulationSettings
    training: TrainingSettings
    seed: int
    repeat: int = 0
    stretch: Stretch = WHOLE
    begun: Evaluation | None = None
    """What a shorter training found; its values of objectives that need no training are taken over."""


@dataclass(frozen=True)
class Evaluation:
    """What came of evaluating one architecture.

    Attributes:
        architecture: as evaluated.
        state: how it ended; values are complete only for `State.COMPLETE`.
        values: by objective, in its natural sign and unit.
        errors: standard errors, where a value is an estimate.
        details: what else the objectives reported, by objective.
        reason: for a failure, one sentence that begins with the objective's name where one raised; with a traceback
            unless qnas raised it.
        n_parameters, n_live_weights: all weights of the model; circuit weights that its readout depends on
            (of the control: those of the circuit that it stands for).
        remark: a warning about inputs and weights that have no effect.
        seconds: wall-clock, for information only.
        seed: of the run that evaluated it.
        stopped_at: the epoch after which training was not continued; None if it went on to its own end.
        reused: the folder of the earlier run that it was taken from; empty if it was evaluated in this one.
        weights: of the trained model, as a safetensors file.
        checkpoint: where training may be taken up again, if it was stopped.
    """

    architecture: Architecture
    state: State
    values: Mapping[str, int | float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reason: str = ""
    n_parameters: int = 0
    n_live_weights: int = 0
    remark: str = ""
    seconds: float = 0.0
    seed: int = 0
    stopped_at: int | None = None
    reused: str = ""
    weights: bytes | None = field(default=None, repr=False)
    checkpoint: bytes | None = field(default=None, repr=False)

    @property
    def complete(self) -> bool:
        """Whether every objective has a value."""
        return self.state is State.COMPLETE


class _UnpreparedError(Exception):
    """The space, the objectives or the data cannot be loaded, though the search itself has loaded them."""


class _InvalidDesignError(Exception):
    """The architecture names no network."""


class _ExcludedError(Exception):
    """A constraint does not hold, whatever training would give."""


class _ObjectiveError(Exception):
    """The objective of this name raised the cause."""


_STATES: tuple[tuple[type[BaseException], State], ...] = (
    (MemoryBudgetError, State.OUT_OF_MEMORY),
    (MemoryError, State.OUT_OF_MEMORY),
    (FloatingPointError, State.NOT_A_NUMBER),
    (_UnpreparedError, State.LOST),
    (_InvalidDesignError, State.INVALID),
    (_ExcludedError, State.EXCLUDED),
    (QnasError, State.ERROR),
)


def evaluate(task: Task) -> Evaluation:
    """Evaluate one architecture in this process, on one thread. Never raises for what the candidate does."""
    started = time.perf_counter()
    partial: dict[str, Any] = {"values": {}, "errors": {}, "details": {}}
    try:
        with single_thread():
            _measure(task, partial)
        state, reason = State.COMPLETE, ""
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a candidate raises is its state, also a panic in Rust
        state, reason = failure(error)
    seconds = time.perf_counter() - started
    seconds += task.begun.seconds if task.begun else 0.0
    return Evaluation(task.architecture, state, reason=reason, seconds=seconds, seed=task.seed, **partial)


def failure(error: BaseException) -> tuple[State, str]:
    """The state and the sentence for what an evaluation raised; a traceback follows where qnas did not raise it."""
    if isinstance(error, _ObjectiveError) and error.__cause__ is not None:
        state, reason = failure(error.__cause__)
        return state, f"{error}: {reason}"
    for kind, state in _STATES:
        if isinstance(error, kind):
            return state, str(error) or type(error).__name__
    if isinstance(error, RuntimeError) and "can't allocate memory" in str(error):  # torch has no class for it
        return State.OUT_OF_MEMORY, str(error)
    return State.ERROR, f"{type(error).__name__}: {error}\n{''.join(traceback.format_exception(error))}"


def _measure(task: Task, partial: dict[str, Any]) -> None:
    """Fill in values as they come, so that a failure keeps what was measured before it."""
    with _preparing():
        space = load_space(task.space)  # first, since a space in a file may bring parts of its own
        objectives = choose_objectives(task.objectives.names, task.objectives.add, task.objectives.options)
        splits = splits_of(task.data)
    with _building():
        design = Design(
            task.architecture,
            splits,
            task.training,
            seed=task.seed,
            repeat=task.repeat,
            simulator=lambda seed: make_simulator(task.simulation, seed=seed),
            stretch=task.stretch,
        )
        model = design.initial_model()
        partial["n_parameters"] = model.n_parameters
        check_budgets(space.budgets, design)
    partial["n_live_weights"] = int(design.builder.live_weights.sum()) * max(len(model.quantum_layers), 1)
    partial["remark"] = design.builder.remark
    cheapest_first = sorted(objectives, key=lambda objective: COSTS.index(objective.cost))
    free = [objective for objective in cheapest_first if objective.cost != TRAINED]
    for objective in free:
        if task.begun is None:
            _measure_one(objective, design, partial)
        else:
            _take_over(objective.name, task.begun, partial)
    _check_constraints(task.objectives.constraints, objectives, partial["values"])
    for objective in cheapest_first[len(free) :]:
        _measure_one(objective, design, partial)
    spent = design.spent
    if spent.n_circuits:
        partial["details"]["simulation"] = asdict(spent)
    if "trained" in vars(design):
        trained = design.trained
        partial["weights"] = weights_to_bytes(trained.model)
        if not trained.ended:
            partial |= {"stopped_at": task.stretch.until, "checkpoint": trained.checkpoint}


def _take_over(name: str, begun: Evaluation, partial: dict[str, Any]) -> None:
    for field_name in ("values", "errors", "details"):
        kept = getattr(begun, field_name)
        if name in kept:
            partial[field_name][name] = kept[name]


def _check_constraints(texts: Sequence[str], objectives: Sequence[Objective], values: Mapping[str, Any]) -> None:
    """Raise _ExcludedError if what needs no training breaks a constraint already, and there is something to train."""
    if len(values) == len(objectives):
        return
    known = [constraint for constraint in constraints_of(texts, objectives) if constraint.name in values]
    broken = [f"{one.name} is {values[one.name]:g}, not {one}" for one in known if one.violation(values) > 0]
    if broken:
        raise _ExcludedError(f"{' and '.join(broken)}.")


@contextmanager
def _preparing() -> Iterator[None]:
    """Here, and only here, an error is of the machine, such as a file that is not there, and not of the design."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        reason = f"its process cannot load the space, the objectives or the data: {failure(error)[1]}"
        raise _UnpreparedError(reason) from error


@contextmanager
def _building() -> Iterator[None]:
    """Here, and only here, an error of the design, its parts or its circuit means that it names no network."""
    try:
        yield
    except (MemoryBudgetError, NotFiniteError):
        raise
    except (DesignError, CircuitError, PluginError) as error:
        raise _InvalidDesignError(str(error)) from error


def _measure_one(objective: Objective, design: Design, partial: dict[str, Any]) -> None:
    try:
        estimate = objective(design)
        value = plain_number(estimate.value)
        error = None if estimate.standard_error is None else float(estimate.standard_error)
        details = as_json(estimate.details)
        if not isfinite(value):
            raise FloatingPointError(f"the value is {value}.")
    except KeyboardInterrupt:
        raise
    except BaseException as problem:
        raise _ObjectiveError(objective.name) from problem
    partial["values"][objective.name] = value
    if error is not None:
        partial["errors"][objective.name] = error
    if details:
        partial["details"][objective.name] = details


def plain_number(value: Any) -> int | float:
    """A count as an int, anything else as a float, also from numpy and torch; the ledger is JSON."""
    return int(value) if isinstance(value, Integral) else float(value)


def splits_of(settings: DataSettings) -> Splits:
    """The splits, loaded once per process and again once a file of theirs has changed.

    They are loaded on one thread, so that they are the same in every process.
    """
    return _splits_of(settings, (_version(settings.name), _version(settings.path)))


@lru_cache(maxsize=4)
def _splits_of(settings: DataSettings, versions: tuple[object, object]) -> Splits:
    with single_thread():
        return load_splits(settings)


def _version(path: str | None) -> tuple[int, int] | None:
    """When a file was last modified, and its size; None if there is no such file."""
    file = Path(path or "").expanduser()
    if not file.is_file():
        return None
    found = file.stat()
    return found.st_mtime_ns, found.st_size


@contextmanager
def single_thread() -> Iterator[None]:
    """One thread for BLAS, Aer and torch, so that sums come in one order; what was set before comes back."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _thread_pools(len(sys.modules)).limit(limits=1):
            yield
    finally:
        torch.set_num_threads(before)


@lru_cache(maxsize=1)
def _thread_pools(n_modules: int) -> ThreadpoolController:
    """Those of the libraries that are loaded, which takes milliseconds to see; others come with further modules."""
    return ThreadpoolController()
