"""Versions of installed packages, as results and reports state them; asking for one never fails."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

import i2vkit

# OpenCV is distributed under four names, of which a machine has one: all of them install the same cv2.
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")


def package_versions(names: Iterable[str]) -> dict[str, str | None]:
    """Return the version of each distribution by the name that was asked for, None where it is not installed.

    "opencv-python" counts as installed if any distribution of OpenCV is. The version of "i2vkit" is that of the code
    that runs, which a plain checkout knows too.

    Args:
        names: Names of distributions, as ``pip install`` takes them.

    Examples:
        >>> package_versions(["no-such-distribution"])
        {'no-such-distribution': None}
    """
    return {name: _version(name) for name in names}


def _version(name: str) -> str | None:
    if name == "i2vkit":
        return i2vkit.__version__
    for candidate in OPENCV if name == "opencv-python" else (name,):
        try:
            return version(candidate)
        except PackageNotFoundError:
            continue
    return None
