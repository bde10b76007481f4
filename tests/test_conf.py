"""Every file of `conf/` composes under the typed schema and says what it is."""

import shlex
import shutil

import pytest
import yaml

from qnas import launch
from qnas.config import Config
from qnas.errors import ConfigurationError
from qnas.experiment.citations import EARLY_STOPPING
from qnas.experiment.executor import EXECUTORS
from qnas.experiment.folder import RunFolder
from qnas.launch import GROUPS, compose
from qnas.model.training import CONFIGURATIONS
from qnas.objectives import choose_objectives
from qnas.plugins import bundled_directory
from qnas.search import searchers
from qnas.simulation import SIMULATORS

CONF = bundled_directory("conf")
FILES = sorted(CONF.rglob("*.yaml"))
OPTIONS = [(file.parent.name, file.stem) for file in FILES if file.parent != CONF]
named = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CONF)))


@named
def test_the_first_line_is_a_comment(file):
    first = file.read_text().splitlines()[0]
    assert first.startswith("# ") and len(first) > 10


def test_every_folder_is_a_group():
    assert {group for group, _ in OPTIONS} == set(GROUPS)


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes_and_reads_back_from_a_run(group, option, tmp_path):
    config = compose([f"{group}={option}", f"run_dir={tmp_path}/run"])
    assert isinstance(config, Config)
    config.training.check()
    choose_objectives(config.objectives.names, config.objectives.add, config.objectives.options)
    assert RunFolder.claim(config).read_config() == config


@pytest.mark.parametrize("file", sorted((CONF / "experiment").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_first_line_of_an_experiment_is_its_command(file):
    """But for the line that Hydra must find first."""
    package, line = file.read_text().splitlines()[:2]
    assert package == "# @package _global_"
    command = shlex.split(line.removeprefix("# "))
    assert command[:2] == ["qnas", "search"] and f"experiment={file.stem}" in command[2:]
    compose(command[2:])


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("search", searchers),
        ("executor", EXECUTORS),
        ("training", CONFIGURATIONS),
        ("simulation", SIMULATORS),
        ("early_stopping", EARLY_STOPPING),
    ],
)
def test_whatever_can_be_chosen_has_a_file(group, names):
    assert {option for where, option in OPTIONS if where == group} == set(names)


@pytest.fixture
def own_conf(tmp_path, monkeypatch):
    """A copy of conf/ that can be spoilt."""
    copy = shutil.copytree(CONF, tmp_path / "conf")
    monkeypatch.setattr(launch, "bundled_directory", lambda name: copy)
    return copy


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("search/nsga2.yaml", "populaton: 3", "populaton"),
        ("training/pqc.yaml", "optimizer: sgd", "optimizer"),
        ("config.yaml", "spase: hybrid", "spase"),
        (
            "search/nsga2.yaml",
            "evaluations: many",
            "search.evaluations must be a whole number or null: In 'search/nsga2': ",
        ),
    ],
)
def test_the_schema_refuses_what_a_file_says_wrongly(own_conf, file, line, said):
    overrides = ["training=pqc"]
    compose(overrides)
    with (own_conf / file).open("a") as opened:
        opened.write(f"{line}\n")
    with pytest.raises(ConfigurationError) as error:
        compose(overrides)
    assert said in str(error.value)


@named
def test_no_file_repeats_a_key(file):
    """YAML lets the last one win in silence."""

    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader, node):
        keys = [key.value for key, _ in node.value]
        assert len(set(keys)) == len(keys)
        return yaml.SafeLoader.construct_mapping(loader, node, deep=True)

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    yaml.load(file.read_text(), Loader=Strict)
