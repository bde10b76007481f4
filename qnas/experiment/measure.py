"""Every objective of one design, without a search: of an architecture on some data, or of a circuit by itself."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from qnas.architecture import Architecture
from qnas.circuit.ansatze import read_openqasm
from qnas.config import Config
from qnas.data import DataSettings, Split, Splits
from qnas.errors import ConfigurationError, UsageError
from qnas.experiment.evaluation import failure, single_thread, splits_of
from qnas.experiment.folder import RunFolder
from qnas.front.tables import as_json
from qnas.model.training import TrainingSettings
from qnas.objectives import Design, Estimate, Objective, choose_objectives, objectives
from qnas.objectives.objective import CIRCUIT, COSTS, TRAINED
from qnas.plugins import load_module
from qnas.space import load_space
from qnas.space.loader import Loader

_ONE_GATE = 'OPENQASM 3.0;\ninclude "stdgates.inc";\ninput float w;\nqubit[1] q;\nry(w) q[0];\n'
_NO_DATA = Split(np.empty((1, 0)), np.zeros((1, 1)))
_OPTION = re.compile(r"(\w+)\.(\w+)=(.+)")
FLOORS = ("haar_floor", "haar")
"""Details that say what Haar-random states score."""


@dataclass(frozen=True)
class Subject:
    """What is measured: a design, by which objectives; `about` says on what data, if there are any."""

    design: Design
    objectives: tuple[Objective, ...]
    about: str


@dataclass(frozen=True)
class Measurement:
    """What one objective found; `reason` says why there is no estimate. `seconds` are wall-clock."""

    objective: Objective
    estimate: Estimate | None
    reason: str
    seconds: float

    @property
    def floor(self) -> float | None:
        """What Haar-random states score, where that is the least that can be told apart."""
        details = self.estimate.details if self.estimate else {}
        return next((float(details[name]) for name in FLOORS if name in details), None)

    @property
    def details(self) -> dict[str, Any]:
        """What the estimate keeps beside its value, but for the floor."""
        kept = self.estimate.details if self.estimate else {}
        return {name: value for name, value in kept.items() if name not in FLOORS}

    @property
    def within_floor(self) -> bool:
        """Whether the value is at most two standard errors above the floor, so that it carries no order."""
        if self.estimate is None or self.floor is None:
            return False
        return self.estimate.value - 2 * (self.estimate.standard_error or 0.0) <= self.floor


def subject_of(
    path: str,
    *,
    data: DataSettings | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    names: Sequence[str] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Subject:
    """What a file says.

    Args:
        path: an architecture as JSON, the folder of a design of a run, or a circuit in OpenQASM 2 or 3. A circuit has
            no data: all its parameters are weights, and what needs training cannot be measured.
        data: for an architecture; by default those of the run it lies in, or the default ones.
        epochs: of training, for objectives that need it; by default as in the run.
        seed: of everything random; by default that of the run, or 0.
        names: the objectives; by default all that are registered and apply.
        options: of objectives, by their names, beside and instead of those of the run.

    Raises:
        UsageError: there is no such file, it cannot be read, a number is too small, or an objective or an
            option is not known.
        DesignError: it names no design.
    """
    file = Path(path) / "architecture.json" if Path(path).is_dir() else Path(path)
    if not file.is_file():
        raise UsageError(f"there is no file {str(file)!r}; give an architecture.json, its folder, or a circuit.qasm.")
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(file)!r} cannot be read: {error}.") from error
    for key, value, least in (("epochs", epochs, 1), ("seed", seed, 0)):
        if value is not None and value < least:
            raise ConfigurationError(f"{key} is {value}; it must be at least {least}.")
    config = _config_around(file)
    wanted = names or list(objectives)
    of_run = {name: given for name, given in config.objectives.options.items() if name in wanted}
    own = {name: {**of_run.get(name, {}), **given} for name, given in (options or {}).items()}
    chosen = choose_objectives(wanted, options=of_run | own)
    seed = config.seed if seed is None else seed
    if file.suffix == ".json":
        data, training = data or config.data, replace(config.training, epochs=epochs or config.training.epochs)
        design = Design(Architecture.from_json(text), splits_of(data), training, seed=seed)
        return Subject(design, chosen, f"on {data.name}")
    trained = [one.name for one in chosen if one.cost == TRAINED]
    if names and trained:
        raise UsageError(f"{trained[0]} needs training, but a circuit by itself has no data; give an architecture.")
    about = "a circuit by itself, all of whose parameters are weights"
    return Subject(_by_itself(text, seed), tuple(one for one in chosen if one.cost != TRAINED), about)


def read_options(texts: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Options by objective, from texts such as "duration.backend=fake_manila"; values are read as YAML.

    Raises:
        UsageError: a text has another form.
    """
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        try:
            objective, option, value = _OPTION.fullmatch(text).groups()  # type: ignore[union-attr]
            found.setdefault(objective, {})[option] = yaml.load(value, Loader)
        except (AttributeError, yaml.YAMLError):
            advice = "write objective.option=value, e.g. expressibility.n_pairs=2000."
            raise UsageError(f"the option {text!r} cannot be read; {advice}") from None
    return found


def _config_around(file: Path) -> Config:
    """Of the run in whose designs a file lies, with what its space brings along; else the default one."""
    designs = file.resolve().parent.parent
    if designs.name != "designs" or not RunFolder(designs.parent).config_file.is_file():
        return Config()
    config = RunFolder(designs.parent).read_config()
    load_space(config.space)
    for path in config.objectives.add:
        load_module(path)
    return config


def measure(subject: Subject, watch: Callable[[str], None] = lambda name: None) -> Iterator[Measurement]:
    """Measure one objective after the other, the cheapest first; one that fails does not stop the others.

    Args:
        subject: what, and by which objectives.
        watch: is told the name of each objective before it is measured.
    """
    _load(subject.objectives)
    for objective in sorted(subject.objectives, key=lambda one: COSTS.index(one.cost)):
        watch(objective.name)
        started = time.perf_counter()
        estimate, reason = None, ""
        try:
            with single_thread():
                found = objective(subject.design)
            if not isfinite(found.value):
                raise FloatingPointError(f"the value is {found.value}.")
            estimate = found
        except Exception as error:  # noqa: BLE001 - whatever an objective raises is its result
            reason = failure(error)[1].splitlines()[0]
        yield Measurement(objective, estimate, reason, time.perf_counter() - started)


def _load(chosen: Sequence[Objective]) -> None:
    """Measure one gate, so that no objective's seconds hold what torch and Qiskit load when they are first used."""
    for objective in chosen:
        if objective.cost == CIRCUIT:
            with suppress(Exception), single_thread():
                objective(_by_itself(_ONE_GATE, 0))


def as_records(subject: Subject, found: Sequence[Measurement]) -> str:
    """The same as JSON."""
    rows = [
        {
            "objective": one.objective.name,
            "value": one.estimate.value if one.estimate else None,
            "standard_error": one.estimate.standard_error if one.estimate else None,
            "unit": one.objective.unit,
            "direction": one.objective.direction,
            "floor": one.floor,
            "within_floor": one.within_floor,
            "details": as_json(one.estimate.details) if one.estimate else {},
            "reference": one.objective.reference,
            "failure": one.reason,
            "seconds": round(one.seconds, 3),
        }
        for one in found
    ]
    design = subject.design
    head = {
        "about": subject.about,
        "fingerprint": design.architecture.fingerprint,
        "architecture": design.architecture.to_dict(),
    }
    return json.dumps(as_json({**head, "measured": rows}), indent=2, allow_nan=False)


def _by_itself(text: str, seed: int) -> Design:
    """A circuit as a design without inputs, read by Z on every qubit."""
    architecture = Architecture(
        {
            "n_qubits": read_openqasm(text).num_qubits,
            "encoding": None,
            "ansatz": {"name": "qasm", "text": text},
            "coupling": "quantum",
            "readout": "z",
        }
    )
    return Design(architecture, Splits(_NO_DATA, _NO_DATA, _NO_DATA, "regression"), TrainingSettings("pqc"), seed=seed)
