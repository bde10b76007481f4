"""From overrides to a run: compose the configuration with Hydra, check it, search.

Hydra composes and sweeps; its own messages are replaced by one sentence that names the key, the value and what is
allowed.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from qnas.config import Config, schema, to_config
from qnas.errors import ConfigurationError, unknown
from qnas.experiment.loop import Callbacks, run_search
from qnas.experiment.results import Result
from qnas.plugins import bundled_directory

GROUPS = ("data", "objectives", "search", "simulation", "training", "executor", "experiment")
_VERSION_BASE = "1.3"
_FREE_FORM = ("objectives.options",)


def compose(overrides: Sequence[str] = ()) -> Config:
    """The configuration that overrides such as "data=iris" or "search.population=8" make of the default one.

    Raises:
        ConfigurationError: a key, a group's option or a value is not known or of the wrong type.
    """
    check_overrides(overrides)
    ConfigStore.instance().store("schema", schema())
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(str(bundled_directory("conf")), version_base=_VERSION_BASE):
            return to_config(_resolved(hydra.compose("config", list(overrides))))
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigurationError(_sentence(error)) from error


def search(config_overrides: Sequence[str] = (), callbacks: Callbacks | None = None) -> Result:
    """Run a search from Python, as `qnas search` does.

    Args:
        config_overrides: what would stand on the command line, e.g. ["data=iris", "search.generations=2"].
        callbacks: watches the run; see `qnas.experiment.loop.Callbacks`.

    Returns:
        The finished run: `.front` is a pandas DataFrame, `.load(id)` a trained model.
    """
    config = compose(config_overrides)
    run_search(config, callbacks)
    return Result(config.run_dir)


def hydra_main(arguments: Sequence[str], job: Callable[[Config], None]) -> None:
    """Hand the command line to Hydra, which runs `job` once, or once for each point of a sweep (-m)."""
    check_overrides(_overrides_of(arguments))
    if not any(argument.startswith("-") for argument in arguments):
        compose(arguments)
    ConfigStore.instance().store("schema", schema())

    def task(composed: DictConfig) -> None:
        config = to_config(_resolved(composed))
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            run_dir = Path(config.run_dir) / str(HydraConfig.get().job.num)
            config = dataclasses.replace(config, run_dir=str(run_dir))
        job(config)

    sys.argv = ["qnas search", *arguments]
    hydra.main(version_base=_VERSION_BASE, config_path=str(bundled_directory("conf")), config_name="config")(task)()


def _resolved(composed: DictConfig) -> Any:
    return OmegaConf.to_container(composed, resolve=True)


def _overrides_of(arguments: Sequence[str]) -> list[str]:
    return [argument for argument in arguments if "=" in argument and not argument.startswith("-")]


# --- one sentence for what is wrong -----------------------------------------------------------------------------


def check_overrides(overrides: Sequence[str]) -> None:
    """Raise ConfigurationError for a key or a group's option that does not exist, naming the nearest that does."""
    for text in overrides:
        try:
            override = OverridesParser.create().parse_override(text)
        except HydraException as error:
            raise ConfigurationError(f"{text!r} is not of the form key=value: {_sentence(error)}") from error
        key = override.key_or_group
        if key.startswith("hydra"):
            continue
        if key in GROUPS:
            _check_option(key, override)
        elif not key.startswith(_FREE_FORM):
            _check_key(key)


def _check_option(group: str, override: Override) -> None:
    options = sorted(path.stem for path in (bundled_directory("conf") / group).glob("*.yaml"))
    values = override.sweep_string_iterator() if override.is_sweep_override() else [override.value()]
    for value in values:
        if value is not None and not isinstance(value, dict) and str(value) not in options:
            raise ConfigurationError(unknown(f"option of the group {group!r},", value, options, f"Use {group}=..."))


def _check_key(key: str) -> None:
    node: Any = Config
    for depth, name in enumerate(key.split(".")):
        fields = {field.name: field for field in dataclasses.fields(node)} if dataclasses.is_dataclass(node) else {}
        if name not in fields:
            parent = ".".join(key.split(".")[:depth])
            raise ConfigurationError(
                unknown("configuration key", key, _keys(node, parent), "See qnas search --cfg job.")
            )
        node = _type_of(fields[name])


def _keys(node: Any, parent: str) -> list[str]:
    prefix = f"{parent}." if parent else ""
    return [f"{prefix}{field.name}" for field in dataclasses.fields(node)] if dataclasses.is_dataclass(node) else []


def _type_of(field: dataclasses.Field[Any]) -> Any:
    """The dataclass that a field holds, if it holds one."""
    return field.default_factory if isinstance(field.default_factory, type) else None


def _sentence(error: Exception) -> str:
    """The first lines of a message of Hydra or OmegaConf, as one sentence."""
    causes = [cause for cause in (error.__cause__, error) if cause is not None]
    text = " ".join(line.strip() for line in str(causes[0]).splitlines() if line.strip())
    return text.split(" full_key:")[0].rstrip(".") + (
        f" (key {text.split(' full_key: ')[1].split()[0]})." if " full_key: " in text else "."
    )
