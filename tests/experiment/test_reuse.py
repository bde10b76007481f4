"""Evaluations of earlier runs: used again where they are what this run would find, marked, and otherwise a warning."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest

import qnas
from qnas.cli import main
from qnas.errors import ConfigurationError, RunFolderError
from qnas.experiment import executor as executor_room
from qnas.experiment import reuse, sources
from qnas.experiment.evaluation import Evaluation, State
from qnas.experiment.folder import RunFolder
from qnas.experiment.journal import Journal
from qnas.experiment.ledger import Ledger, read_history
from qnas.experiment.results import read_findings
from qnas.experiment.reuse import earlier_evaluations, misfits
from qnas.launch import compose
from qnas.objectives import choose_objectives
from qnas.space import load_space
from tests.experiment.runs import (
    QUICKEST,
    SMALL,
    SPACE,
    front_without_seconds,
    records_without_seconds,
    with_mishaps,
)


@pytest.fixture
def n_evaluated(monkeypatch):
    """How many designs are evaluated within the test."""
    counted, evaluated = [], executor_room.evaluate

    def evaluate(task):
        counted.append(task)
        return evaluated(task)

    monkeypatch.setattr(executor_room, "evaluate", evaluate)
    return lambda: len(counted)


def reasons(run_dir, overrides, tmp_path):
    """Why a run with these overrides would not use another one."""
    config = compose([*overrides, f"run_dir={tmp_path}/asks"])
    choose_objectives(config.objectives.names, config.objectives.add)
    load_space(config.space)
    RunFolder.claim(config)
    return misfits(RunFolder(run_dir), config)


def reusing(run_dir, *overrides):
    return [*overrides, f"ledger.reuse=[{run_dir}]"]


def test_a_longer_search_evaluates_only_what_is_new(finished, tmp_path, n_evaluated):
    plain = qnas.search([*SMALL, "search.generations=3", f"run_dir={tmp_path}/plain"])
    assert n_evaluated() == 18
    result = qnas.search([*reusing(finished.path, *SMALL, "search.generations=3"), f"run_dir={tmp_path}/run"])
    assert n_evaluated() == 18 + 6
    found = read_findings(result.path)
    assert found.n_reused == 12
    assert {one.reused for one in found.evaluations.values()} == {"", str(finished.path)}
    front = [row[:-1] for row in front_without_seconds(result.path)]
    assert front == front_without_seconds(plain.path)
    records = [{**record, "reused": None} for record in records_without_seconds(result.path)]
    assert records == [{**record, "reused": None} for record in records_without_seconds(plain.path)]
    for design_id in result.front["id"]:
        weights = f"designs/{design_id}/weights.safetensors"
        assert (result.path / weights).read_bytes() == (plain.path / weights).read_bytes()
    log = (result.path / "log.txt").read_text()
    assert log.count(f", reused from {finished.path}") == 12
    assert " INFO 12 of 18 designs are reused from earlier runs" in log


def test_the_run_that_a_value_came_from_is_a_column_only_where_it_was_asked_for(finished, tmp_path, capsys):
    assert "reused" not in finished.front and "reused" not in finished.evaluations
    run = tmp_path / "run"
    assert main(["search", *reusing(finished.path, *SMALL), f"run_dir={run}"]) == 0
    said = capsys.readouterr().out
    assert "of 12 designs, 0 failed, 12 reused" in said
    assert " reused " in said and finished.path.name in said
    table = pd.read_csv(run / "front.csv")
    assert list(table.columns)[-3:] == ["seconds", "seed", "reused"]
    assert set(table["reused"]) == {str(finished.path)}
    assert {record["reused"] for record in json.loads((run / "front.json").read_text())} == {str(finished.path)}


def test_a_run_that_reuses_is_resumed_like_any_other(finished, tmp_path, n_evaluated):
    overrides = [*reusing(finished.path, *SMALL), f"run_dir={tmp_path}/run"]
    before = front_without_seconds(qnas.search(overrides).path)
    assert main(["resume", f"{tmp_path}/run"]) == 0
    assert n_evaluated() == 0
    assert front_without_seconds(tmp_path / "run") == before


def test_the_first_run_of_several_counts_and_a_value_keeps_its_origin(finished, tmp_path, n_evaluated):
    second = qnas.search([*reusing(finished.path, *SMALL), f"run_dir={tmp_path}/second"]).path
    third = qnas.search([*SMALL, f"ledger.reuse=[{second},{finished.path}]", f"run_dir={tmp_path}/third"]).path
    assert {one.reused for one in read_findings(third).evaluations.values()} == {str(finished.path)}
    assert n_evaluated() == 0


def test_another_seed_takes_values_of_the_seed_that_they_came_from(finished, tmp_path):
    result = qnas.search([*reusing(finished.path, *SMALL), "seed=5", f"run_dir={tmp_path}/run"])
    found = read_findings(result.path).evaluations.values()
    assert {(one.seed, bool(one.reused)) for one in found} == {(0, True), (5, False)}


def test_fewer_objectives_take_their_part_of_more(finished, tmp_path, n_evaluated):
    result = qnas.search([*reusing(finished.path, *QUICKEST), f"run_dir={tmp_path}/run"])
    found = read_findings(result.path).evaluations.values()
    reused = [one for one in found if one.reused]
    assert reused and n_evaluated() == len(found) - len(reused)
    assert all(set(one.values) == {"flops"} and not one.errors for one in reused)
    assert all(set(one.details) <= {"flops"} for one in reused)


@pytest.mark.parametrize("ledger", ["sqlite", "journal"])
def test_the_earlier_run_may_keep_its_ledger_anywhere(tmp_path, n_evaluated, ledger):
    place = [f"ledger=sqlite:///{tmp_path}/l.db"] if ledger == "sqlite" else []
    overrides = [*QUICKEST, "search.generations=1"]
    qnas.search([*overrides, *place, f"run_dir={tmp_path}/earlier"])
    qnas.search([*reusing(tmp_path / "earlier", *overrides), f"run_dir={tmp_path}/run"])
    assert n_evaluated() == 6


def test_failures_are_evaluated_again(tmp_path):
    earlier = qnas.search(with_mishaps("error", f"run_dir={tmp_path}/earlier")).path
    overrides = with_mishaps("error", f"ledger.reuse=[{earlier}]", f"run_dir={tmp_path}/run")
    found = read_findings(qnas.search(overrides).path).evaluations.values()
    assert {(one.state, bool(one.reused)) for one in found} == {(State.COMPLETE, True), (State.ERROR, False)}


def test_designs_whose_training_was_stopped_are_evaluated_again(tmp_path):
    overrides = [*SMALL, "training.epochs=4", "search.generations=1"]
    halving = qnas.search(
        [*overrides, "early_stopping=halving", "early_stopping.first=2", f"run_dir={tmp_path}/halving"]
    )
    n_whole = int(halving.evaluations["stopped_at"].isna().sum())
    assert 0 < n_whole < 6
    found = read_findings(qnas.search([*reusing(halving.path, *overrides), f"run_dir={tmp_path}/run"]).path)
    assert found.n_reused == n_whole
    plain = qnas.search([*overrides, f"run_dir={tmp_path}/plain"])
    assert [row[:-1] for row in front_without_seconds(tmp_path / "run")] == front_without_seconds(plain.path)


def test_a_design_whose_weights_are_gone_is_trained_again(finished, tmp_path, n_evaluated):
    earlier = shutil.copytree(finished.path, tmp_path / "earlier")
    next((earlier / "weights").iterdir()).unlink()
    qnas.search([*reusing(earlier, *SMALL), f"run_dir={tmp_path}/run"])
    assert n_evaluated() == 1


def test_nothing_is_found_where_nothing_is_asked_for():
    assert earlier_evaluations(compose(SMALL), ()).found == {}


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("training.epochs=2", "training.epochs is 1 there and 2 here"),
        ("training=pqc", "training.configuration is 'end_to_end' there and 'pqc' here"),
        ("data=wine", "data.name is 'iris' there and 'wine' here"),
        ("data.seed=1", "data.seed is 0 there and 1 here"),
        ("simulation=shots", "simulation.name is 'exact' there and 'shots' here"),
        ("objectives.names=[flops,depth]", "it has no objective 'depth'"),
        (
            "objectives.options.expressibility.n_pairs=50",
            "objectives.options.expressibility.n_pairs is 100 there and 50 here",
        ),
    ],
)
def test_a_run_that_does_not_fit_says_which_keys_differ(finished, tmp_path, override, reason):
    assert reason in reasons(finished.path, [*SMALL, override], tmp_path)


def test_what_does_not_decide_on_values_does_not_matter(finished, tmp_path):
    others = [
        "seed=3", "search=random", "search.evaluations=4", "executor=local", "simulation.memory_gib=1",
        "objectives.constraints=['flops <= 1e4']", "space=hybrid", "objectives.names=[expressibility,accuracy]",
    ]  # fmt: skip
    assert reasons(finished.path, [*SMALL, *others], tmp_path) == []


def test_a_run_that_does_not_fit_is_one_warning(finished, tmp_path, capsys, n_evaluated):
    overrides = [*reusing(finished.path, *SMALL), "training.epochs=2", "search.generations=1"]
    assert main(["search", *overrides, f"run_dir={tmp_path}/run"]) == 0
    said = f"nothing of the run {str(finished.path)!r} is reused: training.epochs is 1 there and 2 here"
    assert capsys.readouterr().out.count(f"Note: {said}") == 1
    assert (tmp_path / "run" / "log.txt").read_text().count(f" WARNING {said}") == 1
    assert n_evaluated() == 6


def test_another_version_of_what_computes_does_not_fit(finished, tmp_path):
    earlier = shutil.copytree(finished.path, tmp_path / "earlier")
    file = earlier / "environment.json"
    began = json.loads(file.read_text())
    file.write_text(json.dumps({**began, "versions": {**began["versions"], "qnas-hqnn": "0.0.1", "optuna": "1"}}))
    assert reasons(earlier, SMALL, tmp_path) == [f"qnas-hqnn was 0.0.1 and is {began['versions']['qnas-hqnn']}"]
    file.write_text("{}")
    (reason,) = reasons(earlier, SMALL, tmp_path)
    assert reason.startswith("its environment.json is not what qnas wrote (KeyError: ")


def begun(tmp_path, *overrides):
    """The folder of a run that has begun."""
    return RunFolder.claim(compose([*QUICKEST, *overrides, f"run_dir={tmp_path}/earlier"])).path


def test_the_content_of_data_counts_and_not_where_they_lie(tmp_path):
    (tmp_path / "one.csv").write_text("a,b,y\n1,2,0\n2,1,1\n")
    shutil.copy(tmp_path / "one.csv", tmp_path / "same.csv")
    (tmp_path / "other.csv").write_text("a,b,y\n1,2,0\n2,1,0\n")
    earlier = begun(tmp_path, "data=file", f"data.path={tmp_path}/one.csv")
    assert reasons(earlier, [*QUICKEST, "data=file", f"data.path={tmp_path}/same.csv"], tmp_path) == []
    shutil.rmtree(tmp_path / "asks")
    other = reasons(earlier, [*QUICKEST, "data=file", f"data.path={tmp_path}/other.csv"], tmp_path)
    assert other == ["the file of data.path has another content"]


OBJECTIVE = """
import qnas

@qnas.objective("minimize", "gates")
def reuse_counts(design) -> float:
    return {}
"""


def test_an_objective_of_one_s_own_must_be_the_same_file(tmp_path):
    for name, value in (("one", 1.0), ("other", 2.0)):
        (tmp_path / f"{name}.py").write_text(OBJECTIVE.format(value))
    earlier = begun(tmp_path, f"objectives.add=[{tmp_path}/one.py]")
    assert reasons(earlier, QUICKEST, tmp_path) == []
    shutil.rmtree(tmp_path / "asks")
    other = reasons(earlier, [*QUICKEST, f"objectives.add=[{tmp_path}/other.py]"], tmp_path)
    assert other == ["a file of objectives.add has another content there, or was not added"]


PART = """
from qnas.circuit.topologies import topologies
topologies.add("reuse_pairs", lambda n_qubits: [({}, 1)])
"""


def test_a_space_may_change_but_not_the_parts_that_it_brings(tmp_path, monkeypatch):
    monkeypatch.setattr("qnas.circuit.topologies.topologies._parts", {})
    one, wider, other = (tmp_path / f"{name}.py" for name in ("one", "wider", "other"))
    one.write_text(SPACE.read_text() + PART.format(0))
    wider.write_text(SPACE.read_text().replace("repeat(1, 2", "repeat(1, 3"))
    other.write_text(SPACE.read_text() + PART.format(2))
    load_space(str(wider))
    plain = begun(tmp_path, f"space={wider}")
    assert reasons(plain, QUICKEST, tmp_path) == []
    load_space(str(one))
    shutil.rmtree(tmp_path / "earlier")
    shutil.rmtree(tmp_path / "asks")
    earlier = begun(tmp_path, f"space={one}")
    assert reasons(earlier, [*QUICKEST, f"space={one}"], tmp_path) == []
    shutil.rmtree(tmp_path / "asks")
    found = reasons(earlier, [*QUICKEST, f"space={other}"], tmp_path)
    assert found == ["the file of the topology 'reuse_pairs' is not the same"]


def test_a_folder_that_is_no_run_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(RunFolderError, match=r"ledger\.reuse names a folder that cannot be used: '.*/nosuch' holds no"):
        qnas.search([*QUICKEST, f"ledger.reuse=[{tmp_path}/nosuch]", f"run_dir={tmp_path}/run"])
    with pytest.raises(ConfigurationError, match=r"ledger\.reuse names '.*/run', which is this run itself"):
        qnas.search([*QUICKEST, f"ledger.reuse=[{tmp_path}/run]", f"run_dir={tmp_path}/run"])
    assert list(tmp_path.iterdir()) == []


def test_folders_are_found_from_any_other_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert compose(["ledger.reuse=[runs/a]"]).ledger.reuse == [str(tmp_path / "runs" / "a")]


def test_parts_of_qnas_itself_are_not_one_s_own():
    assert not any(name.startswith(("encoding 'angle'", "coupling 'mac'")) for name in sources.own_parts())


def test_a_history_is_read_without_its_space(tmp_path):
    space, objectives = load_space(str(SPACE)), choose_objectives(["flops"])
    one = Evaluation(space.sample(0), State.COMPLETE, values={"flops": 3}, seed=2)
    Ledger(tmp_path / "l.jsonl", objectives, space).append(0, one)
    assert list(read_history(Journal(tmp_path / "l.jsonl"))) == [one]
    assert list(read_history(Journal(tmp_path / "nosuch.jsonl"))) == []
    assert reuse._narrowed(replace(one, reused="first"), ["flops"], "second").reused == "first"


def test_a_run_that_has_begun_goes_on_without_an_earlier_one_that_is_gone(finished, tmp_path, n_evaluated, capsys):
    """It keeps what it took from it."""
    earlier, run = shutil.copytree(finished.path, tmp_path / "earlier"), tmp_path / "run"
    before = front_without_seconds(qnas.search([*reusing(earlier, *SMALL), f"run_dir={run}"]).path)
    shutil.rmtree(earlier)
    assert main(["resume", str(run)]) == 0
    said = f"Note: nothing of the run {str(earlier)!r} is reused: {str(earlier)!r} holds no run: there is no "
    assert said in capsys.readouterr().out
    assert n_evaluated() == 0 and front_without_seconds(run) == before
