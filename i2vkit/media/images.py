"""Image files."""

import re
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from i2vkit.errors import MediaError
from i2vkit.media.files import atomic_path, naming

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")

_alpha_warned = False


def read_image(path: str | Path) -> np.ndarray:
    """Read an image as uint8 (H, W, 3) RGB, upright as its EXIF data say.

    Grey is repeated over the channels, 16 bits are scaled to 8, and a transparent image is laid over black, with one
    warning a process. Raises ``MediaError`` if there is no such file or it is not a whole image.
    """
    path = Path(path)
    with naming(path, "cannot be read as an image"), Image.open(path) as image:
        return to_rgb(image, path)


def image_paths(folder: str | Path) -> list[Path]:
    """List the images of ``folder`` sorted by name, numbers by their value; hidden files are left out."""
    return sorted(
        (path for path in Path(folder).iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."),
        key=_by_name,
    )


def _by_name(path: Path) -> list[str | int]:
    parts = re.split(r"([0-9]+)", path.name)  # every second part is a number
    return [int(part) if position % 2 else part for position, part in enumerate(parts)]


def to_rgb(image: Image.Image, path: Path) -> np.ndarray:
    """Turn a Pillow image of any mode, read from ``path``, into what ``read_image`` gives."""
    image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        raise MediaError(f"{path} holds floating-point values; write it with 8 or 16 bits a channel")
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.float64) / 257  # 65535 becomes 255
        if grey.min() < 0 or grey.max() > 255:
            raise MediaError(f"{path} holds values of more than 16 bits; write it with 8 or 16 bits a channel")
        return np.repeat(grey.round().astype(np.uint8)[..., None], 3, axis=2)
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        colour, alpha = rgba[..., :3], rgba[..., 3:]
        if alpha.min() == 255:
            return colour.copy()
        _warn_of_alpha(path)
        return (colour * (alpha / 255)).round().astype(np.uint8)
    return np.array(image.convert("RGB"))


def _warn_of_alpha(path: Path) -> None:
    global _alpha_warned
    if not _alpha_warned:
        _alpha_warned = True
        warnings.warn(f"{path} is transparent in part: such images are laid over black", stacklevel=4)


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write ``image``, uint8 (H, W, 3) RGB or (H, W) grey, in the format that the suffix names.

    Raises ``MediaError`` if the suffix is none of ``IMAGE_SUFFIXES``, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise MediaError(f"{path}: an image is written as one of {', '.join(IMAGE_SUFFIXES)}")
    if image.dtype != np.uint8 or (image.ndim != 2 and image.shape[2:] != (3,)):
        raise ValueError(f"an image is uint8 (H, W, 3) or (H, W), got {image.dtype} {image.shape}")
    options = {"quality": 95, "subsampling": 0} if path.suffix.lower() in (".jpg", ".jpeg") else {}
    with naming(path, "cannot be written"), atomic_path(path) as temporary:
        Image.fromarray(image).save(temporary, **options)
