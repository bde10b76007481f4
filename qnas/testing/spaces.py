"""The suite of a search space."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from qnas.architecture import Architecture
from qnas.errors import TooManyFeaturesError
from qnas.model.hybrid import ModelBuilder
from qnas.search.variation import crossed, mutated
from qnas.space import Space, load_space
from qnas.testing.circuits import Built, as_qiskit_has_it, overlap, read_back
from qnas.testing.conformance import Conformance, explained
from qnas.testing.designs import classes
from qnas.testing.models import losses

_BUG = "Let constraints depend on the design alone; if it has none, this is a bug of qnas, please report it."
_EXCLUDE = "Exclude it by .where(...)."


class SpaceConformance(Conformance):
    """What qnas relies on in a search space.

        class TestFourierSpace(SpaceConformance):
            name = "fourier"
            n_features = 4

    Attributes:
        name: what `qnas search space=...` is given: a short name, a path, or "module:attribute".
        n_features: of the data that its designs are built for.
        seed: of the designs that are sampled; each is tested.
    """

    kind = "search space"
    arguments = ("seed",)
    n_features: int = 4
    seed: Sequence[int] = range(6)

    @property
    def space(self) -> Space:
        """The space itself."""
        return load_space(self.name)

    def test_a_sample_belongs_and_the_seed_decides(self, seed: int) -> None:
        """Sampling obeys the constraints, and is the same each time."""
        space = self.space
        sample = space.sample(seed)
        assert space.contains(sample), f"{self.about({})} does not contain its own sample {sample}."
        assert self.space.sample(seed) == sample, (
            f"{self.about({})} has another sample when it is loaded again; declare it by nothing that is random."
        )

    def test_a_design_is_one_genotype(self, seed: int) -> None:
        """From architecture to genotype and back; genes that do not exist in a design change nothing."""
        space, rng = self.space, np.random.default_rng(seed)
        sample, codes = space.sample(seed), space.random_codes(rng)
        others = np.where(space.active(codes), codes, space.random_codes(rng))
        same = space.decode(space.encode(sample)) == sample and np.array_equal(
            space.canonical(codes), space.canonical(space.canonical(others))
        )
        assert same, f"{self.about({})} has two genotypes for one design. {_BUG}"

    def test_the_space_is_json(self) -> None:
        """And is read back from it, unless it has predicates."""
        space = self.space
        text = space.to_json()
        again = text if space.tree.constraints else Space.from_json(text).to_json()
        assert json.loads(text) and again == text, f"{self.about({})} is another space after JSON. {_BUG}"

    def test_variation_stays_inside(self, seed: int) -> None:
        """Crossover and mutation of valid designs give valid designs, in canonical form."""
        space, rng = self.space, np.random.default_rng(seed)
        parents = space.random_genotype(rng), space.random_genotype(rng)
        for child in (*crossed(space, *parents, rng), *(mutated(space, parent, rng) for parent in parents)):
            inside = space.is_valid(child) and np.array_equal(space.canonical(child), child)
            assert inside, f"{self.about({})} is left by a variation of its designs, {space.decode(child)}. {_BUG}"

    def test_a_design_learns(self, seed: int) -> None:
        """It builds, simulates and trains, unless no weight of its circuit has an effect, which a remark says."""
        sample, builder = self._built(seed)
        with explained(f"the design {sample} of {self.about({})}", _EXCLUDE):
            found = losses(builder.build(seed), classes(n_features=self.n_features))
        if found[-1] >= found[0] and not bool(builder.live_weights.any()):
            pytest.skip(builder.remark)
        assert found[-1] < found[0], (
            f"the design {sample} of {self.about({})} does not learn: its loss was {found[0]:.4f} and is "
            f"{found[-1]:.4f} after {len(found) - 1} steps. {_EXCLUDE}"
        )

    def test_a_design_survives_openqasm(self, seed: int) -> None:
        """`qnas export` writes OpenQASM 3; read back, it prepares the same state."""
        sample, builder = self._built(seed)
        made = builder.design
        built = Built(made.circuit, made.inputs, made.weights)
        (values,) = built.values()
        with explained(f"the design {sample} of {self.about({})}", "Use parts that can be exported."):
            again = read_back(built.circuit, dict(zip(built.parameters, values.tolist(), strict=True)))
        fidelity = overlap(as_qiskit_has_it(again), as_qiskit_has_it(built.bound(values)))
        assert abs(fidelity - 1) < 1e-9, f"the design {sample} of {self.about({})} is another one after OpenQASM 3."

    def _built(self, seed: int) -> tuple[Architecture, ModelBuilder]:
        sample = self.space.sample(seed)
        try:
            with explained(f"the design {sample} of {self.about({})}", _EXCLUDE):
                return sample, ModelBuilder(sample, self.n_features, n_outputs=2)
        except AssertionError as error:
            if isinstance(error.__cause__, TooManyFeaturesError):  # a search never asks for such a design
                pytest.skip(str(error.__cause__))
            raise
