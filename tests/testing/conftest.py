"""What the tests of the suites share."""

import pytest

from qnas.circuit.ansatze import ansatze
from qnas.circuit.encodings import encodings
from qnas.circuit.readouts import readouts
from qnas.circuit.topologies import topologies
from qnas.data import datasets
from qnas.model.couplings import couplings
from qnas.objectives import objectives
from qnas.search import searchers


@pytest.fixture(autouse=True)
def own_registries(monkeypatch):
    """What a test registers is gone after it."""
    for registry in (ansatze, couplings, datasets, encodings, objectives, readouts, searchers, topologies):
        monkeypatch.setattr(registry, "_parts", dict(registry._parts))
