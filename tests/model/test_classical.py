"""Architectures that mean one network have one form, and those that mean different ones do not."""

import itertools

import pytest
import torch

from qnas.architecture import Architecture
from qnas.model.classical import WITH_BRANCH, WITH_HEAD, canonical_networks, explicit_networks
from qnas.model.hybrid import ModelBuilder
from qnas.model.training import effective

LAYER = {"rotation": "ry", "entangler": "cx", "topology": "line"}
BASE = Architecture({"n_qubits": 3, "encoding": "angle", "layers": [LAYER], "readout": "z"})
FEATURES = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def around(coupling, **changes):
    return BASE.replace(coupling=coupling, **changes)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (around("serial", pre="mlp", hidden=(4,), head=()), around("serial", hidden=(4,))),
        (around("serial", pre="linear", hidden=(4,), head=(2,)), around("serial", hidden=(), head=(2,))),
        (around("residual", pre="pca", hidden=(4,)), around("residual", pre="pca", hidden=())),
        (around("classical", pre="linear", hidden=()), around("classical", hidden=())),
        (around("mac", pre="linear", hidden=(4,), head=(2,)), around("mac", pre="linear", hidden=(4,))),
        (around("additive", pre="linear", hidden=()), around("additive", hidden=())),
        (around("multiplicative", pre="pca", hidden=(4,)), around("multiplicative", pre="pca", hidden=(4,))),
        (around("quantum", pre="linear", hidden=(4,), head=(2,)), around("quantum", hidden=())),
        (around("quantum", pre="pca", hidden=(4,)), around("quantum", pre="pca", hidden=())),
        (around({"name": "serial"}, pre="linear", hidden=(4,)), around({"name": "serial"}, hidden=())),
        (around("mine", pre="linear", hidden=(), head=(2,)), around("mine", pre="linear", hidden=(), head=(2,))),
        (around("mine", pre="mlp", hidden=(4,), head=()), around("mine", hidden=(4,))),
        (BASE.replace(pre="linear", hidden=(4,)), BASE.replace(hidden=())),
    ],
)
def test_what_has_no_effect_is_left_out(given, expected):
    assert canonical_networks(given) == expected
    assert canonical_networks(expected) is expected
    assert effective(given, "end_to_end") == effective(given, "quantum_only") == expected


@pytest.mark.parametrize("coupling", ["serial", "mac", "quantum"])
@pytest.mark.parametrize("pre", ["mlp", "linear", "pca"])
def test_pqc_leaves_principal_components_and_the_circuit(coupling, pre):
    found = effective(around(coupling, pre=pre, hidden=(4,), head=(2,)), "pqc")
    assert found == around("quantum", hidden=(), **({"pre": "pca"} if pre == "pca" else {}))
    assert effective(found, "pqc") == found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (around("serial", hidden=()), around("serial", hidden=(), pre="mlp", head=())),
        (around("serial", pre="pca", head=(4,)), around("serial", pre="pca", head=(4,))),
        (around("mac", hidden=(4,)), around("mac", hidden=(4,), pre="mlp")),
        (around("quantum", hidden=()), around("quantum", hidden=())),
        (around({"name": "density"}), around({"name": "density"}, pre="mlp", head=())),
        (BASE, BASE.replace(pre="mlp", head=())),
    ],
)
def test_tables_show_the_defaults_of_what_there_is(given, expected):
    assert explicit_networks(given) == expected
    assert canonical_networks(expected) == given


def outputs(architecture):
    builder = ModelBuilder(architecture, 3, 2)
    builder.fit(FEATURES)
    return builder.build(seed=0)(FEATURES)


@pytest.mark.parametrize("coupling", [*WITH_HEAD, *WITH_BRANCH, "quantum"])
def test_the_form_stands_for_the_same_network_and_for_no_other(coupling):
    forms = {}
    for pre, hidden, head in itertools.product(("mlp", "linear", "pca"), ((), (4,)), ((), (2,))):
        given = around(coupling, pre=pre, hidden=hidden, head=head)
        form = canonical_networks(given)
        assert torch.equal(outputs(given), outputs(form))
        forms[form] = outputs(form)
    for (_, first), (_, second) in itertools.combinations(forms.items(), 2):
        assert not torch.allclose(first, second)
