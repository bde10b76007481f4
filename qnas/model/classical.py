"""The classical networks around the circuit: which of `pre`, `hidden` and `head` have an effect, by coupling."""

from __future__ import annotations

from qnas.architecture import Architecture
from qnas.circuit.build import DEFAULT_PRE, DIRECT, coupling_name

WITH_HEAD = ("serial", "residual", "density", "classical")
"""Bundled couplings with a network behind the circuit, of the widths `head`; `hidden` is of the pre-network alone."""
WITH_BRANCH = ("additive", "multiplicative", "mac")
"""Bundled couplings whose `hidden` is also of networks beside the circuit, and behind which is one linear map."""


def canonical_networks(architecture: Architecture) -> Architecture:
    """The one form of all architectures that mean these classical networks; those of plug-ins stay as they are.

    * `hidden` is empty where no network has hidden layers: around the circuit alone, and where `pre` is no MLP.
    * `pre` is left out where it is the default, where it is a linear map and so is an MLP without hidden layers, and
      where a linear map would stand in front of the circuit alone, which has none.
    * `head` is left out where it is empty, and where the coupling has none.
    """
    name, pre = coupling_name(architecture), architecture.get("pre", DEFAULT_PRE)
    if architecture.get("hidden") and (name == DIRECT or (name in WITH_HEAD and pre != DEFAULT_PRE)):
        architecture = architecture.replace(hidden=())
    bundled = name in (DIRECT, *WITH_HEAD, *WITH_BRANCH)
    if pre == DEFAULT_PRE or (pre == "linear" and bundled and not architecture.get("hidden")):
        architecture = _without(architecture, "pre")
    if not architecture.get("head") or name in (DIRECT, *WITH_BRANCH):
        architecture = _without(architecture, "head")
    return architecture


def explicit_networks(architecture: Architecture) -> Architecture:
    """A canonical architecture with the defaults that it leaves out, where its coupling has what they are about.

    Tables show these; the canonical form is what is compared.
    """
    name = coupling_name(architecture)
    defaults: dict[str, object] = {} if name == DIRECT else {"pre": DEFAULT_PRE}
    if name in WITH_HEAD:
        defaults["head"] = ()
    return Architecture({**defaults, **architecture})


def _without(architecture: Architecture, key: str) -> Architecture:
    if key not in architecture:
        return architecture
    return Architecture({other: value for other, value in architecture.items() if other != key})
