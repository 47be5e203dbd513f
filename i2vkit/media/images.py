"""Reading and writing of image files."""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from i2vkit.errors import MediaError
from i2vkit.media.files import atomic_path, naming

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")

_alpha_warned = False


def read_image(path: str | Path) -> np.ndarray:
    """Read an image as uint8 (H, W, 3) RGB, turned upright as its EXIF data say.

    A grey image is repeated over the channels, and 16 bits are scaled to 8. A transparent image is laid over black,
    with one warning per process.

    Raises:
        MediaError: The file does not exist, or it is not a complete image.
    """
    path = Path(path)
    with naming(path, "cannot be read as an image"), Image.open(path) as image:
        return to_rgb(image, path)


def image_paths(folder: str | Path) -> list[Path]:
    """List the images of ``folder`` without hidden files, sorted by name with numbers in numerical order."""
    return sorted(
        (path for path in Path(folder).iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."),
        key=_by_name,
    )


def _by_name(path: Path) -> list[str | int]:
    # "frame10" comes after "frame9", so numbers are compared by their value.
    """Return a key that sorts names by their texts and numbers in turn."""
    parts = re.split(r"([0-9]+)", path.name)  # every second part is a number: ["frame", "10", ".png"]
    return [int(part) if position % 2 else part for position, part in enumerate(parts)]


def to_rgb(image: Image.Image, path: Path) -> np.ndarray:
    """Convert a Pillow image of any mode to uint8 (H, W, 3) RGB, as ``read_image`` returns it.

    Args:
        image: The opened image.
        path: The file it was read from, for messages.

    Raises:
        MediaError: The image holds floating-point values, or integers of more than 16 bits.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        raise MediaError(f"{path} holds floating-point values; write it with 8 or 16 bits a channel")
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.float64) / 257  # 65535 becomes 255
        if grey.min() < 0 or grey.max() > 255:
            raise MediaError(f"{path} holds values of more than 16 bits; write it with 8 or 16 bits a channel")
        return np.repeat(grey.round().astype(np.uint8)[..., None], 3, axis=2)  # (H, W) -> (H, W, 3)
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        colour, alpha = rgba[..., :3], rgba[..., 3:]
        if alpha.min() == 255:
            return colour.copy()
        _warn_of_alpha(path)
        return (colour * (alpha / 255)).round().astype(np.uint8)
    return np.array(image.convert("RGB"))


def _warn_of_alpha(path: Path) -> None:
    """Warn once per process that transparent images are laid over black."""
    global _alpha_warned
    if not _alpha_warned:
        _alpha_warned = True
        warnings.warn(f"{path} is transparent in part: such images are laid over black", stacklevel=4)


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image in the format that the suffix of ``path`` names.

    Args:
        path: The file to write. Its suffix is one of ``IMAGE_SUFFIXES``.
        image: uint8 (H, W, 3) RGB, or (H, W) grey.

    Raises:
        MediaError: The suffix is not one of ``IMAGE_SUFFIXES``, or the file cannot be written.
        ValueError: The array has another shape or type.
    """
    path = Path(path)
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise MediaError(f"{path}: an image is written as one of {', '.join(IMAGE_SUFFIXES)}")
    if image.dtype != np.uint8 or (image.ndim != 2 and image.shape[2:] != (3,)):
        raise ValueError(f"an image is uint8 (H, W, 3) or (H, W), got {image.dtype} {image.shape}")
    # Pillow's defaults for JPEG halve the resolution of colour, which would show in condition maps.
    options: dict[str, Any] = {"quality": 95, "subsampling": 0} if path.suffix.lower() in (".jpg", ".jpeg") else {}
    with naming(path, "cannot be written"), atomic_path(path) as temporary:
        Image.fromarray(image).save(temporary, **options)
