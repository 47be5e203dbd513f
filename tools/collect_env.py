"""Print the versions and devices that a bug report needs."""

from i2vkit.apis.cli import parser, run_tool

PACKAGES = ("onedl-mmcv", "torchvision", "timm", "av", "opencv-python", "scipy", "torchmetrics", "safetensors")


def main() -> None:
    """Print them, one a line."""
    parser(__doc__).parse_args()

    from importlib.metadata import version

    from mmengine.utils.dl_utils import collect_env

    for name, value in {"i2vkit": version("i2vkit"), **collect_env()}.items():
        print(f"{name}: {value}")
    for package in PACKAGES:
        print(f"{package}: {version(package)}")


if __name__ == "__main__":
    run_tool(main)
