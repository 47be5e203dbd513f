"""Print the versions and devices that a bug report needs."""

from argparse import ArgumentParser, Namespace

PACKAGES = ("onedl-mmcv", "torchvision", "timm", "av", "opencv-python", "scipy", "torchmetrics", "safetensors")


def add_arguments(parser: ArgumentParser) -> None:
    """Add nothing to ``parser``: the command has no options of its own."""


def run(arguments: Namespace) -> None:
    """Print versions and devices, one a line."""
    from mmengine.utils.dl_utils import collect_env

    from i2vkit.utils.versions import package_versions

    for name, value in {**package_versions(["i2vkit"]), **collect_env(), **package_versions(PACKAGES)}.items():
        print(f"{name}: {'not installed' if value is None else value}")
