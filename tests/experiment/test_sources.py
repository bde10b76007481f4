"""Which files a run depends on, however the configuration names them."""

import hashlib
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest

from qnas.config import Config, ObjectiveSettings
from qnas.data import DataSettings
from qnas.experiment import sources
from qnas.experiment.sources import changes, record_of
from qnas.plugins import bundled_directory


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("content")
    return path


def paths(config):
    return {key: found["path"] for key, found in record_of(config).items()}


def test_the_main_job_depends_on_the_file_of_its_space_only():
    path = bundled_directory("search_spaces") / "hybrid.py"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert record_of(Config()) == {"space": {"path": str(path), "sha256": digest}}


@pytest.mark.parametrize("reference", ["{file}", "{file}:wide"])
def test_a_space_by_its_path(file, reference):
    assert paths(Config(space=reference.format(file=file))) == {"space": str(file)}


@pytest.mark.parametrize("name", ["mine.yaml", "mine.yml", "mine.json"])
def test_a_space_in_text(tmp_path, name):
    path = tmp_path / name
    path.write_text("{}")
    config = Config(space=str(path))
    record = record_of(config)
    assert record == {"space": {"path": str(path), "sha256": hashlib.sha256(b"{}").hexdigest()}}
    path.write_text("{a: boolean}")
    assert changes(record, config) == [f"{str(path)!r} (space) has changed"]


def test_a_space_and_a_data_set_of_a_module_imported_or_not(file, monkeypatch):
    monkeypatch.syspath_prepend(file.parent)
    config = Config(space="mine:space", data=DataSettings("mine:rings"))
    assert paths(config) == {"space": str(file), "data.name": str(file)}
    assert "mine" not in sys.modules
    imported = ModuleType("mine")
    imported.__file__ = str(file.parent / "other.py")
    (file.parent / "other.py").write_text("")
    monkeypatch.setitem(sys.modules, "mine", imported)
    assert paths(config) == {"space": imported.__file__, "data.name": imported.__file__}


def test_a_module_by_its_folder_as_the_launcher_writes_it(file):
    assert paths(Config(space=f"{file.with_suffix('')}:space")) == {"space": str(file)}


@pytest.mark.parametrize("reference", ["nomodule:space", "nomodule.within:space", "sys:space"])
def test_a_module_without_a_file_is_left_to_whoever_loads_it(reference):
    assert record_of(Config(space=reference)) == {}


def test_a_package_that_cannot_be_imported_is_left_to_whoever_loads_it(tmp_path, monkeypatch):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "__init__.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    assert record_of(Config(space="broken.within:space")) == {}


def test_parts_that_installed_packages_advertise(file, monkeypatch):
    monkeypatch.syspath_prepend(file.parent)
    groups = []

    def entry_points(group, name):
        groups.append(group)
        return [SimpleNamespace(module="mine")] if name == "theirs" else []

    monkeypatch.setattr(sources, "entry_points", entry_points)
    config = Config(space="theirs", data=DataSettings("theirs"), objectives=ObjectiveSettings(["flops", "theirs"]))
    assert paths(config) == {"space": str(file), "data.name": str(file), "objectives.names[1]": str(file)}
    assert set(groups) == {"qnas.search_spaces", "qnas.datasets", "qnas.objectives"}


def test_files_of_data_and_objectives(file, tmp_path):
    table = tmp_path / "table.csv"
    config = Config(
        data=DataSettings(str(file), path=str(table)),
        objectives=ObjectiveSettings(["flops"], [str(file), str(tmp_path / "absent.py")]),
    )
    found = record_of(config)
    assert list(found) == ["space", "data.name", "data.path", "objectives.add[0]", "objectives.add[1]"]
    assert found["data.path"] == {"path": str(table), "sha256": None}, "it is not there"
    assert found["data.name"] == found["objectives.add[0]"]


def test_changes_are_named_and_a_file_that_moved_has_not_changed(file, tmp_path):
    config = Config(space=str(file))
    record = record_of(config)
    assert changes(record, config) == []
    moved = tmp_path / "moved.py"
    moved.write_text("content")
    assert changes(record, replace(config, space=str(moved))) == []
    file.write_text("other")
    assert changes(record, config) == [f"{str(file)!r} (space) has changed"]
    file.unlink()
    assert changes(record, config) == [f"{str(file)!r} (space) is missing"]
