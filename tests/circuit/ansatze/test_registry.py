"""The registry of ansatze."""

import pytest

from qnas.circuit.ansatze import ansatze
from qnas.errors import PluginError


def test_an_unknown_ansatz():
    with pytest.raises(PluginError, match=r"unknown ansatz 'sim2020': did you mean 'sim2019'\?"):
        ansatze["sim2020"]
