"""The results as Markdown: the page with all tables, and the verdict for the README."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from benchmarks.implementations import IMPLEMENTATIONS, Case
from benchmarks.measuring import AGREEMENT
from benchmarks.results import AXES, Results
from benchmarks.targets import RATIOS, outcomes
from qnas.experiment.folder import processor

_PACKAGES = (
    "qiskit", "qiskit-aer", "qiskit-machine-learning", "numpy", "torch", "pennylane", "pennylane-lightning",
    "tensorcircuit-ng", "jax",
)  # fmt: skip
_START, _END = "<!-- verdict: written by simulation.py -->", "<!-- end of verdict -->"
_MIB = 2**20
_QUIET = 0.95


def page(results: Results) -> str:
    """All tables, with headings."""
    growths = [f"## Growth with {axis}: {results.plan.held[axis]}\n\n{_growth(results, axis)}" for axis in AXES]
    parts = [
        "# One training step, in qnas and in its peers",
        _introduction(results),
        f"## Sizes: qubits/layers, batch {results.plan.base.batch}",
        _sizes(results),
        "## Targets\n\nRatios say how many times as long as qnas the other takes.",
        _targets(results),
        *growths,
        f"![Growth with layers, batch and qubits](simulation.png)\n\nThe slope of qnas's time over the layers, from "
        f"{results.plan.slope_from} to {results.plan.layers[-1]}, on logarithmic axes: {results.slope:.2f}.",
        _memory(results),
        _expressibility(results),
    ]
    return "\n\n".join(parts) + "\n"


def with_verdict(readme: str, results: Results) -> str:
    """A README with the verdict between its two markers replaced."""
    pattern = re.compile(f"{re.escape(_START)}.*{re.escape(_END)}", flags=re.DOTALL)
    if not pattern.search(readme):
        raise SystemExit(f"the README of the benchmarks has lost its markers, {_START!r} and {_END!r}.")
    return pattern.sub(lambda _: f"{_START}\n{_verdict(results)}\n{_END}", readme)


def _verdict(results: Results) -> str:
    plan, pairs = results.plan, results.expressibility
    times = ", ".join(f"{results.timings[case]['qnas'].median * 1e3:.3g} ms at {case}" for case in plan.table)
    fewest, most = (
        f"{results.memory[case]['qnas'] / _MIB:.3g} MiB at {case}" for case in (plan.memory[0], plan.memory[-1])
    )
    found = outcomes(results)
    missed = "; ".join(f"{one.what}, {one.found} for {one.target}" for one in found if not one.met)
    worst = max(results.difference(name) for name in results.names)
    return (
        f"On one thread of {processor()}, a step in qnas takes {times} (batch {plan.base.batch}). Time grows with the "
        f"layers as their power {results.slope:.2f}, from {plan.slope_from} to {plan.layers[-1]}; a step adds {fewest} "
        f"and {most} of memory. The expressibility of an {plan.expressibility} circuit from {pairs.n_pairs:,} pairs "
        f"takes 1/{pairs.ratio:.0f} of a loop over `Statevector`. The gradients of all agree to {worst:.0e}. "
        f"Of {len(found)} targets {sum(one.met for one in found)} are met{f'; missed: {missed}' if missed else ''}. "
        f"{_quietness(results)} {versions()}.\n\n"
        f"Times as long as qnas, and in brackets the target:\n\n{_ratios(results)}"
    )


def _ratios(results: Results) -> str:
    cases = results.plan.table
    rows = []
    for name in results.names[1:]:
        targets = RATIOS.get(name, {})
        cells = []
        for case in cases:
            ratio, least = results.ratio(name, case), targets.get(str(case))
            target = "" if least is None else f" ({least:,g}x)"
            cells.append("-" if ratio is None else f"{ratio:,.3g}x{target}")
        rows.append([name, *cells])
    return table(["", *map(str, cases)], rows)


def _introduction(results: Results) -> str:
    absent = [one.name for one in IMPLEMENTATIONS if one.name not in results.names]
    limits = "; ".join(f"{one.name} {one.limits}" for one in IMPLEMENTATIONS if one.limits and one.name not in absent)
    left_out = f" Not installed and left out: {', '.join(absent)}." if absent else ""
    return (
        f"Forward, and backward with the gradients of weights and inputs, of the same circuit: RY encoding, layers of "
        f"RY and RZ on each qubit and a ring of CX, all <Z_i>; complex128. All in one run in one process, on one "
        f"thread of {processor()}; {versions()}. Medians after warm-up, in brackets the quartiles; the "
        f"implementations and cases take turns, {results.plan.n_rounds} of them, quick ones of several steps. "
        f"{_quietness(results)} Measured: {limits}.{left_out}"
    )


def _quietness(results: Results) -> str:
    """Whether the ratios hold: on a busy machine long steps are interrupted, short ones are not."""
    busy = (
        "" if results.share >= _QUIET else " **The machine was busy, which distorts ratios and slopes: run it again.**"
    )
    return f"The run had its core for {results.share:.0%} of the time.{busy}"


def _sizes(results: Results) -> str:
    cases = results.plan.table
    rows = []
    for name in results.names:
        timings = [results.timings[case].get(name) for case in cases]
        first = ", ".join("-" if one is None else f"{one.first:.2g}" for one in timings)
        cells = [_cell(results, name, case) for case in cases]
        rows.append([name, *cells, first, f"{results.difference(name):.0e}"])
    head = ["ms per step", *map(str, cases), "building and compiling, s", "gradients off by"]
    return f"{table(head, rows)}\n\nEvery run checks in all cases that gradients agree to {AGREEMENT:.0e}."


def _growth(results: Results, axis: str) -> str:
    cases = results.plan.growth[axis]
    names = [name for name in results.names if any(name in results.timings[case] for case in cases)]
    rows = [[str(AXES[axis](case)), *(_cell(results, name, case) for name in names)] for case in cases]
    return table([f"{axis} \\ ms per step", *names], rows)


def _cell(results: Results, name: str, case: Case) -> str:
    timing = results.timings[case].get(name)
    if timing is None:
        return "-"
    lower, upper = timing.quartiles
    return f"{timing.median * 1e3:,.4g} ({lower * 1e3:,.4g} to {upper * 1e3:,.4g})"


def _targets(results: Results) -> str:
    rows = [[one.what, one.target, one.found, "yes" if one.met else "**no**"] for one in outcomes(results)]
    return table(["", "target", "found", "met"], rows)


def _memory(results: Results) -> str:
    cases = results.plan.memory
    names = list(results.memory[cases[0]])
    rows = [
        [
            str(case.n_layers),
            *(f"{results.memory[case][name] / _MIB:,.1f}" if name in results.memory[case] else "-" for name in names),
        ]
        for case in cases
    ]
    return (
        f"## Memory against layers: {cases[0].n_qubits} qubits, batch {cases[0].batch}\n\nMiB that one step adds, each "
        f"in a process of its own: the peak resident set after it, less the resident set when all is imported and the "
        f"circuit is built. What libraries load at their first call is included. The states of the batch take "
        f"{16 * cases[0].batch * 2 ** cases[0].n_qubits / _MIB:.2g} MiB.\n\n{table(['layers', *names], rows)}"
    )


def _expressibility(results: Results) -> str:
    pairs, case = results.expressibility, results.plan.expressibility
    rows = [
        ["`qnas.expressibility`", f"{pairs.n_pairs:,}", f"{pairs.qnas:.3g}"],
        ["loop over `Statevector`", f"{pairs.n_looped:,}, scaled to {pairs.n_pairs:,}", f"{pairs.loop:.3g}"],
    ]
    return (
        f"## Expressibility of an {case} circuit\n\n{table(['', 'pairs', 'seconds'], rows)}\n\nThe loop binds the "
        f"circuit, makes two states and their fidelity, {pairs.n_looped:,} times; qnas's time includes the divergence "
        f"and its standard error. Ratio: {pairs.ratio:.3g}."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def versions() -> str:
    """Of Python and of all that is measured, as far as it is installed."""
    found = [f"Python {platform.python_version()}"]
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
