"""The suite of couplings: the bundled ones pass it, and each of its tests fails on a part that deserves it."""

import numpy as np
import pytest
import torch
from torch import nn

from qnas.model.couplings import coupling, couplings
from qnas.testing import CouplingConformance
from tests.testing.bundled import suites
from tests.testing.failing import failures

OPTIONS = {"density": [{}, {"n_circuits": 3, "weighting": "input"}]}
ATTRIBUTES = {"quantum": {"hidden": ((),), "n_outputs": (2,)}}

globals().update(suites(CouplingConformance, couplings, OPTIONS, ATTRIBUTES))


class Gated(nn.Module):
    """A * sigmoid(g) + N(x), a coupling of one's own; `width` is an option."""

    def __init__(self, parts, width=4):
        super().__init__()
        self.pre, self.quantum = parts.pre_network(), parts.quantum()
        self.readout = parts.mlp(parts.n_readouts, parts.n_outputs)
        self.network = nn.Sequential(
            nn.Linear(parts.n_features, width, dtype=torch.float64),
            nn.Tanh(),
            nn.Linear(width, parts.n_outputs, dtype=torch.float64),
        )
        self.gate = nn.Parameter(torch.zeros(parts.n_outputs, dtype=torch.float64))

    def forward(self, features):
        return self.readout(self.quantum(self.pre(features))) * torch.sigmoid(self.gate) + self.network(features)


def failing(build, **attributes):
    """The failures of a coupling with 2 outputs, or as the attributes say."""
    coupling("mine")(build)
    return failures(CouplingConformance, **{"name": "mine", "hidden": ((3,),), "n_outputs": (2,), **attributes})


def variant(forward=None, prepare=None):
    """`Gated` with another forward pass, or with something done to it once it is made."""

    class Variant(Gated):
        def __init__(self, parts):
            super().__init__(parts)
            if prepare:
                prepare(self)

        def forward(self, features):
            found = super().forward(features)
            return forward(self, features, found) if forward else found

    return Variant


def test_a_good_coupling_passes():
    assert failing(Gated, options=[{}, {"width": 2}], hidden=((), (3,)), n_outputs=(1, 2)) == {}


@pytest.mark.parametrize(
    ("forward", "text"),
    [
        (lambda self, x, found: found.detach().numpy(), "yields a ndarray; return a tensor."),
        (lambda self, x, found: found.float(), "yields torch.float32; make its layers with dtype=torch.float64"),
        (lambda self, x, found: found[:, 0], "turns 1 rows of features into (1,); return (batch, n_outputs)."),
        (lambda self, x, found: found / 0, "which is not finite."),
    ],
)
def test_outputs_of_another_kind(forward, text):
    found = failing(variant(forward))["it_has_a_row_of_outputs_per_sample"]
    assert "the coupling 'mine' (hidden=(3,), 2 outputs) " in found and text in found


def noise(self, features, found):
    return found + torch.rand(found.shape, dtype=torch.float64, generator=self.generator)


def with_generator(self):
    self.generator = torch.Generator().manual_seed(0)


@pytest.mark.parametrize(
    "broken",
    [
        variant(lambda self, x, found: found - found.mean(dim=0)),
        variant(noise, with_generator),
    ],
)
def test_outputs_that_depend_on_the_batch(broken):
    found = failing(broken)["a_sample_has_the_same_output_in_any_batch"]
    assert "gives a sample another output in another batch, or the next time; leave out batch" in found


def test_batch_normalisation():
    def normalised(self, features, found):
        return self.norm(found)

    def with_norm(self):
        self.norm = nn.BatchNorm1d(2, dtype=torch.float64)

    assert "a_sample_has_the_same_output_in_any_batch" in failing(variant(normalised, with_norm))


def test_weights_that_gradients_do_not_reach():
    def spare(self):
        self.spare = nn.Linear(1, 1, dtype=torch.float64)

    found = failing(variant(None, spare))
    text = "has weights that the output does not depend on: spare.weight, spare.bias; leave them out"
    assert list(found) == ["gradients_reach_every_weight"] and text in found.popitem()[1]
    found = failing(variant(lambda self, x, found: found.detach() + self.network(x)))
    assert "quantum.weight" in found["gradients_reach_every_weight"]
    assert "network" not in found["gradients_reach_every_weight"]


def test_weights_of_another_generator():
    fresh = torch.Generator().manual_seed(0)

    def redraw(self):
        self.gate.data = torch.rand(2, dtype=torch.float64, generator=fresh)

    found = failing(variant(None, redraw))
    assert list(found) == ["the_seed_decides"]
    assert "starts elsewhere each time; draw weights from torch's generator alone." in found.popitem()[1]


def test_weights_that_no_seed_changes():
    def constant(self):
        for weight in self.parameters():
            weight.data.fill_(0.3)

    assert "starts at the same weights for every seed" in failing(variant(None, constant))["the_seed_decides"]


def test_global_generators():
    before = np.random.get_state()  # noqa: NPY002
    try:
        found = failing(variant(None, lambda self: np.random.rand()))  # noqa: NPY002
    finally:
        np.random.set_state(before)  # noqa: NPY002
    text = "mine' (hidden=(3,), 2 outputs) changes the random numbers of numpy of the whole process; draw from"
    assert text in found["the_seed_decides"]


def test_state_that_is_not_saved():
    def shifted(self):
        self.shift = torch.rand(2, dtype=torch.float64)

    found = failing(variant(lambda self, x, found: found + self.shift, shifted))
    assert list(found) == ["weights_are_all_there_is_to_it"]
    assert "gives other outputs after its weights were saved and loaded; keep all that" in found.popitem()[1]


def test_weights_that_share_memory():
    def shared(self):
        self.again = nn.Linear(4, 2, dtype=torch.float64)
        self.again.weight = self.network[2].weight

    found = failing(variant(lambda self, x, found: found + self.again.bias, shared))
    assert "has weights that cannot be saved and loaded: " in found["weights_are_all_there_is_to_it"]


def test_an_operator_of_unknown_cost():
    found = failing(variant(lambda self, x, found: found + torch.linalg.det(found.T @ found)))
    assert (
        "mine' (hidden=(3,), 2 outputs): the floating-point operations of the torch operator '"
        in found["its_flops_can_be_counted"]
    )


def test_a_model_that_does_not_learn():
    found = failing(variant(lambda self, x, found: 0 * found))
    assert "does not learn: its loss was" in found["a_model_with_it_learns"]


def test_options_that_the_signature_does_not_name():
    found = failing(lambda parts, **options: Gated(parts, **options), options=[{"width": 2}])
    assert "unknown option of the coupling 'mine', 'width': Allowed: none." in found["a_model_with_it_learns"]
