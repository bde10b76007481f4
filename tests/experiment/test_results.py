"""What a run leaves: front.csv, front.json, designs, figures; and the result as Python sees it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from qiskit import qasm3, qpy

import qnas
from qnas.data import load_splits
from qnas.errors import RunFolderError
from qnas.experiment.evaluation import Evaluation, State
from qnas.experiment.folder import RunFolder
from qnas.experiment.results import Findings, Result, read_findings, write_results
from qnas.front.export import png
from qnas.front.plots import save_figure
from qnas.launch import compose
from qnas.model.training import effective, predict, score, tensors
from qnas.objectives import choose_objectives
from qnas.simulation import SampledSimulator
from qnas.space import load_space
from tests.experiment.runs import PARTS_SPACE, QUICKEST, SPACE, contents, front_without_seconds

space = load_space(str(SPACE))
objectives = choose_objectives(["accuracy", "expressibility", "flops"])


def evaluation(seed, accuracy, expressibility=1.0, flops=100, **more):
    values = {"accuracy": accuracy, "expressibility": expressibility, "flops": flops}
    return Evaluation(space.sample(seed), State.COMPLETE, values, **more)


def failed(seed):
    return Evaluation(space.sample(seed), State.ERROR, {"flops": 1}, reason="no")


def findings(*evaluations, population=4, overrides=()):
    config = compose([f"search.population={population}", *overrides])
    return Findings(config, space, objectives, dict(enumerate(evaluations)))


def test_tables_show_genes_at_their_default_and_leave_out_those_without_effect():
    tradeoff = load_space("tradeoff")
    plain = next(a for a in map(tradeoff.sample, range(99)) if a.pre == "mlp" and a.head == ())
    forms = [effective(plain, configuration) for configuration in ("end_to_end", "pqc")]
    values = {"accuracy": 0.5, "expressibility": 1.0, "flops": 1}
    table = replace(findings(*(Evaluation(form, State.COMPLETE, values) for form in forms)), space=tradeoff).table
    assert "pre" not in forms[0] and "head" not in forms[0]
    assert table[["pre", "head"]].values.tolist()[0] == ["mlp", "none"]
    assert table[["pre", "head"]].isna().values.tolist() == [[False, False], [True, True]]


def test_a_table_of_hundreds_of_genes_is_made_without_a_warning():
    gates = load_space("gates")
    values = {"accuracy": 0.5, "expressibility": 1.0, "flops": 1}
    made = [Evaluation(gates.sample(seed), State.COMPLETE, values) for seed in range(2)]
    table = replace(findings(*made), space=gates).table
    assert len(table.columns) > 100 and table["on_front"].tolist() == [True, True]


# --- constraints and errors -----------------------------------------------------------------------------------

BOUNDED = ("objectives.constraints=['accuracy >= 0.5','flops <= 100']",)


def test_designs_that_meet_the_constraints_go_first():
    found = findings(
        evaluation(0, 0.9, 0.1, 110),
        evaluation(1, 0.5, 2.0, 100),
        evaluation(2, 0.4, 0.1),
        failed(3),
        overrides=BOUNDED,
    )
    assert found.violations.tolist() == pytest.approx([0.1, 0.0, 0.2, np.inf])
    assert found.on_front.tolist() == [False, True, False, False]
    assert found.front["violation"].tolist() == [0.0]
    assert found.unmet == ""


def test_where_none_meets_them_the_nearest_stand_on_the_front():
    found = findings(evaluation(0, 0.9, 0.1, 110), evaluation(1, 0.2, 0.1), failed(2), overrides=BOUNDED)
    assert found.on_front.tolist() == [True, False, False]
    assert found.unmet == ("No design meets accuracy >= 0.5 and flops <= 100; those that come nearest stand here.")
    assert found.hypervolume() == 0


def test_designs_that_break_a_constraint_add_no_hypervolume():
    inside, beyond = evaluation(0, 0.6, 0.1, 90), evaluation(1, 0.9, 0.05, 200)
    found = findings(inside, evaluation(2, 0.5, 1.0, 100), beyond, overrides=BOUNDED)
    history = found.hypervolume_history()
    assert history[0] == history[1] == history[2] > 0


def test_without_constraints_there_is_no_such_column():
    found = findings(evaluation(0, 0.9))
    assert "violation" not in found.front.columns
    assert found.unmet == ""


def test_a_design_is_not_beaten_by_less_than_the_stated_standard_errors():
    better, worse = evaluation(0, 0.9, errors={"accuracy": 0.03}), evaluation(1, 0.86, errors={"accuracy": 0.04})
    assert findings(better, worse).on_front.tolist() == [True, False]
    assert findings(better, worse, overrides=["objectives.n_standard_errors=1"]).on_front.tolist() == [True, True]
    assert findings(better, worse, overrides=["objectives.n_standard_errors=0.5"]).on_front.tolist() == [True, False]


# --- the table ------------------------------------------------------------------------------------------------


def test_a_gene_that_some_designs_lack_keeps_its_integers():
    iqp = next(one for one in space.architectures() if one.encoding.name == "iqp")
    angle = next(one for one in space.architectures() if one.encoding.name == "angle")
    values = {"accuracy": 0.5, "expressibility": 1.0, "flops": 3}
    found = findings(*(Evaluation(one, State.COMPLETE, values) for one in (iqp, angle)))
    column = found.table["encoding.iqp.repeats"].tolist()
    assert column[0] == 1 and type(column[0]) is int
    assert pd.isna(column[1])
    assert found.table["flops"].dtype == np.int64 and found.table["accuracy"].dtype == np.float64


def test_the_front_is_sorted_from_the_best_and_the_table_is_in_the_order_of_ids():
    found = findings(evaluation(0, 0.2, 0.1), failed(1), evaluation(2, 0.9, 0.5), evaluation(3, 0.1, 0.9))
    assert found.front["id"].tolist() == [2, 0]
    assert found.table["id"].tolist() == [0, 2, 3]
    assert found.table["on_front"].tolist() == [True, True, False]


def test_a_run_in_which_all_failed_has_an_empty_front_with_columns():
    found = findings(failed(0), failed(1))
    assert len(found.front) == len(found.table) == 0
    assert {"id", "accuracy", "flops", "layers", "seed"} <= set(found.front.columns)


def test_only_objectives_that_are_estimates_have_an_error_column():
    found = findings(evaluation(0, 0.5, errors={"accuracy": 0.1}), evaluation(1, 0.6, 0.5))
    assert [name for name in found.front.columns if name.endswith("_se")] == ["accuracy_se"]


# --- a finished run -------------------------------------------------------------------------------------------


def test_the_columns_of_front_csv(finished):
    header = front_without_seconds(finished.path)[0]
    genes = [gene.name for gene in space.genes]
    measured = ["accuracy", "expressibility", "flops", "accuracy_se", "expressibility_se"]
    assert header == ["id", "fingerprint", *measured, *genes, "n_parameters", "seed"]
    assert (finished.path / "front.csv").read_text().split("\n")[0].endswith(",n_parameters,seconds,seed")


def test_no_design_beats_a_member_of_the_front_and_every_other_one_is_beaten(finished):
    table = finished.evaluations
    losses = np.column_stack([-table["accuracy"], table["expressibility"], table["flops"]]).astype(float)
    for k, member in enumerate(table["on_front"]):
        beaten = ((losses <= losses[k]).all(axis=1) & (losses < losses[k]).any(axis=1)).any()
        assert beaten != member
    assert 0 < len(finished.front) < len(table) == 12


def test_front_json_agrees_with_front_csv(finished):
    records = json.loads((finished.path / "front.json").read_text())
    table = pd.read_csv(finished.path / "front.csv", dtype={"fingerprint": str})
    assert [record["id"] for record in records] == table["id"].tolist()
    for record, row in zip(records, table.to_dict("records"), strict=True):
        assert record["fingerprint"] == row["fingerprint"]
        assert record["values"] == {name: row[name] for name in ("accuracy", "expressibility", "flops")}
        assert record["standard_errors"] == {name: row[f"{name}_se"] for name in ("accuracy", "expressibility")}
        assert (record["n_parameters"], record["seed"]) == (row["n_parameters"], row["seed"])
        assert qnas.Architecture(record["architecture"]).fingerprint == row["fingerprint"]
        assert record["details"]["accuracy"]["learning_curve"]


def test_every_member_has_its_folder_and_nothing_else_is_there(finished):
    designs = finished.path / "designs"
    assert {path.name for path in designs.iterdir()} == {str(design_id) for design_id in finished.front["id"]}
    for folder in designs.iterdir():
        assert {path.name for path in folder.iterdir()} == {
            "architecture.json", "circuit.qasm", "circuit.qpy", "circuit.png", "weights.safetensors",
        }  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_circuits_of_a_design_are_those_of_its_architecture(finished):
    for row in finished.front.to_dict("records"):
        folder = finished.path / "designs" / str(row["id"])
        architecture = qnas.Architecture.from_json((folder / "architecture.json").read_text())
        assert architecture.fingerprint == row["fingerprint"]
        built = qnas.build_circuit(architecture, 4)
        with (folder / "circuit.qpy").open("rb") as file:
            loaded = qpy.load(file)[0]
        assert [step.operation.name for step in loaded] == [step.operation.name for step in built]
        assert [str(parameter) for parameter in loaded.parameters] == [str(parameter) for parameter in built.parameters]
        assert qasm3.loads((folder / "circuit.qasm").read_text()).num_parameters == built.num_parameters


def test_the_pictures_are_images_and_the_same_each_time(finished, tmp_path, monkeypatch):
    monkeypatch.setattr("qnas.experiment.results.png", png)
    monkeypatch.setattr("qnas.experiment.results.save_figure", save_figure)
    run_dir, found = shutil.copytree(finished.path, tmp_path / "run"), []
    for _ in range(2):
        shutil.rmtree(run_dir / "designs")
        write_results(RunFolder(run_dir), read_findings(run_dir))
        found.append({path: path.read_bytes() for path in run_dir.rglob("*.png")})
    assert found[0] == found[1]
    assert len(found[0]) == 2 + len(finished.front)
    assert all(content.startswith(b"\x89PNG") for content in found[0].values())


def test_a_run_folder_holds_what_the_design_promises(finished):
    assert {path.name for path in finished.path.iterdir()} == {
        "config.yaml", "ledger.jsonl", "front.csv", "front.json", "figures", "designs", "environment.json", "log.txt",
        "references.bib", "weights",
    }  # fmt: skip
    log = (finished.path / "log.txt").read_text().splitlines()
    assert sum(" INFO design " in line and " complete: {" in line for line in log) == 12


def test_a_loaded_model_has_the_validation_accuracy_of_its_row(finished):
    splits = load_splits(compose(["data=iris"]).data)
    _, targets = tensors(splits.validation)
    assert isinstance(finished.front, pd.DataFrame)
    for row in finished.front.to_dict("records"):
        model = finished.load(row["id"])
        assert isinstance(model, torch.nn.Module) and not model.training
        assert score(predict(model, splits.validation), targets, "classification") == row["accuracy"]
        assert model.n_parameters == row["n_parameters"]


def test_models_of_parts_with_options_load_with_all_that_was_fitted(tmp_path):
    """On 13 features and 2 qubits."""
    job = ["search.population=8", "search.generations=1", "training.epochs=1", "executor=serial"]
    names = "objectives.names=[accuracy,flops]"
    result = qnas.search([f"space={PARTS_SPACE}", "data=wine", names, *job, f"run_dir={tmp_path}/run"])
    splits = load_splits(compose(["data=wine"]).data)
    _, targets = tensors(splits.validation)
    assert len(result.evaluations) == 8
    for row in result.front.to_dict("records"):
        model = result.load(row["id"])
        assert score(predict(model, splits.validation), targets, "classification") == row["accuracy"]
        assert model.n_parameters == row["n_parameters"]


def test_a_loaded_model_is_exact_unless_a_simulator_is_given(finished):
    design_id, features = int(finished.front["id"][0]), torch.zeros(1, 4, dtype=torch.float64)
    sampled = finished.load(design_id, simulator=SampledSimulator(n_shots=16))
    exact = finished.load(design_id)
    assert not torch.equal(sampled(features), exact(features))
    assert [layer.spent.n_shots > 0 for layer in (*sampled.quantum_layers, *exact.quantum_layers)] == [True, False]
    assert torch.equal(sampled.state_dict()["network.quantum.weight"], exact.state_dict()["network.quantum.weight"])


def test_a_design_that_is_not_on_the_front_cannot_be_loaded(finished):
    with pytest.raises(RunFolderError, match=r"unknown design on the front, '999': .*Allowed: \d+"):
        finished.load(999)


def test_a_result_reads_what_the_run_wrote(finished):
    again = Result(finished.path)
    pd.testing.assert_frame_equal(again.front, finished.front)
    assert repr(again) == f"Result({str(finished.path)!r}: {len(again.front)} of 12 designs on the front)"


def test_writing_the_results_again_changes_no_byte(finished):
    before = contents(finished.path)
    write_results(RunFolder(finished.path), read_findings(finished.path))
    assert contents(finished.path) == before


def test_lost_results_are_written_again_identically(finished):
    before = contents(finished.path)
    (finished.path / "front.csv").unlink()
    member = finished.path / "designs" / str(finished.front["id"][0])
    for file in member.iterdir():
        file.unlink()
    member.rmdir()
    write_results(RunFolder(finished.path), read_findings(finished.path))
    after = contents(finished.path)
    assert after.keys() == before.keys()
    # QPY holds identifiers that Qiskit draws for each parameter
    assert {path for path in after if after[path] != before[path]} <= {
        (member / "circuit.qpy").relative_to(finished.path)
    }


def test_a_design_that_was_trained_on_gets_its_new_weights(finished, tmp_path):
    """As early stopping does after an interruption, at which the front so far was written."""
    run = shutil.copytree(finished.path, tmp_path / "run")
    member = finished.front.to_dict("records")[0]
    written, folder = run / "designs" / str(member["id"]) / "weights.safetensors", RunFolder(run)
    before = written.read_bytes()
    folder.save_weights(member["fingerprint"], b"trained on")
    write_results(folder, read_findings(run))
    assert written.read_bytes() == b"trained on"
    folder.weights_file(member["fingerprint"]).unlink()
    write_results(folder, read_findings(run))
    assert written.read_bytes() == b"trained on" != before, "what the folder of the design has is not thrown away"


def test_a_design_that_left_the_front_loses_its_folder(tmp_path):
    result = qnas.search([*QUICKEST, f"run_dir={tmp_path}/run"])
    found, folder = read_findings(result.path), RunFolder(result.path)
    member = int(result.front["id"][0])
    worse = replace(found.evaluations[member], values={"flops": 10**9})
    write_results(folder, replace(found, evaluations={**found.evaluations, member: worse}))
    left = {path.name for path in folder.designs.iterdir()}
    assert left and str(member) not in left


def test_a_design_keeps_its_folder_until_the_tables_are_written(tmp_path, monkeypatch):
    result = qnas.search([*QUICKEST, f"run_dir={tmp_path}/run"])
    found, folder = read_findings(result.path), RunFolder(result.path)
    member = int(result.front["id"][0])
    worse = replace(found.evaluations[member], values={"flops": 10**9})
    monkeypatch.setattr("qnas.experiment.results.write_front", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_results(folder, replace(found, evaluations={**found.evaluations, member: worse}))
    assert (folder.designs / str(member)).is_dir()


def test_designs_without_training_have_no_weights_to_load(tmp_path):
    result = qnas.search([*QUICKEST, f"run_dir={tmp_path}/run"])
    with pytest.raises(RunFolderError, match="was not trained"):
        result.load(int(result.front["id"][0]))


def test_no_run_no_findings(tmp_path):
    with pytest.raises(RunFolderError, match="holds no run"):
        read_findings(tmp_path)
