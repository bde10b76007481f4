"""From overrides to a run: compose the configuration with Hydra, check it, search.

Hydra composes and sweeps; its own messages are replaced by one sentence that names the key, the value and what is
allowed.
"""

from __future__ import annotations

import dataclasses
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from qnas.config import Config, schema, to_config
from qnas.errors import ConfigurationError, QnasError, UsageError, unknown
from qnas.experiment.callbacks import Callbacks
from qnas.experiment.database import checked_url, shown
from qnas.experiment.folder import RunFolder
from qnas.experiment.loop import run_search
from qnas.experiment.plan import check_run
from qnas.experiment.results import Result
from qnas.experiment.store import NOTES
from qnas.plugins import bundled_directory, is_loading, located
from qnas.space import Space
from qnas.space.reference import reference_to

GROUPS = ("data", "objectives", "search", "simulation", "training", "early_stopping", "executor", "experiment")
_VERSION_BASE = "1.3"
_FREE_FORM = ("objectives.options.", "executor.options.")
_SEE = "See qnas search --cfg job."
_ALLOWED = {
    "int": "a whole number",
    "int | None": "a whole number or null",
    "float": "a number",
    "float | None": "a number or null",
    "str": "a text",
    "str | None": "a text or null",
    "list[str]": "a list such as [a,b]",
    "dict[str, Any]": "options such as executor.options.queue=long",
    "dict[str, dict[str, Any]]": "options by objective, e.g. objectives.options.expressibility.n_pairs=2000",
}


def compose(overrides: Sequence[str] = ()) -> Config:
    """The configuration that overrides such as "data=iris" or "search.population=8" make of the default one.

    Raises:
        ConfigurationError: a key, a group's option or a value is not known or of the wrong type.
    """
    return _compose(*_hidden(overrides))


def _compose(overrides: Sequence[str], urls: Mapping[str, str]) -> Config:
    for text in overrides:
        override = _parsed(text)
        if override.is_sweep_override():
            raise ConfigurationError(
                f"{text!r} gives several values: for one run with each use qnas search -m; a list is [a,b]."
            )
        check_override(override)
    ConfigStore.instance().store("schema", schema())
    try:
        with hydra.initialize_config_dir(str(bundled_directory("conf")), version_base=_VERSION_BASE):
            return _located(to_config(_resolved(hydra.compose("config", list(overrides)))), urls)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigurationError(_sentence(error)) from error


def search(
    config_overrides: Sequence[str] = (), callbacks: Callbacks | None = None, *, space: Space | None = None
) -> Result:
    """Run a search from Python, as `qnas search` does.

    Args:
        config_overrides: what would stand on the command line, e.g. ["data=iris", "search.generations=2"].
        callbacks: watches the run; a subclass of `qnas.Callbacks`; what it raises is logged and does not end the run.
        space: a space in memory, in place of the one that the configuration names. Without constraints it is kept in
            the run folder as `space.json`; with constraints, whose predicates are Python, it must stand at the top
            level of a module or a script, where workers and `qnas resume` find it again.

    Returns:
        The finished run: `.front` is a pandas DataFrame, `.load(id)` a trained model.

    Raises:
        UsageError: something is wrong with what was given; nothing has been written.
        RunError: the run failed.
    """
    if is_loading():  # whoever looks for a part in the script that searches imports it once more
        raise UsageError(
            "call qnas.search under `if __name__ == '__main__':`, because a script is imported for the parts in it."
        )
    config = compose(config_overrides)
    if space is not None:
        if any(_parsed(text).key_or_group == "space" for text in config_overrides):
            raise ConfigurationError("the space is given twice: leave out the override space=... or the argument.")
        config = dataclasses.replace(config, space=_kept(space, config.run_dir))
    with _notes_on_stderr():
        findings = run_search(config, callbacks, space)
        if findings.remark:
            NOTES.warning(findings.remark)
    return Result(config.run_dir)


@contextmanager
def _notes_on_stderr() -> Iterator[None]:
    """Show what the user should see at once, unless the script has set up logging, which shows it then."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("qnas: %(message)s"))
    handler.addFilter(lambda record: not logging.getLogger().handlers)
    NOTES.addHandler(handler)
    try:
        yield
    finally:
        NOTES.removeHandler(handler)


def _kept(space: Space, run_dir: str) -> str:
    """Where other processes find a space in memory."""
    return reference_to(space) if space.tree.constraints else str(RunFolder(Path(run_dir)).space_file.resolve())


def hydra_main(arguments: Sequence[str], job: Callable[[Config], None]) -> list[QnasError]:
    """Hand the command line to Hydra, which runs `job` once, or once for each point of a sweep (-m).

    Returns:
        What failed, at most one error for each run; the other points of a sweep are run all the same.

    Raises:
        ConfigurationError, UsageError: any point of a sweep cannot be run; none has been.
    """
    failed: list[QnasError] = []
    arguments, urls = _hidden(arguments)

    def task(composed: DictConfig) -> None:
        try:
            job(_config_of_job(composed, urls))
        except QnasError as error:  # Hydra would print its traceback
            failed.append(error)

    with _command_line(arguments):
        parsed = get_args_parser().parse_args(list(arguments))
        own_files = parsed.config_dir or parsed.config_path or parsed.config_name
        given = list(arguments)
        if own_files:
            _check_keys(parsed.overrides, [path for path in (parsed.config_dir, parsed.config_path) if path])
        elif not (parsed.help or parsed.hydra_help):
            given += _checked(parsed.overrides, urls, sweep=parsed.multirun)
    with _command_line(given):
        ConfigStore.instance().store("schema", schema())
        hydra.main(version_base=_VERSION_BASE, config_path=str(bundled_directory("conf")), config_name="config")(task)()
    return failed


def _config_of_job(composed: DictConfig, urls: Mapping[str, str]) -> Config:
    try:
        config = _located(to_config(_resolved(composed)), urls)
    except OmegaConfBaseException as error:
        raise ConfigurationError(_sentence(error)) from error
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        return _point(config, HydraConfig.get().job.num)
    return config


def _located(config: Config, urls: Mapping[str, str]) -> Config:
    """Files by their absolute paths, so that workers and `qnas resume` find them from any folder."""
    data = dataclasses.replace(
        config.data, name=located(config.data.name), path=config.data.path and located(config.data.path)
    )
    objectives = dataclasses.replace(config.objectives, add=[located(path) for path in config.objectives.add])
    ledger = dataclasses.replace(
        config.ledger,
        url=None if config.ledger.url is None else checked_url(urls.get(config.ledger.url, config.ledger.url)),
        reuse=[str(Path(run).expanduser().resolve()) for run in config.ledger.reuse],
    )
    return dataclasses.replace(config, space=located(config.space), data=data, objectives=objectives, ledger=ledger)


_LEDGER = re.compile(r"(\+{0,2})ledger(?:\.url)?=(?!null$|[\[{'\"])(.*)", re.DOTALL)
"""An override that gives a ledger as it is, without the quotes that Hydra wants around a URL."""


def _hidden(overrides: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Overrides that show no password, since Hydra prints them and writes them to files, and the URLs that they hide.

    `ledger=postgresql://...`, which Hydra takes for an option of a group, becomes `ledger.url='postgresql://...'`.
    """
    given: list[str] = []
    urls: dict[str, str] = {}
    for text in overrides:
        found = _LEDGER.fullmatch(_unquoted(text))
        if found:
            urls[shown(found[2])] = found[2]
            text = f"{found[1]}ledger.url={_quoted(shown(found[2]))}"
        given.append(re.sub(r"^(\+{0,2})ledger=null$", r"\1ledger.url=null", text))
    return given, urls


def _unquoted(text: str) -> str:
    """An override of the ledger without the quotes that somebody who knows Hydra has put around its value."""
    found = re.fullmatch(r"(\+{0,2}ledger(?:\.url)?=)(['\"])(.*)\2", text, re.DOTALL)
    return f"{found[1]}{found[3]}" if found else text


def _quoted(value: str) -> str:
    escaped = value.replace("'", "\\'").replace("${", "\\${")
    return f"'{escaped}'"


def _checked(overrides: Sequence[str], urls: Mapping[str, str], *, sweep: bool) -> list[str]:
    """Check all that will run before anything does; returns overrides that hold one sweep together."""
    if not sweep:
        _compose(overrides, urls)
        return []
    folders = [override for override in map(_parsed, overrides) if override.key_or_group == "run_dir"]
    if any(override.is_sweep_override() for override in folders):
        raise ConfigurationError("run_dir takes one value in a sweep: each of its runs has a folder of its own in it.")
    configs = [_compose(point, urls) for point in _points(overrides)]
    for k, config in enumerate(configs):
        check_run(_point(config, k))
    return [] if folders else [f"run_dir={configs[0].run_dir}"]  # the default names the second in which it is read


def _points(overrides: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The points of a sweep, in Hydra's order."""
    choices = [
        [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]
        if override.is_sweep_override()
        else [text]
        for text, override in ((text, _parsed(text)) for text in overrides)
    ]
    return product(*choices)


def _point(config: Config, number: int) -> Config:
    return dataclasses.replace(config, run_dir=str(Path(config.run_dir) / str(number)))


@contextmanager
def _command_line(arguments: Sequence[str]) -> Iterator[None]:
    """Hydra reads sys.argv."""
    before, sys.argv = sys.argv, ["qnas search", *arguments]
    try:
        yield
    finally:
        sys.argv = before


def _resolved(composed: DictConfig) -> Any:
    return OmegaConf.to_container(composed, resolve=True)


# --- one sentence for what is wrong -----------------------------------------------------------------------------


def check_override(override: Override) -> None:
    """Raise ConfigurationError for a key or a group's option that does not exist, naming the nearest that does."""
    key = override.key_or_group
    if override.is_delete():
        raise ConfigurationError(f"{override.input_line!r} removes a part of the configuration; set {key}=... instead.")
    if key in GROUPS:
        _check_option(key, override.value())
    else:
        _check_key(key)


def _parsed(text: str) -> Override:
    try:
        return OverridesParser.create().parse_override(text)
    except HydraException as error:
        reason = str(error).partition("\n")[0]
        advice = """quote a value with special characters, as in "key='a (b)'"."""
        raise ConfigurationError(f"{text!r} is not of the form key=value ({reason}); {advice}") from error


def _check_option(group: str, value: object) -> None:
    options = sorted(path.stem for path in (bundled_directory("conf") / group).glob("*.yaml"))
    if str(value) not in options:
        named = "null" if value is None else value
        raise ConfigurationError(unknown(f"option of the group {group!r},", named, options, f"Use {group}=..."))


def _check_keys(overrides: Sequence[str], folders: Sequence[str]) -> None:
    """Check the keys where options and groups of one's own may lie in folders, so that Hydra alone knows them all."""
    for key in (_parsed(text).key_or_group for text in overrides):
        if key not in GROUPS and not any((Path(folder) / key).is_dir() for folder in folders):
            _check_key(key)


def _check_key(key: str) -> None:
    if key.startswith(("hydra", *_FREE_FORM)):
        return
    parts = key.split(".")
    for depth, (name, fields) in enumerate(_walk(key)):
        if name not in fields:
            siblings = [".".join([*parts[:depth], field]) for field in fields]
            kind = "configuration key" if depth == len(parts) - 1 else f"part of the configuration key {key!r},"
            raise ConfigurationError(unknown(kind, ".".join(parts[: depth + 1]), siblings, _SEE))


def _annotation(key: str) -> str:
    """The type of a key as the schema writes it; of `objectives.options.a.b`, that of `objectives.options`."""
    types = [str(fields[name].type) for name, fields in _walk(key) if name in fields]
    return types[-1] if types else ""


def _walk(key: str) -> Iterator[tuple[str, dict[str, dataclasses.Field[Any]]]]:
    """Each part of a key with the fields that the schema has there, up to the first part that is not among them."""
    node: Any = Config
    for name in key.split("."):
        fields = {field.name: field for field in dataclasses.fields(node)} if dataclasses.is_dataclass(node) else {}
        yield name, fields
        if name not in fields:
            return
        node = _type_of(fields[name])


def _type_of(field: dataclasses.Field[Any]) -> Any:
    """The dataclass that a field holds, if it holds one."""
    return field.default_factory if isinstance(field.default_factory, type) else None


def _sentence(error: Exception) -> str:
    """A message of Hydra or OmegaConf as one sentence, with the key it is about and what is allowed there."""
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    lines = [line.strip() for line in str(cause).splitlines()]
    text = " ".join(line for line in lines if not line.startswith(("full_key:", "object_type=", "reference_type=")))
    key = next((line.removeprefix("full_key: ") for line in lines if line.startswith("full_key: ")), "")
    allowed = _ALLOWED.get(_annotation(key))
    about = f"{key} must be {allowed}: " if allowed else f"{key}: " if key else ""
    return f"{about}{text.strip().rstrip('.')}. {_SEE}"
