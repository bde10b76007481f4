"""A small space whose every design is evaluated: `landscape.csv` stands in for training where searchers are compared.

`python -m benchmarks.landscape` makes that file anew, in half an hour on one core, by `search=exhaustive` on iris.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import Float64

import qnas
from qnas.experiment.results import read_findings
from qnas.space import Genotype, Space, boolean, choice, integer, repeat

FILE = Path(__file__).with_suffix(".csv")
OBJECTIVES = {"accuracy": -1, "expressibility": 1, "flops": 1}
"""What is measured, and the sign that makes a loss of it."""
SETTINGS = (
    "data=iris", f"objectives.names=[{','.join(OBJECTIVES)}]", "objectives.options.expressibility.n_pairs=1000",
    "training.epochs=10", "search=exhaustive", "search.population=60", "seed=0",
)  # fmt: skip

layer = dict(rotation=choice("ry", "ry_rz"), entangler=choice("cx", "cz", "crx"), topology=choice("line", "ring"))
space = (
    Space(
        n_qubits=integer(2, 4),
        encoding=choice(angle=dict(axis="y", reupload=boolean()), iqp={}),
        layers=repeat(1, 2, **layer),
        coupling=choice("serial", "residual", "mac"),
        hidden=choice((), (8,)),
    )
    .where(
        lambda a: a.n_qubits > 2 or all(one.topology == "line" for one in a.layers),
        because="on 2 qubits a ring is a line that is doubled",
    )
    .where(
        lambda a: len(a.layers) > 1 or not a.encoding.get("reupload"),
        because="an upload before a single layer is the first one",
    )
)


class Landscape:
    """The losses of all designs, looked up instead of trained."""

    def __init__(self, losses: dict[tuple[int, ...], Float64[np.ndarray, " m"]]) -> None:
        self._losses = losses
        self.losses = np.array(list(losses.values()))

    def __call__(self, genotypes: list[Genotype]) -> Float64[np.ndarray, "k m"]:
        return np.array([self._losses[tuple(genotype.tolist())] for genotype in genotypes])


def load(file: Path = FILE) -> Landscape:
    """Each loss scaled by its range among all designs; of FLOPs the logarithm."""
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    losses = np.array([[sign * float(row[name]) for name, sign in OBJECTIVES.items()] for row in rows])
    losses[:, list(OBJECTIVES).index("flops")] = np.log(losses[:, list(OBJECTIVES).index("flops")])
    scaled = (losses - losses.min(axis=0)) / np.ptp(losses, axis=0)
    genotypes = [tuple(map(int, row["genotype"].split())) for row in rows]
    return Landscape(dict(zip(genotypes, scaled, strict=True)))


def make(file: Path, run_dir: Path) -> None:
    """Evaluate all designs, and write the table."""
    qnas.search([f"space={__file__}", *SETTINGS, f"run_dir={run_dir}"])
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(["genotype", *OBJECTIVES])
        for evaluation in read_findings(run_dir).evaluations.values():
            values = [f"{evaluation.values[name]:.6g}" for name in OBJECTIVES]
            writer.writerow([" ".join(map(str, space.encode(evaluation.architecture))), *values])


def main() -> None:
    """Make the table."""
    parser = argparse.ArgumentParser(description="Evaluate every design of a small space on iris.")
    parser.add_argument("--output", type=Path, default=FILE, help="the file to write to")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make(options.output, Path(folder) / "run")


if __name__ == "__main__":
    main()
