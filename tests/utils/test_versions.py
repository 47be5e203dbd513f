"""Versions that are asked for, whatever is installed."""

import importlib.metadata
from importlib.metadata import PackageNotFoundError

import pytest

import i2vkit
from i2vkit.analysis.benchmark.timing import environment_info
from i2vkit.utils.versions import OPENCV, package_versions


@pytest.fixture
def installed(monkeypatch):
    """Nothing but the distributions of a dict, which the test fills."""
    distributions = {}

    def version(name):
        if name not in distributions:
            raise PackageNotFoundError(name)
        return distributions[name]

    monkeypatch.setattr("i2vkit.utils.versions.version", version)
    return distributions


def test_those_that_are_there_and_those_that_are_not():
    found = package_versions(["torch", "no-such-distribution"])
    assert found == {"torch": importlib.metadata.version("torch"), "no-such-distribution": None}


@pytest.mark.parametrize("variant", OPENCV)
def test_opencv_counts_under_each_of_its_names(installed, variant):
    assert package_versions(["opencv-python"]) == {"opencv-python": None}
    installed[variant] = "4.11"
    assert package_versions(["opencv-python"]) == {"opencv-python": "4.11"}


def test_a_plain_checkout_knows_its_own_version(installed):
    assert package_versions(["i2vkit"]) == {"i2vkit": i2vkit.__version__}
    installed["i2vkit"] = "of another copy that is installed"
    assert package_versions(["i2vkit"]) == {"i2vkit": i2vkit.__version__}


def test_surroundings_are_written_where_nothing_is_known(installed):
    versions = environment_info()["versions"]
    assert versions.pop("python") and versions.pop("i2vkit") == i2vkit.__version__
    assert versions and set(versions.values()) == {None}
