"""The suite of a coupling."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from qnas.architecture import Architecture
from qnas.model.hybrid import HybridModel, ModelBuilder
from qnas.model.weights import load_weights, weights_to_bytes
from qnas.objectives import flops
from qnas.testing.conformance import Conformance, Options, explained
from qnas.testing.designs import architecture, quantities
from qnas.testing.models import check_learns, nothing_global_changes

_N_FEATURES = 3


class CouplingConformance(Conformance):
    """What qnas relies on in a coupling.

        class TestGated(CouplingConformance):
            name = "gated"

    Attributes:
        name, options: see `Conformance`.
        hidden: the widths of hidden layers that it is tested with.
        n_outputs: the numbers of outputs.
    """

    kind = "coupling"
    arguments = ("options", "hidden", "n_outputs")
    hidden: Sequence[tuple[int, ...]] = ((), (4,), (5, 4))
    n_outputs: Sequence[int] = (1, 3)

    def build(self, options: Options, hidden: tuple[int, ...], n_outputs: int, seed: int = 0) -> HybridModel:
        """A small model with this coupling, newly made."""
        return ModelBuilder(self.architecture(options, hidden), _N_FEATURES, n_outputs).build(seed)

    def architecture(self, options: Options, hidden: tuple[int, ...]) -> Architecture:
        """What is built."""
        return architecture(coupling=self.part(options), hidden=hidden)

    def case(self, options: Options, hidden: tuple[int, ...], n_outputs: int) -> str:
        """The part and the case, as messages name them."""
        return self.about(options, f"(hidden={hidden}, {n_outputs} output{'s' * (n_outputs > 1)})")

    def test_it_has_a_row_of_outputs_per_sample(
        self, options: Options, hidden: tuple[int, ...], n_outputs: int
    ) -> None:
        """(batch, n_features) to (batch, n_outputs), float64, finite."""
        about, model = self.case(options, hidden, n_outputs), self.build(options, hidden, n_outputs)
        for batch in (1, 5):
            found: object = model.network(features(batch))
            assert isinstance(found, Tensor), f"{about} yields a {type(found).__name__}; return a tensor."
            assert tuple(found.shape) == (batch, n_outputs), (
                f"{about} turns {batch} rows of features into {tuple(found.shape)}; return (batch, n_outputs)."
            )
            assert found.dtype == torch.float64, (
                f"{about} yields {found.dtype}; make its layers with dtype=torch.float64, as Ingredients.mlp does."
            )
            assert bool(found.isfinite().all()), f"{about} yields {found}, which is not finite."

    def test_a_sample_has_the_same_output_in_any_batch(
        self, options: Options, hidden: tuple[int, ...], n_outputs: int
    ) -> None:
        """And each time; qnas validates whole splits at once, in the mode in which a model is trained."""
        about, model = self.case(options, hidden, n_outputs), self.build(options, hidden, n_outputs)
        together = model(features(4))
        alone = torch.cat([model(row[None]) for row in features(4)])
        assert torch.allclose(together, alone, rtol=0, atol=1e-9), (
            f"{about} gives a sample another output in another batch, or the next time; leave out batch "
            "normalisation, dropout and noise."
        )

    def test_gradients_reach_every_weight(self, options: Options, hidden: tuple[int, ...], n_outputs: int) -> None:
        """Of the circuit and of classical layers, away from special starts such as zeros."""
        model = self.build(options, hidden, n_outputs)
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(torch.randn(weight.shape, dtype=weight.dtype, generator=generator), alpha=0.3)
        torch.autograd.backward((model(features(8)) ** 2).sum())
        unreached = [name for name, weight in model.network.named_parameters() if not _is_reached(weight)]
        assert not unreached, (
            f"{self.case(options, hidden, n_outputs)} has weights that the output does not depend on: "
            f"{', '.join(unreached)}; leave them out, or keep the way to them differentiable (no detach, no numpy)."
        )

    def test_the_seed_decides(self, options: Options, hidden: tuple[int, ...], n_outputs: int) -> None:
        """All initial weights, and nothing else does."""
        about = self.case(options, hidden, n_outputs)
        with nothing_global_changes(about):
            one, same, other = (weights_to_bytes(self.build(options, hidden, n_outputs, seed)) for seed in (1, 1, 2))
        assert one == same, f"{about} starts elsewhere each time; draw weights from torch's generator alone."
        assert one != other, f"{about} starts at the same weights for every seed; draw them from torch's generator."

    def test_weights_are_all_there_is_to_it(self, options: Options, hidden: tuple[int, ...], n_outputs: int) -> None:
        """A trained model is saved as its weights, and loaded into a new one."""
        one, other = (self.build(options, hidden, n_outputs, seed) for seed in (1, 2))
        about = self.case(options, hidden, n_outputs)
        try:
            load_weights(other, weights_to_bytes(one))
        except (RuntimeError, ValueError) as error:
            raise AssertionError(f"{about} has weights that cannot be saved and loaded: {error}") from error
        assert torch.equal(one(features(4)), other(features(4))), (
            f"{about} gives other outputs after its weights were saved and loaded; keep all that it has drawn or "
            "learnt in parameters and buffers."
        )

    def test_its_flops_can_be_counted(self, options: Options, hidden: tuple[int, ...], n_outputs: int) -> None:
        """Every torch operator that it uses has a known cost."""
        with explained(self.case(options, hidden, n_outputs), "Or use another operator."):
            flops(self.architecture(options, hidden), _N_FEATURES, n_outputs)

    def test_a_model_with_it_learns(self, options: Options, hidden: tuple[int, ...], n_outputs: int) -> None:
        """To approximate a noisy linear map."""
        about = self.case(options, hidden, n_outputs)
        check_learns(about, self.architecture(options, hidden), quantities(n_targets=n_outputs))


def features(batch: int) -> Tensor:
    """Rows of seeded features."""
    generator = torch.Generator().manual_seed(3)
    return torch.randn(batch, _N_FEATURES, dtype=torch.float64, generator=generator)


def _is_reached(weight: nn.Parameter) -> bool:
    return weight.grad is not None and bool(weight.grad.isfinite().all()) and bool(weight.grad.any())
