"""What a run cites: the methods that it used, and no others."""

import pytest

import qnas
from qnas.architecture import Architecture
from qnas.errors import SpaceError
from qnas.experiment.citations import cited_by, cited_by_space
from qnas.experiment.results import read_findings
from qnas.launch import compose
from qnas.objectives import choose_objectives
from qnas.space import load_space
from tests.bibtex import parsed
from tests.experiment.runs import QUICKEST, SPACE

ALWAYS = {"qiskit2024", "akiba2019", "zitzler1998", "blank2020"}
"""The circuits, the ledger, the hypervolume and the library that computes it."""
TRAINED = {"kingma2015", "paszke2019", "jones2020"}


def used(*overrides, names="depth", designs=(), options=None):
    """Beside what every run of NSGA-II cites."""
    config = compose([f"space={SPACE}", *overrides])
    found = cited_by(config, choose_objectives(names.split(), options=options), designs)
    assert found > ALWAYS
    return found - ALWAYS - {"deb2002"}


def design(**changes):
    values = dict(n_qubits=2, encoding="basis", layers=[], coupling="serial", readout="z")
    return Architecture(values | changes)


def layer(**changes):
    return dict(rotation="ry", entangler="cx", topology="line") | changes


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        ("depth parameters qubits memory", set()),
        ("expressibility", {"sim2019"}),
        ("flops", {"marchisio2026", "kashif2025"}),
        ("trainability", {"mcclean2018", "kashif2026", "jones2020"}),
        ("entangling_capability", {"sim2019", "meyer2002", "brennen2003"}),
        ("frame_potential", {"sim2019", "nakaji2021"}),
        ("lie_algebra_dim gradient_efficiency", {"chinzei2025"}),
        ("n_two_qubit_gates two_qubit_depth duration", set()),
        ("success_probability", {"nishio2020"}),
        ("gradient_circuits predicted_latency", {"mitarai2018"}),
        ("accuracy", TRAINED),
        ("noisy_accuracy flops", TRAINED | {"marchisio2026", "kashif2025"}),
    ],
)
def test_objectives(names, keys):
    assert used(names=names) == keys


@pytest.mark.parametrize(("cost", "more"), [("task", set()), ("local", {"cerezo2021"}), ("global", {"cerezo2021"})])
def test_options_of_objectives(cost, more):
    found = used(names="trainability", options={"trainability": {"cost": cost}})
    assert found == {"mcclean2018", "kashif2026", "jones2020"} | more


@pytest.mark.parametrize("name", ["gradient_circuits", "predicted_latency"])
def test_the_way_to_count_circuits(name):
    found = {one: used(names=name, options={name: {"gradient": one}}) for one in ("parameter_shift", "spsa")}
    assert found == {"parameter_shift": {"mitarai2018"}, "spsa": {"spall1992"}}


@pytest.mark.parametrize(
    ("overrides", "keys"),
    [
        (["simulation=shots"], {"mitarai2018"}),
        (["simulation=noisy", "simulation.gradient=spsa"], {"spall1992"}),
        (["training=pqc"], {"jones2020", "kashif2026"}),
        (["training=quantum_only"], {"jones2020", "kashif2026"}),
    ],
)
def test_simulation_and_training(overrides, keys):
    assert used(*overrides, names="accuracy") == {"kingma2015", "paszke2019"} | keys
    assert used(*overrides, names="depth") == set()


def test_searchers():
    for name, expected in (("nsga2", True), ("random", False)):
        config = compose([f"space={SPACE}", f"search={name}"])
        assert ("deb2002" in cited_by(config, choose_objectives(["depth"]), [])) is expected


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({}, set()),
        (dict(encoding="iqp"), {"havlicek2019"}),
        (dict(encoding=dict(name="dense_angle")), {"larose2020"}),
        (dict(encoding="amplitude"), {"mottonen2005"}),
        (dict(encoding=dict(name="angle", axis="x", reupload=True)), {"perezsalinas2020"}),
        (dict(encoding=dict(name="angle", axis="x", reupload=False)), set()),
        (dict(layers=[layer()]), {"kandala2017"}),
        (dict(layers=[dict(name="sim2019", template=2), layer()]), {"sim2019", "kandala2017"}),
        (dict(ansatz="slpa"), {"chinzei2025"}),
        (dict(ansatz=dict(name="commuting"), coupling="density"), {"bowles2025", "coyle2025"}),
        (dict(coupling=dict(name="mac")), {"lantigua2025"}),
        (dict(encoding="iqp", layers=[layer()], coupling="classical"), set()),
    ],
)
def test_designs(changes, keys):
    assert used(designs=[design(**changes)]) == keys


def test_all_designs_of_a_run_count():
    assert used(designs=[design(encoding="iqp"), design(encoding="dense_angle")]) == {"havlicek2019", "larose2020"}


# --- parts and objectives of others -------------------------------------------------------------------------------


def test_parts_and_objectives_of_others(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        """
import qnas

@qnas.objective("minimize", "gates", reference="Schuld et al. 2021, arXiv 2008.08605")
def my_gates(design):
    return design.circuit.size()

@qnas.objective("minimize", "gates", reference="arXiv 2008.08605")
@qnas.cites("doi:10.5555/1")
def my_other_gates(design):
    return design.circuit.size()
"""
    )
    config = compose([f"space={SPACE}"])
    found = cited_by(config, choose_objectives(["depth"], [str(file)]), [])
    assert found - ALWAYS == {"deb2002", "arXiv:2008.08605", "doi:10.5555/1"}


def space(tmp_path, text, name="mine.py"):
    file = tmp_path / name
    file.write_text(text)
    return compose([f"space={file}"])


DECLARED = "from qnas.space import Space\nspace = Space(n_qubits=2)\n"


@pytest.mark.parametrize(
    ("text", "name", "keys"),
    [
        (f'"""Of arXiv 1905.10876, 2401.00001."""\n{DECLARED}', "mine.py", ["sim2019", "arXiv:2401.00001"]),
        (DECLARED, "mine.py", []),
        (f'"""Of arXiv 1905.10876."""\n__references__ = ("deb2002", "arXiv:2401.00001")\n{DECLARED}', "mine.py",
         ["deb2002", "arXiv:2401.00001"]),
        (f'"""Of arXiv 1905.10876."""\n__references__ = []\n{DECLARED}', "mine.py", []),
        ("# Of arXiv 1905.10876\n# and doi 10.1109/4235.996017\nn_qubits: 2\n", "mine.yaml", ["sim2019", "deb2002"]),
        ('{"n_qubits": 2}', "mine.json", []),
    ],
)  # fmt: skip
def test_the_sources_of_a_space(tmp_path, text, name, keys):
    assert cited_by_space(space(tmp_path, text, name)) == keys


def test_the_attribute_of_a_file_has_the_sources_of_the_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(f'"""Of arXiv 1905.10876."""\n{DECLARED}')
    assert cited_by_space(compose([f"space={file}:space"])) == ["sim2019"]


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        (
            "('sim2018',)",
            r"__references__ of the space '.*mine\.py': unknown reference 'sim2018': did you mean",
        ),
        ("make()", r"__references__ of the space '.*mine\.py' is make\(\); write keys, e\.g\. \('sim2019',\)\."),
        ("2019", r"is 2019; write keys"),
        ("[2019]", r"is \[2019\]; write keys"),
    ],
)
def test_keys_of_a_space_that_name_nothing_are_refused_before_a_run(tmp_path, listed, text):
    config = space(tmp_path, f"make = tuple\n__references__ = {listed}\n{DECLARED}")
    with pytest.raises(SpaceError, match=text):
        cited_by_space(config)
    with pytest.raises(SpaceError, match=text):
        qnas.search([f"space={config.space}", f"run_dir={tmp_path / 'run'}"])
    assert not (tmp_path / "run").exists()


def test_the_default_space_cites_the_choice_as_a_whole():
    """Its docstring names the sources of values, too, which a design may or may not have."""
    assert cited_by_space(compose([])) == ["marchisio2026", "kashif2025"]


# --- runs -----------------------------------------------------------------------------------------------------------


def test_a_run_writes_what_it_used(finished):
    """Iris, exact simulation: accuracy, expressibility and FLOPs of layered circuits."""
    findings = read_findings(finished.path)
    encodings = [one.architecture.encoding for one in findings.evaluations.values()]
    names = {encoding.name for encoding in encodings}
    expected = ALWAYS | TRAINED | {"deb2002", "sim2019", "marchisio2026", "kashif2025", "kandala2017"}
    expected |= {key for name, key in (("iqp", "havlicek2019"), ("dense_angle", "larose2020")) if name in names}
    expected |= {"perezsalinas2020" for encoding in encodings if encoding.get("reupload", False)}
    assert parsed((finished.path / "references.bib").read_text()).keys() == expected


def test_a_run_without_expressibility_does_not_cite_it(tmp_path):
    result = qnas.search([*QUICKEST, "search=random", f"run_dir={tmp_path}/run"])
    found = parsed((result.path / "references.bib").read_text())
    assert ALWAYS | {"marchisio2026", "kashif2025", "kandala2017"} <= found.keys()
    assert not found.keys() & {"sim2019", "deb2002", "kingma2015", "jones2020", "mcclean2018"}


def test_a_space_in_memory_has_no_sources_of_its_own(tmp_path):
    plain = load_space(str(SPACE)).within(n_parameters=10**6)
    result = qnas.search([*QUICKEST[1:], f"run_dir={tmp_path}/run"], space=plain)
    assert "marchisio2026" in parsed((result.path / "references.bib").read_text())
