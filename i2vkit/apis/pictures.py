"""Images in every form that a user has them in, converted to uint8 RGB arrays."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from i2vkit.errors import MediaError
from i2vkit.media import read_image
from i2vkit.media.files import local_path, naming
from i2vkit.media.images import to_rgb

Picture = str | Path | bytes | BinaryIO | Image.Image | np.ndarray | Tensor


def as_image(image: Picture) -> np.ndarray:
    """Return an image as uint8 (H, W, 3) RGB.

    Args:
        image: A path, the bytes of an image file, an open file, a Pillow image, or an array or tensor (H, W), (H, W,
            1), (H, W, 3) or (H, W, 4), also with the channels first. Values are uint8, uint16, bool, or floats in [0,
            1]. Grey is repeated over the channels, and transparent pixels are blended with black.

    Raises:
        MediaError: It is anything else, a file that cannot be read, or has floats outside of [0, 1].
    """
    if isinstance(image, str | Path):
        return read_image(local_path(image))
    if isinstance(image, Image.Image):
        name = Path(getattr(image, "filename", "") or "the image")
        with naming(name, "cannot be read as an image"):
            return to_rgb(image, name)
    if isinstance(image, bytes | bytearray):
        image = io.BytesIO(image)
    if not isinstance(image, np.ndarray | Tensor) and hasattr(image, "read"):
        name = Path(str(getattr(image, "name", "the image that was given as bytes")))
        with naming(name, "cannot be read as an image"), Image.open(image) as opened:
            return to_rgb(opened, name)
    if isinstance(image, Tensor):
        image = _array(image)
    if not isinstance(image, np.ndarray):
        raise MediaError(f"an image is a path, bytes, a Pillow image, an array or a tensor, not a {_kind(image)}")
    if image.ndim == 3 and image.shape[0] in (1, 3, 4) and image.shape[2] not in (1, 3, 4):
        image = image.transpose(1, 2, 0)  # (C, H, W) -> (H, W, C)
    return _rgb(_eight_bits(image))


def _array(image: Tensor) -> np.ndarray:
    if image.layout != torch.strided or image.is_quantized or image.device.type == "meta":
        raise MediaError("an image is a dense tensor with values: convert a sparse or quantized one before")
    image = image.detach().cpu()
    return (image.float() if image.is_floating_point() else image).numpy()  # numpy knows no bfloat16


def _eight_bits(image: np.ndarray) -> np.ndarray:
    """Convert values of other types to [0, 255]."""
    if image.dtype == np.uint8:
        return image
    if image.dtype == np.bool_:
        return image.astype(np.uint8) * 255
    if image.dtype == np.uint16:
        return (image / 257).round().astype(np.uint8)  # 65535 becomes 255
    if image.dtype.kind == "f" and image.size and np.isfinite(image).all() and 0 <= image.min() <= image.max() <= 1:
        return (image * 255).round().astype(np.uint8)
    if image.dtype.kind == "f" and image.size:
        raise MediaError(
            f"an image of floats has values in [0, 1], and these are between {image.min():g} and {image.max():g}: "
            f"divide by 255, map [-1, 1] to [0, 1] by (x + 1) / 2, or give uint8"
        )
    raise MediaError(f"an image is uint8, uint16, bool or float in [0, 1], got {image.dtype} {image.shape}")


def _rgb(image: np.ndarray) -> np.ndarray:
    """Convert an image uint8 of one, three or four channels to three."""
    if image.ndim == 2:
        image = image[..., None]  # (H, W) -> (H, W, 1)
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or 0 in image.shape:
        raise MediaError(f"an image is uint8 (height, width, 3), grey or with alpha, got {image.dtype} {image.shape}")
    if image.shape[2] == 1:
        return np.repeat(image, 3, axis=2)
    if image.shape[2] == 4:
        return (image[..., :3] * (image[..., 3:] / 255)).round().astype(np.uint8)
    return image


def _kind(value: Any) -> str:
    return type(value).__name__
