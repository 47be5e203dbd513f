"""Print the versions and devices that a bug report needs."""

from i2vkit.cli.common import parser, run_tool

PACKAGES = ("onedl-mmcv", "torchvision", "timm", "av", "opencv-python", "scipy", "torchmetrics", "safetensors")


def main() -> None:
    """Print them, one a line."""
    parser(__doc__).parse_args()

    from mmengine.utils.dl_utils import collect_env

    from i2vkit.utils.versions import package_versions

    for name, value in {**package_versions(["i2vkit"]), **collect_env(), **package_versions(PACKAGES)}.items():
        print(f"{name}: {'not installed' if value is None else value}")


if __name__ == "__main__":
    run_tool(main)
