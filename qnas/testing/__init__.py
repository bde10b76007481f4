"""Conformance suites that the tests of a plug-in inherit (style of optuna.testing).

    from qnas.testing import EncodingConformance

    class TestFourier(EncodingConformance):
        name = "fourier"
        options = ({}, {"base": 2})

Each suite checks what qnas relies on in a part of its kind, in a few seconds; a failure names the part and says what to
do. They need pytest and Qiskit's reader of OpenQASM 3: `pip install 'qnas-hqnn[testing]'`. Beside them are the small
designs and data sets on which parts are tested.
"""

from qnas.testing.ansatze import AnsatzConformance
from qnas.testing.couplings import CouplingConformance
from qnas.testing.datasets import DatasetConformance
from qnas.testing.designs import architecture, classes, design, quantities
from qnas.testing.encodings import EncodingConformance
from qnas.testing.objectives import ObjectiveConformance
from qnas.testing.readouts import ReadoutConformance
from qnas.testing.searchers import SearcherConformance
from qnas.testing.spaces import SpaceConformance
from qnas.testing.topologies import TopologyConformance

__all__ = [
    "AnsatzConformance",
    "CouplingConformance",
    "DatasetConformance",
    "EncodingConformance",
    "ObjectiveConformance",
    "ReadoutConformance",
    "SearcherConformance",
    "SpaceConformance",
    "TopologyConformance",
    "architecture",
    "classes",
    "design",
    "quantities",
]
