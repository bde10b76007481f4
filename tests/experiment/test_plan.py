"""Checks of a run before anything is written."""

from dataclasses import replace

import pytest

import qnas
from qnas.errors import ConfigurationError, UsageError
from qnas.experiment.plan import check_run, check_space
from qnas.launch import compose
from qnas.objectives import choose_objectives
from qnas.space import Space, integer, load_space
from tests.experiment.runs import SMALL, SPACE


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("seed=-1", "seed is -1; allowed are whole numbers of at least 0"),
        ("objectives.constraints=['depth <= 3']", "unknown objective in objectives.constraints, 'depth'"),
        ("objectives.constraints=['flops < 3']", "objectives.constraints has 'flops < 3'; a constraint reads like"),
        ("objectives.n_standard_errors=-1", "objectives.n_standard_errors is -1.0; allowed are numbers of at least 0"),
    ],
)
def test_values_that_cannot_be_are_refused(override, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        check_run(compose([override]))


def test_checking_a_run_writes_nothing(tmp_path):
    check_run(compose([*SMALL, f"run_dir={tmp_path}/run"]))
    assert list(tmp_path.iterdir()) == []


def test_a_space_with_one_design_that_can_be_built_passes():
    space = load_space(str(SPACE))
    check_space(space, compose(["data=iris", f"space={SPACE}"]))
    too_few = compose(["data=wine", "training=pqc", f"space={SPACE}"])
    said = "none of 500 sampled designs .* can be evaluated: the number of features excluded 500 .* encoding .* at most"
    with pytest.raises(UsageError, match=said):
        check_space(space, too_few)


def test_a_space_of_which_few_designs_can_be_built_passes(tmp_path):
    few = tmp_path / "few.py"
    names = ["residual" if k == 10 else f"nosuch_{k}" for k in range(13)]  # the 28th that is drawn is of this one
    few.write_text(SPACE.read_text().replace('coupling="residual"', f"coupling=choice(*{names})"))
    check_space(load_space(str(few)), compose(["data=iris", f"space={few}"]))


def test_a_part_that_raises_makes_a_space_that_cannot_be_searched(monkeypatch):
    monkeypatch.setattr("qnas.experiment.plan.check_candidate", lambda *_: 1 / 0)
    sentence = r"none of 100 sampled designs .* can be built: ZeroDivisionError: division by zero\.$"
    with pytest.raises(UsageError, match=sentence):
        check_space(load_space(str(SPACE)), compose(["data=iris", f"space={SPACE}"]))


@pytest.mark.parametrize(
    ("genes", "names", "sentence"),
    [
        (["n_qubits"], ["n_qubits"], "'n_qubits', a gene of the space and an objective; rename"),
        (["seed"], ["cost"], "'seed', a column of every run and a gene of the space; rename"),
        ([], ["on_front"], "'on_front', a column of every run and an objective; rename"),
        ([], ["cost", "cost_se"], "'cost_se', an objective and the standard error of the objective 'cost'; rename"),
        (
            ["cost_se"],
            ["cost"],
            "'cost_se', a gene of the space and the standard error of the objective 'cost'; rename",
        ),
    ],
)
def test_two_columns_of_one_name_are_refused_before_anything_is_written(tmp_path, monkeypatch, genes, names, sentence):
    space = Space(**{name: integer(1, 2) for name in genes}, coupling="serial")
    chosen = tuple(replace(choose_objectives(["flops"])[0], name=name) for name in names)
    monkeypatch.setattr("qnas.experiment.plan.load_space", lambda text: space)
    monkeypatch.setattr("qnas.experiment.plan.choose_objectives", lambda *settings: chosen)
    with pytest.raises(ConfigurationError, match=f"^front.csv would have two columns {sentence}"):
        qnas.search(["data=iris", f"run_dir={tmp_path / 'run'}"])
    assert not (tmp_path / "run").exists()
