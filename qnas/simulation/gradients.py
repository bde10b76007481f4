"""Gradients from expectation values alone: the parameter-shift rule and SPSA.

Both run the circuits at pairs of points that lie symmetrically about the batch, and differ in which steps they take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from qnas.simulation.contract import Gradients, Needs


@dataclass(frozen=True, eq=False)
class Points:
    """Where a circuit is run, one point per row.

    Attributes:
        angles: of all slots, in radians.
        amplitudes: initial ones, not necessarily of norm 1; none: |0...0>, shape (points, 0).
    """

    angles: Float[np.ndarray, "points slots"]
    amplitudes: Float[np.ndarray, "points dim"]


Estimate = Callable[[Points], Float[np.ndarray, "points observables"]]
"""Runs circuits and returns expectation values; quadratic in the amplitudes."""


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives per sample, of all slots and amplitudes; zero where they were not asked for."""

    angles: Float[np.ndarray, "batch slots"]
    amplitudes: Float[np.ndarray, "batch dim"]

    def gradients(self, varying: Bool[np.ndarray, " slots"], *, has_amplitudes: bool) -> Gradients:
        """Shared slots are summed over the batch."""
        return Gradients(
            shared=self.angles[:, ~varying].sum(axis=0),
            varying=np.ascontiguousarray(self.angles[:, varying]),
            amplitudes=self.amplitudes if has_amplitudes else None,
        )


@dataclass(frozen=True, eq=False)
class Wanted:
    """Which slots, and whether amplitudes, are differentiated."""

    slots: Bool[np.ndarray, " slots"]
    varying: Bool[np.ndarray, " slots"]
    amplitudes: bool

    @classmethod
    def of(cls, needs: Needs, varying: Bool[np.ndarray, " slots"]) -> Wanted:
        """What the caller needs, by slot."""
        return cls(np.where(varying, needs.varying, needs.shared), varying, needs.amplitudes)


def parameter_shift(
    estimate: Estimate, points: Points, cotangent: Float[np.ndarray, "batch observables"], wanted: Wanted
) -> Slopes:
    """Derivatives of sum(cotangent * expectations), exact but for shot noise (Mitarai et al. 2018, arXiv 1803.00745).

    f' = (f(phi + pi/2) - f(phi - pi/2)) / 2 for a rotation; f' = (f(a + e) - f(a - e)) / 2 for an amplitude.
    """
    batch, n_slots = points.angles.shape
    dim = points.amplitudes.shape[1]
    chosen = np.flatnonzero(np.concatenate([wanted.slots, np.full(dim, wanted.amplitudes)]))
    units = np.eye(n_slots + dim)[chosen]
    steps = np.repeat(units[:, None], batch, axis=1)
    steps[..., :n_slots] *= np.pi / 2
    slopes = np.zeros((batch, n_slots + dim))
    slopes[:, chosen] = _differences(estimate, points, steps, cotangent).T / 2
    return Slopes(slopes[:, :n_slots], slopes[:, n_slots:])


@dataclass(frozen=True)
class Spsa:
    """Simultaneous perturbation (Spall 1992, doi 10.1109/9.119632): all slots move at once, at random.

    Attributes:
        step: how far, in radians; the bias is of its second order.
        n_averages: over how many directions each gradient is averaged.
    """

    step: float
    n_averages: int

    def __call__(
        self,
        estimate: Estimate,
        points: Points,
        cotangent: Float[np.ndarray, "batch observables"],
        *,
        wanted: Wanted,
        rng: np.random.Generator,
    ) -> Slopes:
        """An estimate of the derivatives of sum(cotangent * expectations); every sample has its own directions."""
        directions = self._directions(points, wanted, rng)
        differences = _differences(estimate, points, self.step * directions, cotangent)
        slopes = np.mean(differences[..., None] * directions, axis=0) / (2 * self.step)
        n_slots = points.angles.shape[1]
        return Slopes(slopes[:, :n_slots], slopes[:, n_slots:])

    def _directions(
        self, points: Points, wanted: Wanted, rng: np.random.Generator
    ) -> Float[np.ndarray, "directions batch coordinates"]:
        batch, n_slots = points.angles.shape
        shape = (self.n_averages, batch, n_slots + points.amplitudes.shape[1])
        directions = rng.choice([-1.0, 1.0], size=shape)
        shared = np.flatnonzero(~wanted.varying)
        directions[..., shared] = directions[:, :1, shared]
        directions[..., :n_slots] *= wanted.slots
        directions[..., n_slots:] *= wanted.amplitudes
        return directions


def _differences(
    estimate: Estimate,
    points: Points,
    steps: Float[np.ndarray, "directions batch coordinates"],
    cotangent: Float[np.ndarray, "batch observables"],
) -> Float[np.ndarray, "directions batch"]:
    """Of sum(cotangent * expectations), between a step ahead and a step back; all in one call of `estimate`."""
    if not steps.any():  # nothing is differentiated, so nothing is run
        return np.zeros(steps.shape[:2])
    here = np.concatenate([points.angles, points.amplitudes], axis=1)
    ends = np.stack([here + steps, here - steps])
    rows = ends.reshape(-1, here.shape[1])
    n_slots = points.angles.shape[1]
    values = estimate(Points(rows[:, :n_slots], rows[:, n_slots:]))
    losses = (values.reshape(*ends.shape[:-1], -1) * cotangent).sum(axis=-1)
    return losses[0] - losses[1]
