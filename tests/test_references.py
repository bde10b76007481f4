"""References: the entries that qnas ships, the marks of its parts, and what texts name."""

import inspect
import re
from functools import partial

import pytest

import qnas
from qnas.circuit.ansatze import ansatze
from qnas.circuit.build import build_circuit
from qnas.circuit.encodings import encodings
from qnas.circuit.readouts import readouts
from qnas.circuit.topologies import topologies
from qnas.errors import PluginError
from qnas.experiment.citations import EARLY_STOPPING
from qnas.experiment.ledger import Ledger
from qnas.front.pareto import hypervolume
from qnas.model.couplings import couplings
from qnas.model.training import train
from qnas.objectives import objectives
from qnas.plugins import bundled_directory
from qnas.references import bibtex, check_key, cited, cites, entries, named_in
from qnas.search import searchers
from qnas.simulation import ExactSimulator, SampledSimulator
from tests.bibtex import REQUIRED, parsed

PARTS = {
    **{f"objective {name}": objectives[name].measure for name in objectives},
    **{f"encoding {name}": encodings[name].build for name in encodings},
    **{f"{one.kind} {name}": one[name] for one in (ansatze, couplings, readouts, topologies) for name in one},
    **{f"searcher {name}": searchers[name].build for name in searchers},
    **{part.__name__: part for part in (ExactSimulator, SampledSimulator, train, hypervolume, Ledger, build_circuit)},
}
BUNDLED = {name: part for name, part in PARTS.items() if part.__module__.startswith("qnas.")}


def marked(part):
    """All keys of a part, whatever its options."""
    mark = getattr(part, "__citations__", None)
    return [*mark.keys, *(key for by in mark.by_option.values() for key in by.values())] if mark else cited(part)


# --- what qnas ships --------------------------------------------------------------------------------------------------


def test_the_entries_are_bibtex_and_sorted():
    found = parsed("\n".join(entries().values()))
    assert list(found) == list(entries()) == sorted(found)
    assert len(found) > 25


@pytest.mark.parametrize("key", entries())
def test_an_entry_says_what_its_kind_needs_and_where_it_is(key):
    ((found, fields),) = parsed(entries()[key]).items()
    assert found == key
    assert fields.keys() >= {"author", "title", "year"} | REQUIRED[fields["kind"]] - {"url"}
    assert fields.keys() & {"doi", "eprint"} or fields["journal"]
    assert ("eprint" in fields) == (fields.get("archivePrefix") == "arXiv")
    first = fields["author"].split(",")[0]
    plain = re.sub(r"[^a-z]", "", re.sub(r"\\.|[{}]", "", first).lower())
    assert re.fullmatch(rf"{plain}{fields['year']}", key) or key == "qiskit2024"


def test_no_source_has_two_keys():
    fields = parsed("\n".join(entries().values())).values()
    identifiers = [one[name] for one in fields for name in ("doi", "eprint") if name in one]
    assert len(set(identifiers)) == len(identifiers)


@pytest.mark.parametrize("name", BUNDLED)
def test_every_key_that_a_part_names_exists(name):
    for key in marked(BUNDLED[name]):
        assert key in entries()


def test_every_entry_is_of_some_part():
    """Or of what a run adds: re-uploading, early stopping, and the spaces."""
    own = {key for part in BUNDLED.values() for key in marked(part)}
    stopping = {key for keys in EARLY_STOPPING.values() for key in keys}
    assert entries().keys() - own - stopping == {"perezsalinas2020"}


@pytest.mark.parametrize("name", [name for name in BUNDLED if name.startswith("objective ")])
def test_an_objective_with_a_paper_cites_it(name):
    """All that its reference, for people, names by number."""
    found = objectives[name.split()[1]]
    assert set(named_in(found.reference)) <= set(cited(found.measure))
    assert bool(re.search(r"\d{4}", found.reference)) == bool(cited(found.measure))


@pytest.mark.parametrize("name", BUNDLED)
def test_a_paper_that_a_docstring_names_is_cited(name):
    assert set(named_in(inspect.getdoc(BUNDLED[name]) or "")) <= set(marked(BUNDLED[name]))


@pytest.mark.parametrize("name", [name for name in BUNDLED if name.split()[0] in ("ansatz", "searcher")])
def test_a_paper_that_the_docstring_of_a_file_of_one_method_names_is_cited(name):
    module = inspect.getmodule(BUNDLED[name])
    first = (module.__doc__ or "").partition("\n")[0]
    assert set(named_in(first)) <= set(marked(BUNDLED[name]))


@pytest.mark.parametrize("file", sorted(bundled_directory("search_spaces").glob("*.py")), ids=lambda file: file.stem)
def test_what_a_bundled_space_names_can_be_cited(file):
    assert named_in(file.read_text())
    assert parsed(bibtex(named_in(file.read_text())))


# --- marks --------------------------------------------------------------------------------------------------------


def test_a_mark_leaves_the_part_alone_and_is_found_through_partials():
    @cites("sim2019", by_option={"cost": {"local": "cerezo2021"}})
    def part(design, *, cost="task"):
        return cost

    assert part(None) == "task"
    assert cited(part) == ["sim2019"]
    assert cited(ansatze["orthogonal"]) == ["coyle2025", "kerenidis2021"]  # its default is the pyramid
    assert cited(ansatze["orthogonal"], {"layout": "brick"}) == ["coyle2025"]
    assert cited(part, {"cost": "global"}) == ["sim2019"]
    assert cited(part, {"cost": "local", "other": [1]}) == ["sim2019", "cerezo2021"]
    assert cited(partial(part, cost="local")) == ["sim2019", "cerezo2021"]


def test_a_part_without_a_mark_has_what_its_texts_name():
    def part(features, n_qubits):
        """Rotations of powers (Schuld et al. 2021, arXiv 2008.08605)."""

    assert cited(part) == ["arXiv:2008.08605"]
    assert cited(part, text="Sim 2019, arXiv 1905.10876") == ["sim2019", "arXiv:2008.08605"]
    assert cited(lambda design: 1) == []


def test_a_mark_says_more_than_texts():
    @qnas.cites()
    def part():
        """Unlike arXiv 2008.08605."""

    assert cited(part, text="arXiv 1905.10876") == []


@pytest.mark.parametrize("key", ["sim2018", "arXiv:sim2019", "arXiv:1905.1", "doi:1109/4235", "url:x", "arXiv:"])
def test_a_key_that_names_nothing(key):
    with pytest.raises(PluginError) as refusal:
        cites(key)
    assert f"unknown reference {key!r}: " in str(refusal.value)
    assert "Name any other as arXiv:2405.20237 or doi:10.1103/..." in str(refusal.value)
    with pytest.raises(PluginError):
        cites(by_option={"cost": {"local": key}})


def test_the_nearest_key_is_named():
    with pytest.raises(PluginError, match="unknown reference 'sim2018': did you mean 'sim2019'"):
        check_key("sim2018")


# --- texts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Sim, Johnson and Aspuru-Guzik 2019, arXiv 1905.10876, eqs. 7-9", ["sim2019"]),
        ("arXiv 2605.18345, 2511.10062", ["marchisio2026", "kashif2025"]),
        ("(Jones and Gacon 2020, arXiv\n2009.02823)", ["jones2020"]),
        ("Salomaa 2004, arXiv quant-ph/0407010), whose", ["mottonen2005"]),
        ("https://arxiv.org/abs/1905.10876v3", ["sim2019"]),
        ("arXiv:2401.00001v2; ArXiv 2401.00002.", ["arXiv:2401.00001", "arXiv:2401.00002"]),
        ("Spall 1992, doi 10.1109/9.119632.", ["spall1992"]),
        ("(doi:10.1103/PhysRevA.98.032309)", ["mitarai2018"]),
        ("https://doi.org/10.5555/x.y.", ["doi:10.5555/x.y"]),
        ("arXiv 1905.10876 and doi 10.1002/qute.201900070", ["sim2019"]),
        ("1024.0000 shots in 2019.12345 seconds, 10.1109/9.119632", []),
        ("", []),
    ],
)
def test_what_a_text_names(text, keys):
    assert named_in(text) == keys


# --- BibTeX -------------------------------------------------------------------------------------------------------


def test_an_identifier_alone_has_an_entry_of_nothing_else():
    found = parsed(bibtex(["doi:10.5555/x.y", "arXiv:quant-ph/9901001", "arXiv:2401.00001"]))
    assert found == {
        "arXiv:2401.00001": {
            "kind": "misc",
            "eprint": "2401.00001",
            "archivePrefix": "arXiv",
            "url": "https://arxiv.org/abs/2401.00001",
        },
        "arXiv:quant-ph/9901001": {
            "kind": "misc",
            "eprint": "quant-ph/9901001",
            "archivePrefix": "arXiv",
            "url": "https://arxiv.org/abs/quant-ph/9901001",
        },
        "doi:10.5555/x.y": {"kind": "misc", "doi": "10.5555/x.y", "url": "https://doi.org/10.5555/x.y"},
    }


def test_each_entry_is_written_once_in_order():
    text = bibtex(["sim2019", "deb2002", "sim2019", "arXiv:2401.00001"])
    assert list(parsed(text)) == ["arXiv:2401.00001", "deb2002", "sim2019"]
    assert text == bibtex({"deb2002", "arXiv:2401.00001", "sim2019"})
    assert bibtex([]) == ""


NO_BIBTEX = ("@article{a, title = {b}", "@article{a, title = b}", "article{a}", "@misc{a,}\n@misc{a,}")


@pytest.mark.parametrize("text", NO_BIBTEX)
def test_the_reader_of_these_tests_accepts_nothing_else(text):
    with pytest.raises(AssertionError):
        parsed(text)
