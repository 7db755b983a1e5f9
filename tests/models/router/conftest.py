"""One trained model for all of the router's tests; training it takes most of their time."""

from pathlib import Path

import pytest

from models.router import files, train
from models.router.predict import BUILTIN, Model, from_arrays, load, model_directory
from tests.models.router import corpus


@pytest.fixture(scope="session")
def builtin() -> Model:
    return load(BUILTIN)


@pytest.fixture(scope="session")
def trained() -> train.Trained:
    card, arrays = files.read(model_directory(BUILTIN))
    return train.train(corpus.rows(), from_arrays(card, arrays), train.folds_of(arrays), {"invented": 240})


@pytest.fixture
def model_path(trained: train.Trained, tmp_path: Path) -> Path:
    """A freshly written model that a test may damage."""
    files.save(tmp_path / "model", trained.arrays, trained.card)
    return tmp_path / "model"
