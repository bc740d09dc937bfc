"""What the demo's tests share: the plain model, loaded from its file because test folders are no packages."""

import importlib.util
from pathlib import Path

import pytest

from hub.demo import shop


def _load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def model():
    """The independent plain model."""
    return _load("plain_model")


@pytest.fixture(scope="session")
def data():
    """The file of purchases that ships with the hub."""
    return Path(shop.__file__).with_name("cdnow_sample.csv.gz")


@pytest.fixture(scope="session")
def totals(model, data):
    """What the demo must come to."""
    return model.totals(data)
