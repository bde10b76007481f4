"""The suite of an objective."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np

from qnas.data import Split
from qnas.errors import DesignError
from qnas.front.tables import as_json
from qnas.model.weights import weights_to_bytes
from qnas.objectives import Design, Estimate, Objective, choose_objectives
from qnas.testing.conformance import Conformance, Options, explained, refusal_skips
from qnas.testing.designs import LAYER, SEED, design, quantities
from qnas.testing.models import nothing_global_changes

DESIGNS: Mapping[str, Callable[..., Design]] = {
    "classification": design,
    "regression": lambda **changes: design(splits=quantities(), **changes),
    "two layers": lambda **changes: design(**{"coupling": "mac", "layers": [LAYER, LAYER], **changes}),
    "quantum_only": lambda **changes: design("quantum_only", **changes),
    "pqc": lambda **changes: design("pqc", **changes),
}
"""What an objective is measured on, by name; changes are of the architecture."""


class ObjectiveConformance(Conformance):
    """What qnas relies on in an objective.

        class TestFrequencies(ObjectiveConformance):
            name = "n_frequencies"
            changes = {"encoding": "fourier"}

    Attributes:
        name, options: see `Conformance`.
        design: names of `DESIGNS` that it is measured on. Where it raises a DesignError, its sentence is the reason
            that pytest shows.
        changes: values of these architectures to replace, see `qnas.testing.architecture`.
    """

    kind = "objective"
    arguments = ("options", "design")
    design: Sequence[str] = tuple(DESIGNS)
    changes: Mapping[str, Any] = {}

    def objective(self, options: Options) -> Objective:
        """As a run has it."""
        with explained(self.about(options), "See qnas.objective."):
            (chosen,) = choose_objectives([self.name], options={self.name: options})
        return chosen

    def measure(self, options: Options, made: Design) -> Estimate:
        """Of a design; the test is skipped if the objective refuses it."""
        with refusal_skips():
            return self.objective(options)(made)

    def make(self, name: str) -> Design:
        """The design of that name, newly made."""
        return DESIGNS[name](**self.changes)

    def test_it_says_what_it_measures(self, options: Options) -> None:
        """Its unit, and a default for each of its options."""
        found = self.objective(options)
        assert found.unit.strip(), f"{self.about(options)} has no unit; say in what its values are counted."
        takers = (found.measure, *found.built.values())
        parameters = {key: one for take in takers for key, one in inspect.signature(take).parameters.items()}
        required = [key for key in found.options if parameters[key].default is inspect.Parameter.empty]
        assert not required, (
            f"{self.about(options)} has options without a default: {', '.join(required)}; give each one."
        )

    def test_it_measures_a_design(self, options: Options) -> None:
        """One at least of those that it is tested on."""
        refusals = []
        for name in self.design:
            try:
                self.objective(options)(self.make(name))
            except DesignError as error:
                refusals.append(str(error))
        assert len(refusals) < len(self.design), (
            f"{self.about(options)} measures none of its designs ({'; '.join(refusals)}); set changes of the suite to "
            "an architecture that it measures."
        )

    def test_its_values_are_numbers(self, options: Options, design: str) -> None:
        """Finite, with a standard error of at least 0 where there is one, and details that JSON can carry."""
        about, found = self.about(options, f"of the design {design!r}"), self.measure(options, self.make(design))
        value: object = found.value
        assert isinstance(value, int | float | np.number) and isfinite(value), (
            f"{about} is {value!r}; return a finite number, or raise a DesignError that says why there is none."
        )
        error = found.standard_error
        assert error is None or (isfinite(error) and error >= 0), (
            f"{about} has the standard error {error!r}; give a number of at least 0, or None where it is no estimate."
        )
        try:
            json.dumps(as_json(found.details), allow_nan=False)
        except TypeError as problem:
            raise AssertionError(f"{about} has details that JSON cannot carry: {problem}") from problem

    def test_a_design_has_one_value(self, options: Options, design: str) -> None:
        """It follows from the seed of the run and the fingerprint of the design, and from nothing else."""
        about = self.about(options, f"of the design {design!r}")
        made = self.make(design)
        with nothing_global_changes(about):
            first = self.measure(options, made)
            again, anew = self.measure(options, made), self.measure(options, self.make(design))
        advice = "draw from design.rng(purpose) and seed torch by design.integer_seed(purpose)."
        assert _comparable(first) == _comparable(anew), f"{about} has another value in another process; {advice}"
        assert _comparable(first) == _comparable(again), (
            f"{about} has another value when it is measured again; {advice}"
        )

    def test_it_leaves_the_model_alone(self, options: Options, design: str) -> None:
        """Other objectives see the same trained model, and its weights are saved."""
        about, made = self.about(options, f"of the design {design!r}"), self.make(design)
        before = _trained_state(made)
        self.measure(options, made)
        assert _trained_state(made) == before, (
            f"{about} changes the trained model; work on design.initial_model() or a copy.deepcopy of the trained one."
        )

    def test_it_trains_only_if_it_says_so(self, options: Options, design: str) -> None:
        """Objectives are measured from the cheapest to the dearest, and budgets before any training."""
        made = self.make(design)
        self.measure(options, made)
        assert self.objective(options).cost == "trained" or "trained" not in vars(made), (
            f"{self.about(options)} trains the model; declare it with cost='trained', or use design.initial_model()."
        )

    def test_it_does_not_see_the_test_split(self, options: Options, design: str) -> None:
        """Only an audit reads it."""
        made = self.make(design)
        poison = made.splits.test
        other = replace(made.splits, test=Split(np.zeros_like(poison.features), np.zeros_like(poison.targets)))
        anew = Design(made.architecture, other, made.training, seed=SEED)
        assert _comparable(self.measure(options, made)) == _comparable(self.measure(options, anew)), (
            f"{self.about(options, f'of the design {design!r}')} depends on the test split; use design.splits.train or "
            "design.splits.validation."
        )


def _comparable(found: Estimate) -> str:
    return json.dumps([as_json(value) for value in (found.value, found.standard_error, found.details)])


def _trained_state(made: Design) -> tuple[bytes, bool, list[bool]]:
    model = made.trained.model
    return weights_to_bytes(model), model.training, [weight.requires_grad for weight in model.parameters()]
