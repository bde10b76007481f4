"""Every bundled space is searched: 24 designs on wine, none of which fails."""

import pytest

import qnas
from qnas.experiment.results import read_findings
from qnas.space import space_names

pytestmark = pytest.mark.usefixtures("blank_pictures")

JOB = (
    "data=wine",
    "search.population=8",
    "search.generations=3",
    "training.epochs=2",
    "executor=serial",
    "objectives.options.expressibility.n_pairs=200",
    "objectives.options.trainability.n_starts=8",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", space_names())
def test_a_search_of_24_designs_finishes(tmp_path, name):
    result = qnas.search([*JOB, f"space={name}", f"run_dir={tmp_path}/run"])
    evaluations = read_findings(result.path).evaluations.values()
    assert [evaluation.reason for evaluation in evaluations] == [""] * 24
    assert all(
        set(evaluation.values) == {"accuracy", "expressibility", "trainability", "flops"} for evaluation in evaluations
    )
    assert len(result.front) >= 1 and result.load(int(result.front["id"][0])).n_parameters
