"""The run folder: claimed once, refused for another run, and readable again."""

import errno
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from qnas.config import Config, ExecutorSettings, ObjectiveSettings
from qnas.data import DataSettings
from qnas.errors import RunFolderError
from qnas.experiment.folder import RunFolder, environment
from qnas.experiment.sources import own_parts, record_of
from qnas.front.files import write_at_once
from qnas.launch import compose
from qnas.search import SearchSettings
from tests.experiment.runs import contents


@pytest.fixture
def config(tmp_path):
    return Config(run_dir=str(tmp_path / "deep" / "run"), seed=3)


def test_a_claimed_folder_holds_configuration_and_environment(config):
    folder = RunFolder.claim(config)
    assert {path.name for path in folder.path.iterdir()} == {"config.yaml", "environment.json", "weights"}
    began = {**environment(), "files": record_of(config), "parts": own_parts()}
    assert json.loads(folder.environment_file.read_text()) == began


def test_the_environment_names_versions_processor_threads_and_code():
    found = environment()
    assert {"qiskit", "qiskit-aer", "torch", "pymoo", "numpy", "optuna", "qnas-hqnn"} <= set(found["versions"])
    assert found["processor"] and found["n_cores"] >= 1
    assert set(found["threads"]) == {"OMP_NUM_THREADS", "MKL_NUM_THREADS"}
    assert found["git"] is None or len(found["git"]["commit"]) == 40


def test_claiming_the_same_run_again_changes_nothing(config):
    before = {path: path.read_bytes() for path in RunFolder.claim(config).path.rglob("*.*")}
    again = {path: path.read_bytes() for path in RunFolder.claim(config).path.rglob("*.*")}
    assert again == before


@pytest.mark.parametrize(
    "overrides",
    [
        ["data=file", "data.path=my data.csv", "data.target=y: 1"],
        ["search=random", "seed=4", "objectives.options.expressibility.n_pairs=20"],
        ["experiment=quick", "executor.workers=3", "training=pqc", "training.learning_rate=1e-3"],
    ],
)
def test_the_configuration_reads_back_as_it_was(overrides, tmp_path):
    config = compose([*overrides, f"run_dir={tmp_path}/run"])
    assert RunFolder.claim(config).read_config() == config


def test_a_folder_that_was_moved_says_where_it_is_now(config, tmp_path):
    RunFolder.claim(config).path.rename(tmp_path / "moved")
    assert RunFolder(tmp_path / "moved").read_config() == replace(config, run_dir=str(tmp_path / "moved"))


def test_another_configuration_is_refused_and_the_keys_that_differ_are_named(config):
    RunFolder.claim(config)
    other = replace(config, seed=4, search=SearchSettings(population=9))
    with pytest.raises(RunFolderError) as error:
        RunFolder.claim(other)
    assert "seed is 3 there and 4 here; search.population is 24 there and 9 here" in str(error.value)
    assert "choose another run_dir" in str(error.value)


def test_the_executor_does_not_make_it_another_run(config):
    RunFolder.claim(config)
    RunFolder.claim(replace(config, executor=ExecutorSettings("serial")))


@pytest.fixture
def plugged(config, tmp_path):
    """A run whose space, objective and data are files of the user."""
    for name in ("mine.py", "extra.py", "table.csv"):
        (tmp_path / name).write_text(name)
    config = replace(
        config,
        space=f"{tmp_path / 'mine.py'}:wide",
        data=DataSettings("file", str(tmp_path / "table.csv")),
        objectives=ObjectiveSettings(["flops"], [str(tmp_path / "extra.py")]),
    )
    RunFolder.claim(config)
    return config


def refusal(config):
    """The sentence for a run that may not go on; nothing is written."""
    before = contents(config.run_dir)
    with pytest.raises(RunFolderError) as error:
        RunFolder.claim(config)
    assert contents(config.run_dir) == before
    return str(error.value)


def test_a_file_that_has_changed_is_refused_by_name(plugged, tmp_path):
    RunFolder.claim(plugged)
    (tmp_path / "extra.py").write_text("edited")
    assert refusal(plugged) == (
        f"'{tmp_path}/extra.py' (objectives.add[0]) has changed since the run in {plugged.run_dir!r} began, and one "
        "front must not mix both; restore what it began with, or choose another run_dir."
    )
    (tmp_path / "extra.py").write_text("extra.py")
    RunFolder.claim(plugged)


def test_every_file_that_is_missing_or_has_changed_is_named(plugged, tmp_path):
    (tmp_path / "mine.py").unlink()
    (tmp_path / "table.csv").write_text("edited")
    said = f"'{tmp_path}/mine.py' (space) is missing; '{tmp_path}/table.csv' (data.path) has changed since the run in "
    assert refusal(plugged).startswith(said)


def test_another_version_of_qnas_is_refused(plugged):
    file = RunFolder(Path(plugged.run_dir)).environment_file
    began = json.loads(file.read_text())
    began["versions"]["qnas-hqnn"] = "0.0.1"
    file.write_text(json.dumps(began))
    assert refusal(plugged).startswith(f"qnas 0.0.1 has become {version('qnas-hqnn')} since the run in ")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "FileNotFoundError: "),
        ("{", "JSONDecodeError: "),
        ("{}", "KeyError: 'versions'"),
        ('{"versions": {"qnas-hqnn": "1"}, "files": {"space": {}}}', "KeyError: 'sha256'"),
    ],
)
def test_without_a_record_of_its_beginning_a_run_with_evaluations_is_refused(plugged, content, why):
    folder = RunFolder(Path(plugged.run_dir))
    folder.ledger_file.write_text("")
    folder.environment_file.unlink()
    if content is not None:
        folder.environment_file.write_text(content)
    sentence = refusal(plugged)
    assert sentence.startswith(f"{str(folder.environment_file)!r} is not what qnas wrote: {why}")
    assert sentence.endswith("Restore it, or choose another run_dir.")


def test_a_run_that_was_killed_while_its_folder_was_made_may_begin(plugged):
    folder = RunFolder(Path(plugged.run_dir))
    before = folder.environment_file.read_bytes()
    folder.environment_file.unlink()
    RunFolder.claim(plugged)
    assert folder.environment_file.read_bytes() == before


def test_other_files_are_refused_and_left_alone(config, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(RunFolderError, match="exists and is not the folder of a run; choose another run_dir"):
            RunFolder.claim(replace(config, run_dir=str(path)))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_welcome(config, tmp_path):
    RunFolder.claim(replace(config, run_dir=str(tmp_path)))


def test_checking_writes_nothing(config, tmp_path):
    RunFolder(tmp_path / "deep" / "run").check(config)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(config, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match=r"run_dir '.*/file/run' cannot be made: .*choose another"):
        RunFolder.claim(replace(config, run_dir=str(tmp_path / "file" / "run")))


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(RunFolderError, match=r"holds no run: there is no config\.yaml in it"):
        RunFolder(tmp_path / "nosuch").read_config()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("populaton: 3", "'populaton' not in 'Config'"),
        ("seed: abc", "Value 'abc'"),
        ("seed: [", "while parsing"),
        ("search: {population: 0}", "search.population is 0"),
    ],
)
def test_a_configuration_that_was_tampered_with_is_refused(config, line, why):
    folder = RunFolder.claim(config)
    folder.config_file.write_text(line + "\n")
    with pytest.raises(RunFolderError) as error:
        folder.read_config()
    assert f"{str(folder.config_file)!r} is not what qnas wrote" in str(error.value)
    assert why in str(error.value)


def test_a_folder_is_held_by_one_process_at_a_time(config):
    folder = RunFolder.claim(config)
    with folder.held(), pytest.raises(RunFolderError, match="another qnas is running in"), folder.held():
        pass
    with folder.held():
        pass


def test_a_file_system_without_locks_is_refused_with_a_sentence(config, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("fcntl.flock", flock)
    folder = RunFolder.claim(config)
    said = r"cannot be locked against a second qnas \(Function not implemented\); choose a run_dir on a file"
    with pytest.raises(RunFolderError, match=said), folder.held():
        pass


@pytest.mark.parametrize("left", [".config.yaml.unfinished", "ledger.url", ".ledger.url.unfinished"])
def test_a_run_that_was_killed_before_its_configuration_was_written_begins_anew(config, left):
    run_dir = Path(config.run_dir)
    run_dir.mkdir(parents=True)
    (run_dir / left).write_text("cut sh")
    assert RunFolder.claim(config).read_config() == config


def test_of_two_runs_that_begin_at_once_one_is_refused(config, monkeypatch):
    def slowly(path, content, **options):
        time.sleep(0.1)
        write_at_once(path, content, **options)

    monkeypatch.setattr("qnas.experiment.folder.write_at_once", slowly)
    with ThreadPoolExecutor() as pool:
        ended = [pool.submit(RunFolder.claim, replace(config, seed=seed)) for seed in (3, 4)]
    (refused,) = [error for one in ended if (error := one.exception())]
    assert isinstance(refused, RunFolderError) and "already holds a run with another configuration (seed is" in str(
        refused
    )


def test_weights_are_written_under_their_fingerprint(config):
    folder = RunFolder.claim(config)
    folder.save_weights("ab12", b"content")
    assert folder.weights_file("ab12").read_bytes() == b"content"
    assert [path.name for path in folder.weights.iterdir()] == ["ab12.safetensors"]
