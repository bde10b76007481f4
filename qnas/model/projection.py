"""Principal components of the features: what stands in front of a circuit without any weights."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn


class Projection(nn.Module):
    """(batch, n_features) -> (batch, n_components): the first principal components, scaled to variance 1.

    Its numbers are buffers, which are stored with the weights. Until it is fitted, or they are loaded, it yields the
    first features as they are.

    Args:
        n_features: of the data.
        n_components: at most as many.
    """

    mean: Tensor
    components: Tensor
    n_samples: Tensor

    def __init__(self, n_features: int, n_components: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_features, dtype=torch.float64))
        self.register_buffer("components", torch.eye(n_features, n_components, dtype=torch.float64))
        self.register_buffer("n_samples", torch.tensor(0))

    @property
    def is_fitted(self) -> bool:
        """Whether it holds components of data."""
        return bool(self.n_samples > 0)

    def fit(self, features: Float[Tensor, "samples features"]) -> None:
        """Take the components of these samples, those of the training split."""
        mean, components = principal_components(features.numpy(), self.components.shape[1])
        self.mean.copy_(torch.from_numpy(mean))
        self.components.copy_(torch.from_numpy(components))
        self.n_samples.fill_(len(features))

    def forward(self, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch components"]:
        """The components of each row of features."""
        return (features - self.mean) @ self.components


def principal_components(
    features: Float[np.ndarray, "samples features"], n_components: int
) -> tuple[Float[np.ndarray, " features"], Float[np.ndarray, "features components"]]:
    """The mean of the features, and the directions of largest variance divided by their standard deviation.

    A direction is turned so that its largest entry is positive; one without variance, beyond the rank of the data,
    becomes zero.
    """
    mean = features.mean(axis=0)
    centred = features - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(features))
    variances, directions = variances[::-1][:n_components], directions[:, ::-1][:, :n_components]
    largest = np.abs(directions).argmax(axis=0)
    directions = directions * np.sign(directions[largest, np.arange(n_components)])
    rounding = len(mean) * np.finfo(np.float64).eps * variances[0]
    scales = np.where(variances > rounding, 1 / np.sqrt(np.maximum(variances, np.finfo(np.float64).tiny)), 0.0)
    return mean, directions * scales


def fit_projections(model: nn.Module, features: Float[Tensor, "samples features"]) -> None:
    """Fit every projection of a model that is not fitted yet to the features of the training split."""
    for module in model.modules():
        if isinstance(module, Projection) and not module.is_fitted:
            module.fit(features)
