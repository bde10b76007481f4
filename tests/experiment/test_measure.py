"""Every objective of one design: what is measured, of which files, and what is said where it cannot be."""

import json
from dataclasses import replace

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

import qnas
from qnas.circuit.ansatze import sim2019, slpa
from qnas.circuit.backends import BackendChoice
from qnas.cli import main
from qnas.data import DataSettings
from qnas.errors import ConfigurationError, DesignError, PluginError, UsageError
from qnas.experiment.measure import as_records, measure, subject_of
from qnas.experiment.templates import write_templates
from qnas.front.openqasm import to_openqasm
from qnas.objectives import Estimate, flops
from qnas.objectives.entangling import haar_entanglement
from qnas.objectives.hardware import n_two_qubit_gates
from qnas.testing.designs import architecture

IRIS = DataSettings("iris")
STATES = ["expressibility", "entangling_capability", "flops"]


@pytest.fixture
def json_file(tmp_path):
    file = tmp_path / "architecture.json"
    file.write_text(architecture().to_json())
    return file


def qasm_file(tmp_path, circuit):
    file = tmp_path / "circuit.qasm"
    file.write_text(to_openqasm(circuit))
    return str(file)


def test_an_architecture_is_measured_as_a_search_would(json_file):
    subject = subject_of(str(json_file), data=IRIS, epochs=1, names=["accuracy", *STATES])
    found = {one.objective.name: one for one in measure(subject)}
    assert list(found) == ["flops", "expressibility", "entangling_capability", "accuracy"]  # the cheapest first
    assert found["flops"].estimate.value == flops(architecture(), 4, 3).total
    assert found["accuracy"].estimate.standard_error > 0
    assert found["expressibility"].floor == found["expressibility"].estimate.details["haar_floor"]
    assert not any(one.reason for one in found.values())


def test_the_folder_of_a_design_is_its_architecture(json_file):
    subject = subject_of(str(json_file.parent), data=IRIS, names=["flops"])
    assert subject.design.architecture == architecture()


def test_a_circuit_by_itself_has_weights_only(tmp_path):
    circuit = sim2019(4, 9)
    subject = subject_of(qasm_file(tmp_path, circuit), data=IRIS)
    found = {one.objective.name: one.estimate for one in measure(subject)}
    assert "accuracy" not in found
    assert found["parameters"].value == circuit.num_parameters
    assert found["qubits"].value == 4
    assert found["entangling_capability"].value == pytest.approx(1, abs=1e-9)
    own = qnas.expressibility(circuit)
    assert found["expressibility"].value == pytest.approx(own.value, abs=5 * own.standard_error)
    assert found["lie_algebra_dim"].value == qnas.lie_algebra_dim(circuit)


def test_values_within_the_haar_floor_are_marked(tmp_path):
    subject = subject_of(qasm_file(tmp_path, sim2019(4, 6, n_layers=2)), data=IRIS, names=["expressibility"])
    (found,) = measure(subject)
    assert found.within_floor
    subject = subject_of(qasm_file(tmp_path, sim2019(4, 1)), data=IRIS, names=["expressibility"])
    (found,) = measure(subject)
    assert not found.within_floor


def test_an_objective_that_fails_does_not_stop_the_others(tmp_path):
    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    subject = subject_of(qasm_file(tmp_path, bell), data=IRIS, names=["trainability", "depth"])
    depth, trainability = measure(subject)
    assert depth.estimate.value == 2
    assert trainability.estimate is None
    assert trainability.reason == "the cost does not depend on any weight, so its trainability is not defined."


def test_a_value_that_is_no_number_is_a_failure(json_file):
    subject = subject_of(str(json_file), data=IRIS, names=["flops"])
    (objective,) = subject.objectives
    odd = replace(objective, measure=lambda design: Estimate(float("nan")))
    (found,) = measure(replace(subject, objectives=(odd,)))
    assert (found.estimate, found.reason) == (None, "the value is nan.")


def test_the_seed_decides(json_file):
    first, same, other = (
        next(measure(subject_of(str(json_file), data=IRIS, seed=seed, names=["expressibility"]))).estimate.value
        for seed in (1, 1, 2)
    )
    assert first == same != other


def test_the_record_is_json_and_holds_everything(json_file):
    subject = subject_of(str(json_file), data=IRIS, names=STATES)
    record = json.loads(as_records(subject, list(measure(subject))))
    assert record["fingerprint"] == architecture().fingerprint
    (row,) = (row for row in record["measured"] if row["objective"] == "expressibility")
    assert row["standard_error"] > 0 and row["floor"] > 0 and row["direction"] == "minimize"
    assert "1905.10876" in row["reference"]


def test_what_cannot_be_measured_is_a_sentence(tmp_path, json_file):
    circuit = QuantumCircuit(1)
    circuit.ry(ParameterVector("w", 1)[0], 0)
    with pytest.raises(UsageError, match=r"there is no file .*nothing\.json"):
        subject_of(str(tmp_path / "nothing.json"), data=IRIS)
    with pytest.raises(UsageError, match="accuracy needs training, but a circuit by itself has no data"):
        subject_of(qasm_file(tmp_path, circuit), data=IRIS, names=["accuracy"])
    with pytest.raises(PluginError, match="unknown objective 'flop': did you mean 'flops'"):
        subject_of(str(json_file), data=IRIS, names=["flop"])
    with pytest.raises(ConfigurationError, match="epochs is 0; it must be at least 1"):
        subject_of(str(json_file), data=IRIS, epochs=0)
    with pytest.raises(ConfigurationError, match="seed is -1; it must be at least 0"):
        subject_of(str(json_file), data=IRIS, seed=-1)
    json_file.write_text("{}")
    with pytest.raises(DesignError, match="the architecture has no 'n_qubits'"):
        subject_of(str(json_file), data=IRIS)


def test_a_design_of_a_run_is_measured_as_it_was_there(tmp_path):
    job = ["data=moons", "data.n_samples=60", "search.population=3", "search.generations=1", "training.epochs=2"]
    job += ["seed=3", "executor=serial", "objectives.names=[accuracy,expressibility,flops]"]
    result = qnas.search([*job, "objectives.options.expressibility.n_pairs=50", f"run_dir={tmp_path / 'run'}"])
    row = result.front.iloc[0]
    folder = tmp_path / "run" / "designs" / str(row["id"])
    found = measure(subject_of(str(folder), names=["accuracy", "expressibility", "flops"]))
    assert {one.objective.name: one.estimate.value for one in found} == {
        name: row[name] for name in ("accuracy", "expressibility", "flops")
    }


# --- the command ------------------------------------------------------------------------------------------------


def test_the_table_shows_values_errors_floors_and_references(json_file, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(json_file.parent)
    names = "expressibility,qubits,entangling_capability,success_probability,flops,trainability"
    assert main(["measure", json_file.name, "--data", "iris", "--objectives", names]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "architecture.json, fingerprint" in lines[0] and lines[0].endswith("on iris")
    assert all(len(line) <= 80 for line in lines) and "…" not in "".join(lines)
    rows = {line.split()[0]: line.split() for line in lines if "↓" in line or "↑" in line}
    assert rows.keys() == set(names.split(","))
    assert rows["qubits"][1:4] == ["↓", "3", "qubits"]
    assert float(rows["expressibility"][3]) > 0 and float(rows["expressibility"][4]) > 0  # error and floor
    number = rows["expressibility"][-1]
    assert any(line.split()[:2] == [number, "Sim,"] and "1905.10876, eqs. 7-9" in line for line in lines)
    counted = flops(architecture(), 4, 3)
    assert any(line.split()[:3] == ["flops", "encoding", f"{counted.encoding},"] for line in lines)
    assert any(" quantum part -" in line and "±" in line for line in lines)


def test_the_table_says_what_carries_no_order_and_what_was_not_measured(tmp_path, capsys):
    file = qasm_file(tmp_path, sim2019(4, 6, n_layers=2))
    assert main(["measure", file, "--objectives", "expressibility"]) == 0
    assert "what Haar-random states score, so that it carries no order" in " ".join(capsys.readouterr().out.split())
    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    assert main(["measure", qasm_file(tmp_path, bell), "--objectives", "trainability"]) == 0
    assert "not measured: the cost does not depend on any weight" in " ".join(capsys.readouterr().out.split())


def test_weights_that_are_measured_together_are_listed(tmp_path):
    circuit = slpa(4)
    subject = subject_of(qasm_file(tmp_path, circuit), names=["gradient_efficiency"])
    record = json.loads(as_records(subject, list(measure(subject))))
    details = record["measured"][0]["details"]
    groups = details["groups"]
    assert len(groups) == details["n_groups"]
    assert {name for group in groups for name in group} <= {parameter.name for parameter in circuit.parameters}


def test_options_of_objectives(json_file, capsys):
    given = ["expressibility.n_pairs=200", "expressibility.max_error=2e-1", "n_two_qubit_gates.backend_topology=line"]
    names = ["--objectives", "expressibility,n_two_qubit_gates", "--data", "iris", "--json"]
    assert main(["measure", str(json_file), *names, *(word for one in given for word in ("--option", one))]) == 0
    found = {row["objective"]: row for row in json.loads(capsys.readouterr().out)["measured"]}
    assert found["expressibility"]["details"]["n_pairs"] == 200
    measured = subject_of(str(json_file), data=IRIS).design
    on_a_line, by_default = (
        n_two_qubit_gates(measured, backend=BackendChoice(topology=one)) for one in ("line", "all")
    )
    assert found["n_two_qubit_gates"]["value"] == on_a_line > by_default
    with pytest.raises(ConfigurationError, match=r"unknown key of objectives\.options\.flops, 'n_pairs'"):
        subject_of(str(json_file), names=["flops"], options={"flops": {"n_pairs": 2}})
    with pytest.raises(ConfigurationError, match=r"unknown key of objectives\.options, 'duration'"):
        subject_of(str(json_file), names=["flops"], options={"duration": {"backend": "fake_manila"}})


def test_seconds_do_not_hold_what_is_loaded_at_first_use(json_file):
    """Objectives of the circuit class are called on one gate first; one that fails there is measured all the same."""
    seen = []

    def counted(design):
        seen.append(design.program.n_qubits)
        return 1 / (design.program.n_qubits - 1)

    subject = subject_of(str(json_file), data=IRIS, names=["depth"])
    (found,) = measure(replace(subject, objectives=(replace(subject.objectives[0], measure=counted),)))
    assert (found.estimate.value, seen) == (0.5, [1, 3])


def test_json_on_the_command_line(json_file, capsys):
    assert main(["measure", str(json_file), "--data", "iris", "--objectives", "qubits", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["measured"][0]["value"] == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--all", "some.json"], "give --all instead"),
        (["some.json", "--qubits", "3"], "--qubits goes with --all; of these there are --qubits, --layers, --to."),
        (["some.json", "--to", "figure"], "--to goes with --all"),
        (["--all", "--data", "iris"], "--data goes without --all; of these there are --objectives, --option, --data"),
        (["some.json", "--option", "n_pairs=3"], "the option 'n_pairs=3' cannot be read; write objective.option=value"),
        (["some.json", "--option", "a.b={"], "the option 'a.b={' cannot be read"),
        (["--all", "--qubits", "1"], "there are 1 qubits and 1 layers; give at least 2 qubits and 1 layer"),
        (["--all", "--layers", "0"], "there are 4 qubits and 0 layers"),
        ([], "name one architecture.json"),
        (["README.md"], "the text is not OpenQASM"),
        (["nowhere"], "there is no file"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, sentence, capsys):
    assert main(["measure", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("qnas: ") and sentence in error


@pytest.mark.slow
def test_all_templates_as_the_familiar_figure(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["measure", "--all", "--to", str(tmp_path / "figure")]) == 0
    shown = capsys.readouterr().out
    assert "templates.png" in shown and "…" not in shown
    row = next(line.split() for line in shown.splitlines() if line.startswith("   9 "))
    assert [row[0], *row[3:]] == ["9", "1.0000", "0", "4", "3"]
    assert (tmp_path / "figure" / "templates.png").stat().st_size > 20_000
    table = write_templates(tmp_path / "again")
    assert (tmp_path / "again" / "templates.csv").read_text() == (tmp_path / "figure" / "templates.csv").read_text()
    assert len(table) == 19
    by_template = table.set_index("template")
    assert by_template.loc[9, "entangling_capability"] == 1
    assert by_template.loc[1, "entangling_capability"] < 1e-12
    # the most expressible of them, and nearest to Haar-random states in entanglement among those within the floor
    assert by_template["expressibility"].idxmin() == 6
    assert abs(by_template.loc[6, "entangling_capability"] - haar_entanglement(4)) < 0.2
