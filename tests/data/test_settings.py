"""The Hydra group `data`: every file composes under the typed schema."""

from dataclasses import dataclass, field

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from qnas.data import DataSettings, datasets
from qnas.plugins import bundled_directory

GROUP = bundled_directory("conf") / "data"


@dataclass
class Top:
    data: DataSettings = field(default_factory=DataSettings)


def composed(*overrides):
    schema = OmegaConf.structured(Top)
    OmegaConf.set_readonly(schema.data, None)  # OmegaConf locks frozen dataclasses
    ConfigStore.instance().store("test_data_schema", schema)
    ConfigStore.instance().store("test_data_settings", {"defaults": ["test_data_schema", {"data": "digits"}, "_self_"]})
    with initialize_config_dir(str(GROUP.parent), version_base="1.3"):
        config = compose("test_data_settings", list(overrides))
    return OmegaConf.to_object(config).data


@pytest.mark.parametrize("file", sorted(GROUP.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_file_of_the_group_says_what_it_is_and_names_its_data_set(file):
    assert file.read_text().startswith("# ")
    assert composed(f"data={file.stem}").name == file.stem
    assert file.stem in datasets


def test_every_bundled_data_set_has_its_file():
    bundled = {name for name in datasets if datasets[name].__module__.startswith("qnas.data")}
    assert {file.stem for file in GROUP.glob("*.yaml")} == bundled


def test_settings_are_overridden_and_stay_typed():
    given = composed("data=file", "data.path=my.csv", "data.n_samples=30", "data.test=0.1")
    assert given == DataSettings("file", path="my.csv", n_samples=30, test=0.1)
