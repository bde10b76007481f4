"""Floating-point operations of a torch module's forward pass, operator by operator.

* A matrix product, convolution or attention: what torch's own `FlopCounterMode` counts, 2 for each product summed.
* An elementwise function of m values: m. Torch tags these pointwise; a selection or comparison is one, too.
* A reduction of m values, such as a sum, mean, maximum, variance, norm or running sum: m.
* A softmax, normalisation or gate that torch fuses: the elementwise functions and reductions it is made of.
* A view, copy, concatenation, look-up or constant, and anything on integers alone: 0.
* Any other: a PluginError, because a wrong count is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from qnas.errors import PluginError

_FREE = frozenset((
    "_local_scalar_dense", "_to_copy", "_unsafe_view", "arange", "cat", "clone", "constant_pad_nd", "copy",
    "copy_", "embedding", "empty", "empty_like", "empty_strided", "eye", "fill", "fill_", "flip", "full",
    "full_like", "gather", "index", "index_copy", "index_copy_", "index_fill", "index_fill_", "index_select",
    "linspace", "masked_select", "new_empty", "new_empty_strided", "new_full", "new_ones", "new_zeros", "nonzero",
    "ones", "ones_like", "reflection_pad1d", "repeat", "replication_pad1d", "roll", "scalar_tensor",
    "select_scatter", "slice_scatter", "stack", "tril", "triu", "unsafe_split", "zero_", "zeros", "zeros_like",
))  # fmt: skip
_ELEMENTWISE = frozenset((
    "_prelu_kernel", "hardswish", "hardswish_", "log_sigmoid_forward", "rrelu_with_noise",
))  # fmt: skip
"""Pointwise, but without torch's tag."""
_REDUCTIONS = frozenset((
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "count_nonzero", "cummax", "cummin", "cumprod",
    "cumsum", "linalg_vector_norm", "max", "mean", "median", "min", "nanmedian", "nansum", "norm", "prod", "std",
    "std_mean", "sum", "var", "var_mean",
))  # fmt: skip
"""By name, because not every torch that qnas runs with has a tag for them."""


def forward_flops(module: nn.Module, inputs: Tensor, leaving_out: Iterable[nn.Module] = ()) -> int:
    """The floating-point operations of `module(inputs)`, in the mode (training or not) that the module is in.

    Args:
        module: runs once, without gradients.
        inputs: of any shape that it takes.
        leaving_out: submodules whose operators are not counted.

    Raises:
        PluginError: an operator is of no known cost.
    """
    counter = _Counter()
    with ExitStack() as stack:
        for part in leaving_out:
            stack.callback(part.register_forward_pre_hook(counter.pause).remove)
            stack.callback(part.register_forward_hook(counter.resume).remove)
        stack.enter_context(torch.no_grad())
        stack.enter_context(counter)
        module(inputs)
    return counter.n_flops


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]  # of torch
    """Sees every operator that torch runs, those that are made of others as these."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.n_flops = 0
        self._paused = False

    def pause(self, *_: object) -> None:
        self._paused = True

    def resume(self, *_: object) -> None:
        self._paused = False

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._paused:
            return func(*args, **kwargs)
        if func.overloadpacket not in flop_registry:
            with self:
                made_of_others = func.decompose(*args, **kwargs)
            if made_of_others is not NotImplemented:
                return made_of_others
        found = func(*args, **kwargs)
        self.n_flops += _operator_flops(func, args, kwargs, found)
        return found


def _operator_flops(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], found: Any) -> int:
    name = str(func.overloadpacket).removeprefix("aten.")
    tensors = [leaf for leaf in tree_leaves((args, kwargs, found)) if isinstance(leaf, Tensor)]
    if func.is_view or name in _FREE or not any(_of_floats(tensor) for tensor in tensors):
        return 0
    if any(tensor.is_complex() for tensor in tensors):
        raise PluginError(
            f"the torch operator {name!r} works on complex numbers, whose floating-point operations qnas counts in "
            "circuits only; compute with real tensors, or leave flops out of the objectives."
        )
    if func.overloadpacket in flop_registry:
        return int(flop_registry[func.overloadpacket](*args, **kwargs, out_val=found))
    if name in _FORMULAS:
        return _FORMULAS[name](args, found)
    if torch.Tag.pointwise in func.tags or name in _ELEMENTWISE:
        return next(leaf.numel() for leaf in tree_leaves(found) if isinstance(leaf, Tensor))
    if name in _REDUCTIONS:
        return next(tensor.numel() for tensor in tensors)
    raise PluginError(
        f"the floating-point operations of the torch operator {name!r} are not known; give them in your plug-in by "
        "torch.utils.flop_counter.register_flop_formula, or leave flops out of the objectives."
    )


def _of_floats(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


# --- what torch fuses, by its arguments and what it returns ------------------------------------------------------

Formula = Callable[[Sequence[Any], Any], int]


def _softmax(args: Sequence[Any], found: Tensor) -> int:
    """Largest, difference, exponential, sum, quotient."""
    return 5 * found.numel()


def _log_softmax(args: Sequence[Any], found: Tensor) -> int:
    """Largest, difference, exponential, sum, difference; the logarithm of each sum."""
    n_values, length = found.numel(), found.shape[args[1]] if found.ndim else 1
    return 5 * n_values + n_values // max(length, 1)


def _log_sum_exp(args: Sequence[Any], found: Tensor) -> int:
    """Largest, difference, exponential, sum; the logarithm of each sum."""
    return 4 * int(args[0].numel()) + found.numel()


def _normalised(n_statistics: int, weight: int, bias: int) -> Formula:
    """A formula: reductions, then each value is shifted and scaled, and again by a weight and a bias where given."""

    def formula(args: Sequence[Any], found: Sequence[Tensor]) -> int:
        n_affine = sum(args[position] is not None for position in (weight, bias))
        return (n_statistics + 2 + n_affine) * found[0].numel()

    return formula


def _glu(args: Sequence[Any], found: Tensor) -> int:
    """Sigmoid of one half, product with the other."""
    return 2 * found.numel()


def _matrix_vector(args: Sequence[Tensor], found: Tensor) -> int:
    """A matrix and a vector, or two vectors: as a matrix product."""
    return 2 * args[0].numel()


_FORMULAS: dict[str, Formula] = {
    "_softmax": _softmax,
    "_log_softmax": _log_softmax,
    "logsumexp": _log_sum_exp,
    "native_layer_norm": _normalised(2, weight=2, bias=3),
    "native_group_norm": _normalised(2, weight=1, bias=2),
    "_native_batch_norm_legit": _normalised(2, weight=1, bias=2),
    "_native_batch_norm_legit_no_training": _normalised(0, weight=1, bias=2),  # its statistics are constants
    "glu": _glu,
    "mv": _matrix_vector,
    "dot": _matrix_vector,
}
