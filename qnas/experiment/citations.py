"""The sources of the methods that a run used, and of no others."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from qnas.architecture import Architecture
from qnas.circuit.ansatze import add_layer, ansatze
from qnas.circuit.build import build_circuit, coupling_name
from qnas.circuit.encodings import encodings
from qnas.circuit.parts import as_part, part_of
from qnas.circuit.readouts import readouts
from qnas.config import Config
from qnas.errors import PluginError, SpaceError
from qnas.experiment.ledger import Ledger
from qnas.experiment.sources import space_file
from qnas.front.pareto import hypervolume
from qnas.model.couplings import Classical, couplings
from qnas.model.training import train
from qnas.objectives import Objective
from qnas.objectives.objective import TRAINED
from qnas.references import check_key, cited, named_in
from qnas.search import searchers
from qnas.simulation import make_simulator

_REUPLOADING = "perezsalinas2020"
_LISTED = "__references__"
EARLY_STOPPING = {
    "off": (),
    "halving": ("jamieson2016", "deb2002"),
    "extrapolation": ("jamieson2016", "deb2002", "baker2017"),
}
"""The sources of each way to stop training early."""


def cited_by(config: Config, objectives: Sequence[Objective], designs: Iterable[Architecture]) -> set[str]:
    """The keys of all sources.

    Args:
        config: of the run.
        objectives: what it measured.
        designs: what it evaluated; their parts are used, and parts that the space merely offers are not.

    Raises:
        SpaceError: as for `cited_by_space`.
    """
    keys = [*cited(build_circuit), *cited(hypervolume), *cited(Ledger)]
    keys += cited(searchers[config.search.name].build, asdict(config.search))
    keys += EARLY_STOPPING[config.early_stopping.name]
    for objective in objectives:
        keys += cited(objective.measure, text=objective.reference)
    if any(objective.cost == TRAINED for objective in objectives):
        simulator = type(make_simulator(config.simulation))
        keys += [*cited(train, asdict(config.training)), *cited(simulator, asdict(config.simulation))]
    for design in designs:
        keys += _cited_by_design(design)
    return {*keys, *cited_by_space(config)}


def cited_by_space(config: Config) -> list[str]:
    """The sources of a space: those that its file lists as `__references__`, or that its docstring names.

    Of a text, the comments are read. A space in memory has none.

    Raises:
        SpaceError: what is listed are no keys.
    """
    file = space_file(config)
    if file is None or not file.is_file():
        return []
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        return named_in("\n".join(line for line in text.splitlines() if line.startswith("#")))
    tree = ast.parse(text)
    listed = [step.value for step in tree.body if isinstance(step, ast.Assign) and _LISTED in map(_name, step.targets)]
    return _keys(listed[-1], config.space) if listed else named_in(ast.get_docstring(tree) or "")


def _name(target: ast.expr) -> str:
    return target.id if isinstance(target, ast.Name) else ""


def _keys(listed: ast.expr, space: str) -> list[str]:
    try:
        keys = list(ast.literal_eval(listed))
        for key in keys:
            check_key(key)
    except (ValueError, TypeError, AttributeError):
        found = ast.unparse(listed)
        raise SpaceError(f"{_LISTED} of the space {space!r} is {found}; write keys, e.g. ('sim2019',).") from None
    except PluginError as error:
        raise SpaceError(f"{_LISTED} of the space {space!r}: {error}") from error
    return keys


def _cited_by_design(design: Architecture) -> Iterator[str]:
    """The classical control has its coupling alone."""
    coupling = part_of(design, "coupling", default="serial")
    yield from cited(couplings[coupling_name(design)], coupling)
    if couplings[coupling_name(design)] is Classical:
        return
    encoding, readout = part_of(design, "encoding"), part_of(design, "readout", default="z")
    yield from cited(encodings[encoding["name"]].build, encoding)
    yield from cited(readouts[readout["name"]], readout)
    if encoding.get("reupload", False):
        yield _REUPLOADING
    for block in (design.ansatz,) if "ansatz" in design else design.get("layers", ()):
        yield from _cited_by_block(block)


def _cited_by_block(block: object) -> list[str]:
    if isinstance(block, Architecture) and "name" not in block:
        return cited(add_layer)
    part = as_part(block, "the ansatz")
    return cited(ansatze[part["name"]], part)
