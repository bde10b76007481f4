"""From overrides to configurations, sweeps, and a sentence for everything that is wrong with them."""

import logging
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra

import qnas
from qnas import launch
from qnas.cli import main
from qnas.config import Config
from qnas.errors import ConfigurationError, RunError, RunFolderError, SpaceError, UsageError
from qnas.experiment.folder import RunFolder
from qnas.launch import GROUPS, compose, hydra_main
from qnas.space import Space, choice, load_space, repeat
from tests.experiment.runs import QUICKEST, contents, front_without_seconds, with_mishaps


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder of the test's own: Hydra makes the folder of a sweep even if nothing runs in it."""
    monkeypatch.chdir(tmp_path)


def complaint(*overrides):
    with pytest.raises(ConfigurationError) as error:
        compose(overrides)
    return str(error.value)


def test_the_default_is_the_main_job():
    config = compose()
    assert (config.space, config.data.name, config.search.name, config.seed) == ("hybrid", "digits", "nsga2", 0)
    assert config.objectives.names == ["accuracy", "expressibility", "trainability", "flops"]
    assert config.run_dir.startswith("runs/")


@pytest.mark.parametrize("has_own_logging", [False, True])
def test_a_script_is_told_what_it_should_see_unless_it_logs_itself(monkeypatch, capsys, has_own_logging):
    class Broken(qnas.Callbacks):
        def on_evaluation(self, findings, design_id, *, known):
            raise ValueError("broken")

    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.NullHandler()] * has_own_logging)
    result = qnas.search([*QUICKEST, "search.generations=4", "stop.patience=1", "run_dir=run"], Broken())
    said = capsys.readouterr().err
    assert said.count("qnas: the callback on_evaluation raised ValueError: broken") == (not has_own_logging)
    assert ("qnas: the search ended after " in said) is not has_own_logging
    assert (result.path / "log.txt").read_text().count("raised ValueError: broken") == len(result.evaluations)


def test_overrides_reach_every_level():
    config = compose(
        ["data=iris", "seed=3", "search.population=8", "training.learning_rate=1e-3", "data.n_components=2",
         "objectives.names=[flops,accuracy]", "objectives.options.expressibility.n_pairs=200", "executor=serial"]
    )  # fmt: skip
    assert (config.data.name, config.data.n_components, config.seed, config.search.population) == ("iris", 2, 3, 8)
    assert config.training.learning_rate == 1e-3
    assert config.objectives.names == ["flops", "accuracy"]
    assert config.objectives.options == {"expressibility": {"n_pairs": 200}}
    assert config.executor.name == "serial"


def test_the_quick_experiment():
    config = compose(["experiment=quick"])
    assert config.data.name == "iris" and config.search.population * config.search.generations <= 16


def test_composing_is_repeatable_and_leaves_hydra_as_it_was():
    assert compose(["run_dir=x", "seed=1"]) == compose(["run_dir=x", "seed=1"])
    assert not GlobalHydra.instance().is_initialized()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("data=irsi", "unknown option of the group 'data', 'irsi': did you mean 'iris'? Allowed: breast_cancer, "),
        ("search=nsga3x", "unknown option of the group 'search', 'nsga3x': did you mean 'nsga3'? Allowed: exhaust"),
        *((f"{group}=null", f"unknown option of the group {group!r}, 'null': ") for group in GROUPS),
        ("experiment=nosuch", "unknown option of the group 'experiment', 'nosuch': Allowed: "),
        ("search.populaton=8", "unknown configuration key 'search.populaton': did you mean 'search.population'?"),
        ("traning.epochs=3", "configuration key 'traning.epochs', 'traning': did you mean 'training'? Allowed: run_"),
        ("training.epochs.n=3", "unknown configuration key 'training.epochs.n'"),
        ("sed=1", "unknown configuration key 'sed': did you mean 'seed'?"),
        ("+sed=1", "unknown configuration key 'sed': did you mean 'seed'?"),
        ("search.population=abc", "search.population must be a whole number: Value 'abc'"),
        ("search.population=2.5", "search.population must be a whole number: Value '2.5'"),
        ("search.population=null", "search.population must be a whole number: "),
        ("search.evaluations=abc", "search.evaluations must be a whole number or null: Value 'abc'"),
        ("training.learning_rate=abc", "training.learning_rate must be a number: Value 'abc'"),
        ("space=[a]", "space must be a text: "),
        ("objectives.names=accuracy", "objectives.names must be a list such as [a,b]: "),
        ("objectives.options=3", "objectives.options must be options by objective, e.g. objectives.options."),
        ("objectives.options.flops=3", "flops: Cannot assign int"),
        ("objectives.optionsx=3", "unknown configuration key 'objectives.optionsx': did you mean 'objectives.option"),
        ("search.population=0", "search.population is 0; allowed are whole numbers of at least 1."),
        ("search.population=4,5", "'search.population=4,5' gives several values: for one run with each use qnas sear"),
        ("~data", "'~data' removes a part of the configuration; set data=... instead."),
        ("seed", "'seed' is not of the form key=value (missing EQUAL"),
        ("run_dir=a (b", "'run_dir=a (b' is not of the form key=value"),
    ],
)
def test_a_bad_override_is_one_sentence(override, said):
    sentence = complaint(override)
    assert said in sentence
    assert "\n" not in sentence and "Traceback" not in sentence


def test_a_value_with_special_characters_is_quoted_as_the_sentence_says():
    assert "key='a (b)'" in complaint("run_dir=a (b")
    assert compose(["run_dir='a (b)'"]).run_dir == "a (b)"


# --- search from Python ---------------------------------------------------------------------------------------


def test_a_search_from_python_returns_its_front(tmp_path):
    result = launch.search([*QUICKEST, "search.generations=1", f"run_dir={tmp_path}/run"])
    assert result.path == tmp_path / "run"
    assert result.front["flops"].min() == result.evaluations["flops"].min()


def test_a_search_from_python_raises_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match="unknown search space 'hybird': did you mean 'hybrid'"):
        launch.search(["space=hybird", f"run_dir={tmp_path}/run"])
    assert list(tmp_path.iterdir()) == []


# --- a space in memory ----------------------------------------------------------------------------------------

SPACE = Space(
    n_qubits=2,
    encoding=choice("angle", "dense_angle"),
    layers=repeat(1, 3, rotation=choice("ry", "rx"), entangler="cx", topology="line"),
    hidden=choice((), (3,)),
)
RULED = SPACE.where(lambda a: len(a.layers) != 2, because="two layers are neither one nor many")
IN_MEMORY = [*QUICKEST[1:], "search.generations=1"]


def test_a_space_in_memory_is_kept_in_the_run_folder_and_found_again(tmp_path):
    result = launch.search([*IN_MEMORY, f"run_dir={tmp_path}/run"], space=SPACE.within(n_parameters=90))
    assert load_space(f"{tmp_path}/run/space.json") == SPACE.within(n_parameters=90)
    config = RunFolder(result.path).read_config()
    assert config.space == f"{tmp_path}/run/space.json"
    before = contents(result.path)
    assert main(["resume", str(result.path)]) == 0 and main(["front", str(result.path)]) == 0
    assert launch.search([*IN_MEMORY, f"run_dir={tmp_path}/run"], space=SPACE.within(n_parameters=90)).front is not None
    assert contents(result.path) == before


def test_it_leaves_the_front_of_the_same_space_in_a_file(tmp_path):
    result = launch.search([*IN_MEMORY, f"run_dir={tmp_path}/run"], space=SPACE)
    file = tmp_path / "same.json"
    file.write_text(SPACE.to_json())
    other = launch.search([*IN_MEMORY, f"space={file}", f"run_dir={tmp_path}/other"])
    assert front_without_seconds(result.path) == front_without_seconds(other.path)


def test_a_run_folder_that_keeps_its_space_may_move(tmp_path):
    launch.search([*IN_MEMORY, f"run_dir={tmp_path}/run"], space=SPACE)
    (tmp_path / "run").rename(tmp_path / "moved")
    before = contents(tmp_path / "moved")
    assert main(["resume", str(tmp_path / "moved")]) == 0
    assert contents(tmp_path / "moved") == before


def test_another_space_in_the_same_folder_is_refused(tmp_path):
    overrides = [*IN_MEMORY, f"run_dir={tmp_path}/run"]
    launch.search(overrides, space=SPACE)
    before = contents(tmp_path / "run")
    with pytest.raises(RunFolderError, match=r"run' already holds a run of another space \(space.json in it\); choose"):
        launch.search(overrides, space=SPACE.within(flops=1e6))
    (tmp_path / "run" / "space.json").write_text(SPACE.within(flops=1e6).to_json())
    with pytest.raises(RunFolderError, match=r"space.json' \(space\) has changed since the run in"):
        launch.search(overrides, space=SPACE)
    (tmp_path / "run" / "space.json").write_bytes(before[Path("space.json")])
    assert contents(tmp_path / "run") == before


def test_a_run_that_was_killed_before_its_space_was_written_goes_on(tmp_path):
    overrides = [*IN_MEMORY, f"run_dir={tmp_path}/run"]
    launch.search(overrides, space=SPACE)
    for path in (tmp_path / "run").iterdir():
        if path.name != "config.yaml":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert len(launch.search(overrides, space=SPACE).evaluations) == 6


def test_a_space_with_constraints_is_found_where_it_stands(tmp_path):
    result = launch.search([*IN_MEMORY, f"run_dir={tmp_path}/run"], space=RULED)
    assert RunFolder(result.path).read_config().space.endswith("/tests.test_launch:RULED")
    assert set(result.evaluations["layers"]) == {1, 3}
    assert not (result.path / "space.json").exists()


def test_a_space_with_constraints_that_stands_nowhere_is_refused(tmp_path):
    with pytest.raises(SpaceError, match="whose predicates other processes can only import, but it is not at the top"):
        launch.search([*IN_MEMORY, f"run_dir={tmp_path}/run"], space=RULED.within(flops=1e6))
    assert list(tmp_path.iterdir()) == []


def test_a_space_is_given_once(tmp_path):
    with pytest.raises(ConfigurationError, match=r"the space is given twice: leave out the override space=\.\.\."):
        launch.search([*IN_MEMORY, "space=hybrid", f"run_dir={tmp_path}/run"], space=SPACE)


SCRIPT = """
import qnas
from qnas.space import Space, choice, repeat

space = Space(
    n_qubits=2,
    encoding=choice("angle", "dense_angle"),
    layers=repeat(1, 3, rotation=choice("ry", "rx"), entangler="cx", topology="line"),
).where(lambda a: len(a.layers) != 2, because="two layers are neither one nor many")

if __name__ == "__main__":
    print(sorted(set(qnas.search(OVERRIDES, space=space).evaluations["layers"])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["serial", "local"])
def test_a_script_searches_the_space_that_it_declares(tmp_path, executor):
    overrides = [*IN_MEMORY, f"executor={executor}", "run_dir=run"]
    (tmp_path / "study.py").write_text(SCRIPT.replace("OVERRIDES", repr(overrides)))
    ended = subprocess.run([sys.executable, "study.py"], capture_output=True, text=True, check=True)
    assert ended.stdout == "[1, 3]\n"
    assert RunFolder(Path("run")).read_config().space == f"{tmp_path}/study.py:space"
    before = contents("run")
    assert main(["resume", "run"]) == 0
    assert contents("run") == before


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_so_in_this_process_too(tmp_path):
    unguarded = SCRIPT.replace('__name__ == "__main__"', "True").replace("OVERRIDES", repr([*IN_MEMORY, "run_dir=run"]))
    (tmp_path / "study.py").write_text(unguarded)
    ended = subprocess.run([sys.executable, "study.py"], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "study.py' cannot be imported: UsageError: call qnas.search under `if __name__ ==" in ended.stderr
    assert not Path("run").exists()


# --- the command line -----------------------------------------------------------------------------------------


@pytest.fixture
def jobs():
    return []


def test_one_job_gets_its_configuration(jobs):
    assert hydra_main(["data=iris", "run_dir=here"], jobs.append) == []
    assert [(type(job), job.data.name, job.run_dir) for job in jobs] == [(Config, "iris", "here")]


@pytest.mark.parametrize("flag", ["-m", "--multirun"])
def test_a_sweep_runs_each_point_in_its_own_folder(jobs, flag, tmp_path):
    hydra_main([flag, *QUICKEST, "seed=3,4", "search=nsga2,random", f"run_dir={tmp_path}"], jobs.append)
    assert [(job.seed, job.search.name, job.run_dir) for job in jobs] == [
        (3, "nsga2", f"{tmp_path}/0"),
        (3, "random", f"{tmp_path}/1"),
        (4, "nsga2", f"{tmp_path}/2"),
        (4, "random", f"{tmp_path}/3"),
    ]


def test_the_folder_of_a_sweep_is_not_swept(jobs, tmp_path):
    with pytest.raises(ConfigurationError, match="run_dir takes one value in a sweep"):
        hydra_main(["-m", "run_dir=a,b"], jobs.append)


def test_a_sweep_without_a_folder_keeps_its_points_together(jobs, tmp_path):
    """The default folder is named by the second in which it is read, and a sweep lasts for longer."""
    names = iter(range(100))
    launch.OmegaConf.register_new_resolver("now", lambda pattern: f"second-{next(names)}", replace=True)
    try:
        hydra_main(["-m", *QUICKEST, "seed=0,1"], jobs.append)
    finally:
        launch.OmegaConf.clear_resolver("now")
    parents = {job.run_dir.rpartition("/")[0] for job in jobs}
    assert [job.run_dir.rpartition("/")[2] for job in jobs] == ["0", "1"]
    assert len(parents) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["runs"], "Hydra makes the folder here, not in the checkout"


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("search.population=4,abc", "search.population must be a whole number: Value 'abc'"),
        ("search.population=4,0", "search.population is 0"),
        ("data=iris,irsi", "unknown option of the group 'data', 'irsi'"),
        ("data.name=iris,irsi", "unknown data set 'irsi'"),
        ("training.configuration=pqc,foo", "unknown value of training.configuration 'foo'"),
        ("executor.workers=1,0", "executor.workers is 0"),
        ("seed=1,-1", "seed is -1"),
    ],
)
def test_a_bad_point_of_a_sweep_is_found_before_the_first_one_runs(jobs, tmp_path, point, said):
    with pytest.raises(UsageError) as error:
        hydra_main(["-m", *QUICKEST, "executor=local", point, f"run_dir={tmp_path}/run"], jobs.append)
    assert said in str(error.value)
    assert jobs == [] and list(tmp_path.iterdir()) == []


def test_a_sweep_goes_on_after_a_run_that_failed(tmp_path):
    ran = []

    def job(config):
        ran.append(config.seed)
        if config.seed == 1:
            raise RunError("this one failed")

    failed = hydra_main(["-m", *QUICKEST, "seed=0,1,2", f"run_dir={tmp_path}"], job)
    assert ran == [0, 1, 2]
    assert [str(error) for error in failed] == ["this one failed"]


def test_a_run_folder_that_is_taken_is_found_before_a_sweep_starts(jobs, tmp_path):
    RunFolder.claim(compose([f"run_dir={tmp_path}/1"]))
    with pytest.raises(UsageError, match="already holds a run with another configuration"):
        hydra_main(["-m", *QUICKEST, "seed=0,1", f"run_dir={tmp_path}"], jobs.append)
    assert jobs == []


def test_the_command_line_of_the_process_comes_back(jobs):
    before = list(sys.argv)
    hydra_main(["seed=1", "run_dir=x"], jobs.append)
    assert sys.argv == before


def test_what_is_no_mistake_of_the_user_keeps_its_traceback(capsys):
    def job(config):
        raise ZeroDivisionError

    with pytest.raises(SystemExit) as exit_:
        hydra_main(["run_dir=x"], job)
    assert exit_.value.code == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_folder_of_one_s_own_may_hold_further_options(jobs, tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\nseed: 77\n")
    assert hydra_main([f"--config-dir={tmp_path}", "experiment=mine", "run_dir=x"], jobs.append) == []
    assert jobs[0].seed == 77


def test_a_folder_of_one_s_own_may_hold_a_further_group(jobs, tmp_path):
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper" / "first.yaml").write_text("# @package _global_\nseed: 77\n")
    assert hydra_main([f"--config-dir={tmp_path}", "+paper=first", "run_dir=x"], jobs.append) == []
    assert jobs[0].seed == 77


@pytest.mark.parametrize("more", [[], ["-m"]])
def test_keys_are_checked_beside_a_folder_of_one_s_own(jobs, tmp_path, more):
    with pytest.raises(ConfigurationError, match=r"'search.populaton': did you mean 'search.population'\?"):
        hydra_main([f"--config-dir={tmp_path}", *more, "search.populaton=8", "hydra.verbose=false"], jobs.append)
    assert jobs == []


def test_options_of_objectives_from_a_file(tmp_path):
    config = compose(with_mishaps("error", "objectives.options.mishap.only=['12','1e5']"))
    assert config.objectives.options == {"mishap": {"kind": "error", "only": ["12", "1e5"]}}


def test_the_global_generators_are_not_seeded_by_a_search(tmp_path):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    launch.search([*QUICKEST, "search.generations=1", "seed=5", f"run_dir={tmp_path}/run"])
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_files_are_kept_by_their_absolute_paths_so_that_a_run_goes_on_from_any_folder(tmp_path, monkeypatch):
    for name in ("mine.py", "extra.py", "table.csv"):
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    config = compose(["space=mine.py:wide", "objectives.add=[extra.py]", "data=file", "data.path=table.csv"])
    assert config.space == f"{tmp_path / 'mine.py'}:wide"
    assert config.objectives.add == [str(tmp_path / "extra.py")]
    assert (config.data.name, config.data.path) == ("file", str(tmp_path / "table.csv"))
    assert compose().space == "hybrid"
