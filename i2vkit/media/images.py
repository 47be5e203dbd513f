"""Reading and writing of image files."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features

from i2vkit.errors import MediaError
from i2vkit.media.display import over_black, square_pixels, still_aspect, to_srgb
from i2vkit.media.files import as_path, atomic_path, check_frame, check_readable, naming

_HEIC = (".heic", ".heif")
_JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
_WRITTEN = (".png", *_JPEG, ".bmp", ".webp", ".avif", ".tif", ".tiff", ".pgm", ".ppm")
# Images in folders. HEIC is among them although it needs a plugin, so that such a folder is not taken for an empty one.
IMAGE_SUFFIXES = (*_WRITTEN, *_HEIC)


def read_image(path: str | Path) -> np.ndarray:
    """Read an image as uint8 (H, W, 3) RGB, as it is meant to be seen.

    It is turned upright as its EXIF data say, pixels that are not square become square, and a colour profile is
    converted to sRGB. A grey image is repeated over the channels, and 16 bits are scaled to 8. A transparent image is
    laid over black, with one warning per process.

    Raises:
        MediaError: The file does not exist, or it is not a complete image.
    """
    path = as_path(path)
    with naming(path, "cannot be read as an image"), open_image(path) as image:
        return to_rgb(image, path)


def open_image(path: Path) -> Image.Image:
    """Return an image opened by Pillow, whose pixels are not read yet.

    Raises:
        MediaError: The format needs a plugin or a newer Pillow. The message says which. Or it is no file.
    """
    check_readable(path)
    if path.suffix.lower() in _HEIC:
        _register_heif(path)
    try:
        return Image.open(path)
    except UnidentifiedImageError:
        brand = _brand(path)
        if brand in (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx"):
            _register_heif(path)
            return Image.open(path)
        if brand in (b"avif", b"avis") and not features.check("avif"):
            raise MediaError(f"{path} is an AVIF image, which Pillow reads since 11.3: pip install -U pillow") from None
        raise


def _brand(path: Path) -> bytes:
    """Return the kind of a file of boxes (HEIC, AVIF, MP4), or nothing."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[8:] if head[4:8] == b"ftyp" else b""


def _register_heif(path: Path) -> None:
    """Let Pillow read HEIC images. Raise ``MediaError`` if the plugin is not installed."""
    if find_spec("pillow_heif") is None:
        raise MediaError(f"{path} is an HEIC image, which needs a plugin: pip install pillow-heif, or save it as JPEG")
    import_module("pillow_heif").register_heif_opener()


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


_ORIENTATION = 0x0112  # the EXIF tag


def to_rgb(image: Image.Image, path: Path) -> np.ndarray:
    """Convert a Pillow image of any mode to uint8 (H, W, 3) RGB, as ``read_image`` returns it.

    Args:
        image: The opened image.
        path: The file it was read from, for messages.

    Raises:
        MediaError: The image holds floating-point values, or integers of more than 16 bits.
    """
    aspect = still_aspect(image)
    if aspect is None:
        return _eight_bits(ImageOps.exif_transpose(image), path)
    # The aspect is that of the pixels as stored, so the picture is scaled before it is turned.
    squared = Image.fromarray(square_pixels(_eight_bits(image, path), aspect, path))
    squared.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
    return np.array(ImageOps.exif_transpose(squared))


def _eight_bits(image: Image.Image, path: Path) -> np.ndarray:
    """Convert a Pillow image of any mode to uint8 (H, W, 3) RGB. Raise ``MediaError`` as ``to_rgb`` does."""
    if image.mode == "F":
        raise MediaError(f"{path} holds floating-point values; write it with 8 or 16 bits a channel")
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.float64) / 257  # 65535 becomes 255
        if grey.min() < 0 or grey.max() > 255:
            raise MediaError(f"{path} holds values of more than 16 bits; write it with 8 or 16 bits a channel")
        return np.repeat(grey.round().astype(np.uint8)[..., None], 3, axis=2)  # (H, W) -> (H, W, 3)
    if image.has_transparency_data:
        return over_black(np.asarray(to_srgb(image.convert("RGBA"), path)), path)
    return np.array(to_srgb(image if image.mode == "CMYK" else image.convert("RGB"), path).convert("RGB"))


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image in the format that the suffix of ``path`` names.

    Args:
        path: The file to write. Its suffix is one of ``IMAGE_SUFFIXES`` other than those of HEIC.
        image: uint8 (H, W, 3) RGB, or (H, W) grey.

    Raises:
        MediaError: The suffix is not one of these, the array has another shape or type, or the file cannot be written.
    """
    path = as_path(path)
    suffix = path.suffix.lower()
    if suffix not in _WRITTEN:
        raise MediaError(f"{path}: an image is written as one of {', '.join(_WRITTEN)}")
    check_frame(image, "an image", grey=True)
    # Pillow's defaults for JPEG halve the resolution of colour, which would show in condition maps.
    options: dict[str, Any] = {"quality": 95, "subsampling": 0} if suffix in _JPEG else {}
    with naming(path, "cannot be written"), atomic_path(path) as temporary:
        Image.fromarray(image).save(temporary, **options)
