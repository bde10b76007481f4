"""Operations of torch modules: against torch's own counter, against counts by hand, and what is refused."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode, flop_registry, register_flop_formula

from qnas.errors import PluginError
from qnas.objectives.torch_flops import forward_flops

F64 = torch.float64
N = 6
VALUES = torch.linspace(-1, 1, N, dtype=F64)[None]
MATRIX = torch.ones(N, 4, dtype=F64)


class Calls(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, inputs):
        return self.function(inputs)


def counted(function, inputs=VALUES):
    return forward_flops(Calls(function), inputs)


@pytest.mark.parametrize(
    "function",
    [torch.abs, torch.acos, torch.atan, torch.ceil, torch.cos, torch.erf, torch.exp, torch.expm1, torch.log1p,
     torch.neg, torch.reciprocal, torch.rsqrt, torch.sign, torch.sin, torch.sinh, torch.sqrt, torch.square, torch.tan,
     torch.tanh, functional.celu, functional.elu, functional.gelu, functional.hardsigmoid, functional.hardswish,
     functional.hardtanh, functional.leaky_relu, functional.logsigmoid, functional.mish, functional.relu,
     functional.relu6, functional.selu, functional.sigmoid, functional.silu, functional.softplus,
     functional.softshrink, lambda v: v**3, lambda v: v + 1, lambda v: 1 - v, lambda v: 2 * v, lambda v: v / 2,
     lambda v: torch.atan2(v, v), lambda v: torch.maximum(v, v), lambda v: v.clamp(0, 1), lambda v: v.clone().mul_(2),
     lambda v: v > 0, lambda v: functional.prelu(v, torch.ones(1, dtype=F64)), functional.rrelu],
)  # fmt: skip
def test_an_elementwise_function_counts_its_values(function):
    assert counted(function) == N


@pytest.mark.parametrize(
    "function",
    [torch.sum, torch.mean, torch.prod, torch.amax, torch.amin, torch.argmax, torch.var, torch.std, torch.max,
     torch.linalg.vector_norm, lambda v: v.sum(1, keepdim=True), lambda v: v.max(1).values, lambda v: v.cumsum(1)],
)  # fmt: skip
def test_a_reduction_counts_the_values_it_reads(function):
    assert counted(function) == N


@pytest.mark.parametrize(
    "function",
    [lambda v: v.T, lambda v: v.reshape(2, 3), lambda v: v[:, 1:], lambda v: v[:, [0, 2]], lambda v: v.clone(),
     lambda v: torch.cat([v, v]), lambda v: torch.stack([v, v]), lambda v: v.flip(1), lambda v: v.roll(1),
     lambda v: functional.pad(v, (1, 1)), lambda v: v.expand(3, N).contiguous(), lambda v: v.to(torch.float32),
     torch.zeros_like, lambda v: torch.arange(N) * 2 + 1, lambda v: v.detach().chunk(2, dim=1), nn.Identity(),
     nn.Flatten(), nn.Dropout(0.5).eval(), lambda v: functional.embedding(torch.tensor([1]), MATRIX)],
)  # fmt: skip
def test_what_only_moves_values_counts_nothing(function):
    assert counted(function) == 0


PRODUCTS = {
    "linear": nn.Linear(N, 3, dtype=F64),
    "without bias": Calls(lambda v: v @ MATRIX),
    "batched": Calls(lambda v: torch.bmm(v[None], MATRIX[None])),
    "einsum": Calls(lambda v: torch.einsum("bi,ij->bj", v, MATRIX)),
    "convolution": Calls(lambda v: torch.conv1d(v[None], torch.ones(3, 1, 2, dtype=F64))),
}


@pytest.mark.parametrize("module", PRODUCTS.values(), ids=PRODUCTS)
def test_matrix_products_are_torchs_count(module):
    with FlopCounterMode(display=False) as counter:
        module(VALUES)
    assert forward_flops(module, VALUES) == counter.get_total_flops() > 0


def test_products_with_a_vector_count_as_matrix_products():
    """Torch's own counter misses these."""
    assert counted(lambda v: MATRIX.T @ v[0]) == counted(lambda v: v @ MATRIX) == 2 * N * 4
    assert counted(lambda v: v[0] @ v[0]) == 2 * N


@pytest.mark.parametrize(
    ("fused", "made_of"),
    [
        (lambda v: v.softmax(1), lambda v: (e := (v - v.amax(1)).exp()) / e.sum()),
        (lambda v: v.log_softmax(1), lambda v: (d := v - v.amax(1)) - d.exp().sum().log()),
        (lambda v: v.logsumexp(1), lambda v: (v - v.amax(1)).exp().sum().log()),
        (lambda v: functional.glu(v, 1), lambda v: v[:, :3] * v[:, 3:].sigmoid()),
    ],
)
def test_a_fused_function_counts_what_it_is_made_of(fused, made_of):
    assert counted(fused) == counted(made_of) > N // 2


@pytest.mark.parametrize(
    ("module", "per_value"),
    [  # mean, variance, shift, scale; weight, bias
        (nn.LayerNorm(N, dtype=F64), 6),
        (nn.LayerNorm(N, elementwise_affine=False), 4),
        (nn.LayerNorm(N, bias=False, dtype=F64), 5),
        (nn.GroupNorm(2, N, dtype=F64), 6),
        (nn.BatchNorm1d(N, dtype=F64).eval(), 4),
        (nn.BatchNorm1d(N, affine=False, dtype=F64).eval(), 2),
    ],
)
def test_normalisations(module, per_value):
    assert forward_flops(module, VALUES) == per_value * N


def test_a_batch_norm_in_training_takes_the_statistics_of_the_batch():
    assert forward_flops(nn.BatchNorm1d(N, dtype=F64), VALUES.expand(4, N)) == 6 * 4 * N


@pytest.mark.parametrize("module", [nn.GRU, nn.LSTM])
def test_recurrent_networks_are_their_products_and_gates(module):
    with torch.random.fork_rng(devices=[]):
        network = module(N, 4, dtype=F64)
    with FlopCounterMode(display=False) as products:
        network(VALUES)
    assert forward_flops(network, VALUES) > products.get_total_flops() > 0


def test_parts_can_be_left_out():
    with torch.random.fork_rng(devices=[]):
        network = nn.Sequential(nn.Linear(N, N, dtype=F64), nn.Tanh(), nn.Linear(N, 1, dtype=F64))
    whole, first = forward_flops(network, VALUES), forward_flops(network[0], VALUES)
    assert forward_flops(network, VALUES, leaving_out=[network[0]]) == whole - first == N + 2 * N
    assert not network[0]._forward_hooks
    assert not network[0]._forward_pre_hooks


def refused(function):
    with pytest.raises(PluginError) as caught:
        counted(function)
    return str(caught.value)


def test_an_operator_of_unknown_cost_is_refused():
    assert refused(lambda v: v.sort(1).values) == (
        "the floating-point operations of the torch operator 'sort' are not known; give them in your plug-in by "
        "torch.utils.flop_counter.register_flop_formula, or leave flops out of the objectives."
    )


def test_complex_arithmetic_is_refused():
    assert refused(lambda v: torch.fft.fft(v)) == (
        "the torch operator '_fft_r2c' works on complex numbers, whose floating-point operations qnas counts in "
        "circuits only; compute with real tensors, or leave flops out of the objectives."
    )


def test_a_plug_in_gives_the_formula_of_an_operator():
    register_flop_formula(torch.ops.aten.sort)(lambda shape, *_, out_shape, **__: 10 * shape[-1])
    try:
        assert counted(lambda v: v.sort(1).values) == 10 * N
    finally:
        del flop_registry[torch.ops.aten.sort]
