"""The search loop: the same front however it was run, failures that do not stop it, and runs that were interrupted."""

import json
import time
from dataclasses import replace

import pytest

import qnas
from qnas.cli import main
from qnas.errors import RunError, RunFolderError
from qnas.experiment import executor as executor_room
from qnas.experiment.evaluation import Evaluation, State
from qnas.experiment.folder import RunFolder
from qnas.experiment.ledger import Ledger
from qnas.experiment.loop import run_search
from qnas.experiment.results import read_findings
from qnas.launch import compose
from qnas.objectives import choose_objectives
from qnas.space import load_space
from tests.experiment.runs import (
    QUICKEST,
    SMALL,
    SPACE,
    contents,
    front_without_seconds,
    n_evaluated,
    records_without_seconds,
    with_mishaps,
    within,
)


class Watcher(qnas.Callbacks):
    """Notes what it is told."""

    def __init__(self):
        self.seen, self.generations = [], []

    def on_start(self, config, *, n_evaluations, n_workers):
        self.seen.append((n_evaluations, n_workers))

    def on_evaluation(self, findings, design_id, *, known):
        self.seen.append((design_id, known))

    def on_generation(self, findings, generation):
        self.generations.append((generation, len(findings.evaluations)))

    def on_end(self, findings):
        self.seen.append("end")


def states(result):
    evaluations = read_findings(result.path).evaluations
    return {design_id: evaluation.state for design_id, evaluation in evaluations.items()}


# --- one run --------------------------------------------------------------------------------------------------


def test_a_run_evaluates_its_budget_and_numbers_designs_in_the_order_of_asking(finished):
    found = read_findings(finished.path)
    assert list(found.evaluations) == list(range(12))
    assert len({evaluation.architecture for evaluation in found.evaluations.values()}) == 12
    assert all(found.space.contains(evaluation.architecture) for evaluation in found.evaluations.values())


def test_the_watcher_is_told_of_everything(tmp_path):
    watcher = Watcher()
    qnas.search([*QUICKEST, f"run_dir={tmp_path}/run"], watcher)
    assert watcher.seen == [(12, 1), *((k, False) for k in range(12)), "end"]
    assert watcher.generations == [(1, 6), (2, 12)]


def test_the_seed_decides_the_front(finished, tmp_path):
    other = qnas.search([*SMALL, "seed=1", f"run_dir={tmp_path}/other"])
    assert front_without_seconds(other.path) != front_without_seconds(finished.path)


def test_random_search_spends_its_evaluations(tmp_path):
    watcher = Watcher()
    qnas.search([*QUICKEST, "search=random", "search.evaluations=7", f"run_dir={tmp_path}/run"], watcher)
    assert len(watcher.seen) == 2 + 7


def test_a_space_smaller_than_the_budget_is_searched_completely(tmp_path):
    file = tmp_path / "four.py"
    file.write_text(SPACE.read_text().replace("repeat(1, 2,", "repeat(1, 1,").replace("dense_angle=", "# "))
    watcher = Watcher()
    qnas.search(
        [*QUICKEST, f"space={file}", "search.population=4", "search.generations=9", f"run_dir={tmp_path}/run"], watcher
    )
    assert load_space(str(file)).size == 12
    assert len(watcher.seen) == 2 + 8, "with one layer, re-uploading changes nothing: 4 designs mean the same as others"


def test_the_circuit_alone_is_trained_with_pqc(tmp_path):
    result = qnas.search([*SMALL, "training=pqc", "search.generations=1", f"run_dir={tmp_path}/run"])
    row = result.front.to_dict("records")[0]
    model = result.load(row["id"])
    assert model.architecture.coupling == "quantum"
    assert model.n_parameters == row["n_parameters"]
    assert model.architecture.fingerprint == row["fingerprint"]


def test_only_designs_that_take_the_features_are_asked(tmp_path):
    result = qnas.search([*QUICKEST, "training=pqc", "search.generations=2", f"run_dir={tmp_path}/run"])
    evaluations = read_findings(result.path).evaluations.values()
    assert len(evaluations) > 6
    assert all(evaluation.complete for evaluation in evaluations)
    assert {evaluation.architecture.encoding.name for evaluation in evaluations} == {"dense_angle"}


def test_genes_that_the_training_configuration_overrules_are_empty(tmp_path):
    space = tmp_path / "couplings.py"
    space.write_text(SPACE.read_text().replace('coupling="residual"', 'coupling=choice("mac", "serial")'))
    result = qnas.search([*QUICKEST, f"space={space}", "training=pqc", "data=moons", f"run_dir={tmp_path}/run"])
    assert result.evaluations["coupling"].isna().all()
    assert result.evaluations["encoding"].notna().all()
    assert not result.evaluations.loc[result.evaluations["layers"] == 1, "encoding.angle.reupload"].eq(True).any()
    assert result.evaluations["fingerprint"].is_unique
    written = json.loads((tmp_path / "run" / "front.json").read_text())
    assert {record["architecture"]["coupling"] for record in written} == {"quantum"}


@pytest.mark.parametrize(
    ("chosen", "n_workers", "raised"),
    [
        (("search=steady_state", "search.window=2"), 3, "window"),
        (("search=nsga2",), 7, "population"),
        (("search=random", "search.evaluations=2"), 7, ""),
        (("search=nsga2",), 6, ""),
    ],
)
def test_workers_that_never_have_a_design_are_told_of(tmp_path, monkeypatch, caplog, chosen, n_workers, raised):
    monkeypatch.setattr(executor_room.SerialExecutor, "n_workers", n_workers)
    qnas.search([*QUICKEST, *chosen, f"run_dir={tmp_path}/run"])
    warnings = [message for message in caplog.messages if "at any time" in message]
    sentence = f"no more than {n_workers - 1} of {n_workers} workers have a design at any time; raise search.{raised}"
    assert warnings == [sentence] * bool(raised)


# --- resuming -------------------------------------------------------------------------------------------------


def test_a_finished_run_that_is_resumed_changes_no_byte_and_evaluates_nothing(finished, monkeypatch):
    monkeypatch.setattr(executor_room, "evaluate", lambda task: pytest.fail("evaluated again"))
    before, watcher = contents(finished.path), Watcher()
    run_search(RunFolder(finished.path).read_config(), watcher)
    assert contents(finished.path) == before
    assert watcher.seen[1:-1] == [(k, True) for k in range(12)]


@pytest.mark.parametrize("n_kept", [1, 7])
def test_a_run_that_was_cut_short_ends_with_the_same_front(finished, tmp_path, n_kept):
    """As a killed process leaves it: a ledger with some evaluations, the last line torn, and no results."""
    config = compose([*SMALL, f"run_dir={tmp_path}/run"])
    folder = RunFolder.claim(config)
    lines = (finished.path / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    born = len(lines) - 12
    folder.ledger_file.write_bytes(b"".join(lines[: born + n_kept]) + lines[born + n_kept][:40])
    watcher = Watcher()
    run_search(config, watcher)
    assert front_without_seconds(folder.path) == front_without_seconds(finished.path)
    assert records_without_seconds(folder.path) == records_without_seconds(finished.path)
    assert sum(known for _, known in watcher.seen[1:-1]) == n_kept


def test_the_same_search_with_an_edited_space_is_refused(tmp_path):
    space = tmp_path / "mine.py"
    space.write_text(SPACE.read_text())
    overrides = [*QUICKEST, f"space={space}", "search.generations=1", f"run_dir={tmp_path}/run"]
    qnas.search(overrides)
    before = contents(tmp_path / "run")
    space.write_text(SPACE.read_text().replace('"residual"', '"serial"'))
    with pytest.raises(RunFolderError, match=r"mine\.py' \(space\) has changed since the run in '.*/run' began"):
        qnas.search(overrides)
    assert contents(tmp_path / "run") == before


def test_the_lock_of_a_killed_process_is_not_waited_for(tmp_path):
    """Optuna waits for half a minute."""
    config = compose([*QUICKEST, "search.generations=1", f"run_dir={tmp_path}/run"])
    folder = RunFolder.claim(config)
    Ledger(folder.ledger_file, choose_objectives(["flops"]), load_space(str(SPACE)))
    folder.ledger_file.with_name("ledger.jsonl.lock").symlink_to(folder.ledger_file)
    began = time.monotonic()
    run_search(config)
    assert time.monotonic() - began < 20
    assert n_evaluated(folder.path) == 6


def test_failures_in_the_ledger_stay_failures(tmp_path):
    overrides = with_mishaps("not_a_number", f"run_dir={tmp_path}/run")
    before = states(qnas.search(overrides))
    watcher = Watcher()
    assert states(qnas.search(overrides, watcher)) == before
    assert all(known for _, known in watcher.seen[1:-1])


def test_what_says_nothing_about_a_design_is_evaluated_again(finished, tmp_path):
    """A dead worker, full memory: the resumed run ends with the front of one that had better luck."""
    config = compose([*SMALL, f"run_dir={tmp_path}/run"])
    folder = RunFolder.claim(config)
    ledger = Ledger(folder.ledger_file, choose_objectives(config.objectives.names), load_space(str(SPACE)))
    for design_id, evaluation in read_findings(finished.path).evaluations.items():
        state = {2: State.LOST, 9: State.OUT_OF_MEMORY}.get(design_id)
        if evaluation.complete and state is None:
            folder.save_weights(evaluation.architecture.fingerprint, b"")
        ledger.append(design_id, replace(evaluation, state=state) if state else evaluation)
    watcher = Watcher()
    run_search(config, watcher)
    assert sorted(k for k, known in watcher.seen[1:-1] if not known) == [2, 9]
    assert front_without_seconds(folder.path) == front_without_seconds(finished.path)


def losing(fingerprints, state):
    """`evaluate`, but these designs end in a state that says nothing about them."""

    def evaluate(task):
        found = evaluated(task)
        lost = Evaluation(found.architecture, state, reason="bad luck", seed=found.seed)
        return lost if found.architecture.fingerprint in fingerprints else found

    evaluated = executor_room.evaluate
    return evaluate


@pytest.mark.slow
@pytest.mark.parametrize("state", [State.LOST, State.OUT_OF_MEMORY])
def test_a_resumed_run_that_takes_another_course_leaves_what_a_run_without_losses_leaves(
    finished, tmp_path, monkeypatch, state
):
    """Ids are given again, so folders and ledger hold other designs under them from the first course."""
    plain = read_findings(finished.path).evaluations
    fingerprints = {design_id: evaluation.architecture.fingerprint for design_id, evaluation in plain.items()}
    overrides = [*SMALL, f"run_dir={tmp_path}/run"]
    with monkeypatch.context() as patched:
        patched.setattr(executor_room, "evaluate", losing([fingerprints[k] for k in (0, 2, 3, 4)], state))
        first = read_findings(qnas.search(overrides).path).evaluations
    moved = {k for k, evaluation in first.items() if evaluation.architecture.fingerprint != fingerprints[k]}
    assert moved and {first[k].architecture.fingerprint for k in moved} & set(fingerprints.values())

    result = qnas.search(overrides)
    found = read_findings(result.path).evaluations
    assert {k: evaluation.architecture.fingerprint for k, evaluation in found.items()} == fingerprints
    assert front_without_seconds(result.path) == front_without_seconds(finished.path)
    assert records_without_seconds(result.path) == records_without_seconds(finished.path)
    designs = result.path / "designs"
    assert {path.name for path in designs.iterdir()} == {path.name for path in (finished.path / "designs").iterdir()}
    for design_id in result.front["id"]:
        assert result.load(design_id).architecture.fingerprint == fingerprints[design_id]
        weights = f"{design_id}/weights.safetensors"
        assert (designs / weights).read_bytes() == (finished.path / "designs" / weights).read_bytes()

    before = contents(result.path)
    assert main(["front", str(result.path)]) == 0
    run_search(RunFolder(result.path).read_config())
    assert contents(result.path) == before


def test_designs_that_a_shorter_course_does_not_reach_are_no_longer_of_the_run(finished, tmp_path):
    config = compose([*SMALL, f"run_dir={tmp_path}/run"])
    folder = RunFolder.claim(config)
    space = load_space(str(SPACE))
    ledger = Ledger(folder.ledger_file, choose_objectives(config.objectives.names), space)
    found = read_findings(finished.path).evaluations
    asked = {evaluation.architecture for evaluation in found.values()}
    ledger.append(12, replace(found[0], architecture=next(one for one in space.architectures() if one not in asked)))
    run_search(config)
    assert sorted(read_findings(folder.path).evaluations) == list(range(12))
    assert front_without_seconds(folder.path) == front_without_seconds(finished.path)


def test_a_run_that_another_process_is_at_work_on_is_refused(finished):
    with RunFolder(finished.path).held(), pytest.raises(RunFolderError, match="another qnas is running in"):
        run_search(RunFolder(finished.path).read_config())


# --- failures -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("error", State.ERROR),
        ("not_a_number", State.NOT_A_NUMBER),
        ("memory", State.OUT_OF_MEMORY),
    ],
)
def test_a_run_goes_on_when_designs_fail(tmp_path, kind, state):
    result = qnas.search(with_mishaps(kind, f"run_dir={tmp_path}/run"))
    found = read_findings(result.path).evaluations
    struck = {k for k, evaluation in found.items() if len(evaluation.architecture.layers) == 1}
    assert struck and {k for k, evaluation in found.items() if evaluation.state is state} == struck
    assert all(found[k].reason for k in struck)
    assert len(found) == 12
    assert set(result.front["id"]).isdisjoint(struck) and len(result.front)
    log = (result.path / "log.txt").read_text()
    assert all(f" WARNING design {k} {state.value}: " in log for k in struck)
    assert log.count(" complete: {") == 12 - len(struck)


def test_failures_are_told_as_infeasible(tmp_path, monkeypatch):
    told = []

    class Searcher:
        def __init__(self, searcher):
            self.ask, self.n_evaluations, self.max_pending = searcher.ask, searcher.n_evaluations, 1
            self._tell = searcher.tell

        def tell(self, genotypes, losses, violations):
            told.append((genotypes, losses, violations))
            self._tell(genotypes, losses, violations)

    make = qnas.experiment.plan.make_searcher
    monkeypatch.setattr("qnas.experiment.plan.make_searcher", lambda *settings: Searcher(make(*settings)))
    qnas.search(with_mishaps("error", f"run_dir={tmp_path}/run"))
    space = load_space(str(SPACE))
    assert len(told) == 2
    for genotypes, losses, violations in told:
        fine = [len(space.decode(genotype).layers) == 2 for genotype in genotypes]
        assert violations.tolist() == [0.0 if one else float("inf") for one in fine]
        assert (losses == losses).all(axis=1).tolist() == fine


def test_a_run_in_which_every_first_design_fails_ends(tmp_path):
    with pytest.raises(RunError) as error:
        qnas.search(with_mishaps("error", "objectives.options.mishap.everywhere=true", f"run_dir={tmp_path}/run"))
    sentence = str(error.value)
    assert "all 6 designs of the first generation failed" in sentence
    assert "(an objective or part raised): mishap: ValueError: the mishap struck" in sentence
    assert f"the mishap struck. See {tmp_path}/run/log.txt." in sentence
    assert n_evaluated(tmp_path / "run") == 6
    assert "Traceback" in (tmp_path / "run" / "log.txt").read_text()


@pytest.mark.slow
def test_so_does_one_whose_population_is_larger_than_the_space(tmp_path):
    """Of the small space, 42 networks."""
    everywhere = ("search.population=60", "objectives.options.mishap.everywhere=true")
    with pytest.raises(RunError, match=r"^all 42 designs of the first generation failed, so there is nothing to "):
        qnas.search(with_mishaps("error", *everywhere, f"run_dir={tmp_path}/run"))


@pytest.mark.slow
def test_a_population_larger_than_the_space_is_the_whole_space_and_a_sentence(tmp_path):
    found = run_search(compose([*QUICKEST, "search.population=60", f"run_dir={tmp_path}/run"]))
    assert len(found.evaluations) == 42 and len(found.front) >= 1
    said = "the search ended after 42 of 120 designs, because it found no others that are new."
    assert found.remark == said


# --- budgets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("searcher", ["nsga2", "random"])
def test_designs_over_a_budget_are_not_evaluated_and_others_take_their_place(tmp_path, searcher):
    bounded = within(tmp_path, n_parameters=35)
    result = qnas.search([*QUICKEST, bounded, f"search={searcher}", "search.population=4", f"run_dir={tmp_path}/run"])
    evaluations = read_findings(result.path).evaluations.values()
    assert len(evaluations) == 8 and all(evaluation.complete for evaluation in evaluations)
    assert max(evaluation.n_parameters for evaluation in evaluations) <= 35
    free = qnas.search([*QUICKEST, f"search={searcher}", "search.population=4", f"run_dir={tmp_path}/free"])
    assert max(evaluation.n_parameters for evaluation in read_findings(free.path).evaluations.values()) > 35


@pytest.mark.slow
@pytest.mark.parametrize("searcher", ["nsga2", "random"])
def test_a_search_that_finds_too_few_designs_says_which_budget_excluded_how_many(tmp_path, searcher):
    """Of the 42 networks of the small space, 4 have at most 27 weights."""
    watcher = Watcher()
    bounded = within(tmp_path, n_parameters=27, qubits=2)
    overrides = [*QUICKEST, bounded, f"search={searcher}", "search.population=4", f"run_dir={tmp_path}/run"]
    result = qnas.search(overrides, watcher)
    assert len(read_findings(result.path).evaluations) == 4 and watcher.seen[0] == (8, 1)
    said = (
        "the search ended after 4 of 8 designs, because it found no others that are new; the budget n_parameters "
        "excluded 38 (at best: n_parameters is 29, over the budget of 27)."
    )
    assert said in (result.path / "log.txt").read_text()
    assert run_search(compose(overrides)).remark == said, "as in a run that is resumed"
