"""One trained model for all of the router's tests; training it takes most of their time."""

from pathlib import Path

import pytest

from models.router.inference import files
from models.router.inference.predict import BUILTIN, Model, load
from models.router.training import train
from tests.models.router import corpus


@pytest.fixture(scope="session")
def builtin() -> Model:
    return load(BUILTIN)


@pytest.fixture(scope="session")
def trained() -> train.Trained:
    return train.train(corpus.rows(), *train.load_base(), {"invented": 240})


@pytest.fixture
def model_path(trained: train.Trained, tmp_path: Path) -> Path:
    """A freshly written model that a test may damage."""
    files.save(tmp_path / "model", trained.arrays, trained.card)
    return tmp_path / "model"
