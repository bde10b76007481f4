"""Principal components against scikit-learn's, and when they are fitted."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from qnas.architecture import Architecture
from qnas.data import DataSettings, load_splits
from qnas.model.hybrid import ModelBuilder, build_model
from qnas.model.projection import Projection, fit_projections, principal_components
from qnas.model.training import TrainingSettings, train
from qnas.model.weights import load_weights, weights_to_bytes

LAYER = {"rotation": "ry", "entangler": "cx", "topology": "line"}
ARCHITECTURE = Architecture(
    {"n_qubits": 3, "encoding": "angle", "layers": [LAYER], "coupling": "quantum", "pre": "pca", "hidden": ()}
)


@pytest.fixture(scope="module")
def wine():
    return load_splits(DataSettings("wine"))


def random_features(n_samples=40, n_features=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_samples, n_features)) @ rng.normal(size=(n_features, n_features)) + 3.0


@pytest.mark.parametrize("n_components", [1, 3, 5])
def test_components_are_those_of_scikit_learn_up_to_sign(n_components):
    features = random_features()
    mean, components = principal_components(features, n_components)
    found = (features - mean) @ components
    expected = PCA(n_components, whiten=True).fit_transform(features)
    expected *= np.sqrt(40 / 39)  # scikit-learn divides by the unbiased deviation
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found, signs * expected, rtol=0, atol=1e-10)


def test_components_have_variance_one_and_their_largest_entry_is_positive():
    features = random_features()
    mean, components = principal_components(features, 4)
    projected = (features - mean) @ components
    np.testing.assert_allclose(projected.T @ projected / 40, np.eye(4), rtol=0, atol=1e-10)
    assert (components[np.abs(components).argmax(axis=0), range(4)] > 0).all()


def test_directions_without_variance_become_zero():
    features = random_features(n_features=3)
    doubled = np.hstack([features, 2 * features[:, :1], np.full((40, 1), 7.0)])
    _, components = principal_components(doubled, 5)
    assert np.abs(components[:, :3]).max(axis=0).min() > 0
    assert not components[:, 3:].any()
    assert not principal_components(np.ones((4, 2)), 2)[1].any()


def test_without_data_the_first_features_pass():
    projection = Projection(4, 2)
    features = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(projection(features), features[:, :2])
    assert not projection.is_fitted
    assert not list(projection.parameters())


def test_a_model_without_data_has_the_first_features(wine):
    model, features = build_model(ARCHITECTURE, 13, 3, seed=0), torch.from_numpy(wine.train.features)
    assert torch.equal(model.network.pre(features), features[:, :3])


@pytest.mark.parametrize("coupling", ["serial", "residual", "mac", "quantum", "classical"])
def test_training_fits_it_to_the_training_split_alone(wine, coupling):
    model = build_model(ARCHITECTURE.replace(coupling=coupling), 13, 3, seed=0)
    train(model, wine, TrainingSettings(epochs=1), seed=0)
    (projection,) = (module for module in model.modules() if isinstance(module, Projection))
    expected = Projection(13, 3)
    expected.fit(torch.from_numpy(wine.train.features))
    assert projection.n_samples == len(wine.train.features)
    assert torch.equal(projection.components, expected.components)
    assert torch.equal(projection.mean, expected.mean)


def test_a_fitted_one_is_not_fitted_again():
    projection = Projection(5, 2)
    projection.fit(torch.from_numpy(random_features()))
    before = projection.components.clone()
    fit_projections(torch.nn.Sequential(projection), torch.from_numpy(random_features(seed=1)))
    assert torch.equal(projection.components, before)


def test_a_builder_gives_what_it_fitted_to_all_models(wine):
    builder, features = ModelBuilder(ARCHITECTURE, 13, 3), torch.from_numpy(wine.train.features)
    builder.fit(features)
    first, second = builder.build(0), builder.exact.build(1)
    assert torch.equal(first.network.pre(features), second.network.pre(features))
    assert first.network.pre.is_fitted
    projected = first.network.pre(features)
    torch.testing.assert_close(projected.T @ projected / len(features), torch.eye(3).double(), rtol=0, atol=1e-10)


def test_it_is_stored_with_the_weights(wine):
    builder = ModelBuilder(ARCHITECTURE, 13, 3)
    builder.fit(torch.from_numpy(wine.train.features))
    model, other = builder.build(0), build_model(ARCHITECTURE, 13, 3, seed=1)
    load_weights(other, weights_to_bytes(model))
    features = torch.from_numpy(wine.validation.features)
    assert torch.equal(other(features), model(features))
