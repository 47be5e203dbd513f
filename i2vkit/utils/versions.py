"""Versions of installed packages for results and reports. Asking for a version never fails."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

import i2vkit

# OpenCV is distributed under four names, of which a machine has one. All of them install the same cv2.
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")


def package_versions(names: Iterable[str]) -> dict[str, str | None]:
    """Return the version of each distribution by its given name, or None if it is not installed.

    "opencv-python" counts as installed if any distribution of OpenCV is. The version of "i2vkit" is that of the running
    code, which even a checkout that is not installed knows.

    Args:
        names: Names of distributions, as for ``pip install``.

    Examples:
        >>> package_versions(["no-such-distribution"])
        {'no-such-distribution': None}
    """
    return {name: _version(name) for name in names}


def _version(name: str) -> str | None:
    """Return the version of a distribution, or None."""
    if name == "i2vkit":
        return i2vkit.__version__
    for candidate in OPENCV if name == "opencv-python" else (name,):
        try:
            return version(candidate)
        except PackageNotFoundError:
            continue
    return None
