"""The check as a whole: what it returns, how much it builds, and spaces that cannot even be drawn from."""

import pytest

from qnas.data import DataSettings
from qnas.errors import PluginError
from qnas.experiment.check import Inspection, find_mistakes
from qnas.space import Space, load_space, space_names
from tests.experiment.spaces import space

IRIS = DataSettings("iris")


@pytest.mark.slow
def test_a_check_is_repeatable_and_tells_how_much_it_has_built():
    told = []
    found = find_mistakes(space(), IRIS, n_designs=16, watch=told.append)
    assert found == find_mistakes(space(), IRIS, n_designs=16) and isinstance(found, Inspection)
    assert found.n_built == told[-1] == len(told) > 16


def test_the_number_of_designs_is_bounded():
    """Seven genes of two values, each of which is built, with a neighbour that differs in that gene."""
    assert find_mistakes(space(), IRIS, n_designs=16).n_built <= 16 + 2 * 14


def test_unknown_budgets_do_not_hide_other_mistakes():
    unknown, other = find_mistakes(space(hiden=3).within(qubit=3, flops=1e9), IRIS, n_designs=4).mistakes
    assert unknown.startswith("unknown budget 'qubit': did you mean 'qubits'? Allowed: ")
    assert "unknown value of the architecture, 'hiden'" in other


def test_a_space_without_valid_designs(monkeypatch):
    monkeypatch.setattr("qnas.space.draws.MAX_REJECTED", 100)
    found = find_mistakes(space().where(lambda a: False, because="nothing pleases me"), IRIS)
    assert found.mistakes == (
        "none of 100 designs drawn from the space is valid: 'nothing pleases me' excluded 100. Relax a constraint.",
    )
    assert found.n_built == 0


def test_a_constraint_that_raises():
    (text,) = find_mistakes(space().where(lambda a: a.nosuch, because="it is said"), IRIS).mistakes
    assert text.startswith("the constraint 'it is said' cannot be judged: AttributeError: unknown value of this archi")


def test_words_that_are_misspelt_in_yaml():
    text = "{n_qubits: {integr: [2, 3]}, encoding: angle, layers: {repeat: [1, 2], rotation: ry, entangler: cx}}"
    first, second = find_mistakes(Space.from_yaml(text), IRIS, n_designs=4).mistakes
    assert first == "n_qubits is a value called 'integr', the same in all designs; did you mean the gene 'integer'?"
    assert second.startswith("4 of 4 designs cannot be built: ")


def test_a_space_without_genes():
    ansatz = {"name": "sim2019", "template": 14}
    assert find_mistakes(Space(n_qubits=3, encoding="angle", ansatz=ansatz), IRIS) == Inspection((), (), 1)


def test_data_that_do_not_exist():
    with pytest.raises(PluginError, match="unknown data set 'irsi': did you mean 'iris'"):
        find_mistakes(space(), DataSettings("irsi"))


@pytest.mark.slow
@pytest.mark.parametrize("name", space_names())
def test_a_bundled_space_has_no_mistakes(name):
    found = find_mistakes(load_space(name))
    assert found.mistakes == () and found.n_built >= 50
