"""Names of weights in the released formats, and the names of the same weights here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from i2vkit.errors import CheckpointError

# Spectral norm keeps the weight and two vectors. torch's older form, which the released code uses, has other names.
_SPECTRAL = {
    "weight_orig": "parametrizations.weight.original",
    "weight_u": "parametrizations.weight.0._u",
    "weight_v": "parametrizations.weight.0._v",
}
_DECODER_BLOCKS = {"block1": 0, "block2": 1, "block3": 2, "block4": 3, "to_rgb": 4}

# Patterns of names in the released files, and what becomes of them. ``{n}`` is group n, ``{n-1}`` one less, ``{n/2}``
# the half.
IMAGINATOR_GENERATOR = {
    r"enc\.b([1-4])\.([01])\.(\w+)": "content_encoder.blocks.{1-1}.{2}.{3}",
    r"enc\.b5\.0\.(\w+)": "content_encoder.to_code.{1}",
    r"dec\.(block[1-4]|to_rgb)\.conv\.0\.(\w+)": "decoder.blocks.{block1}.temporal.{2}",
    r"dec\.(block[1-4]|to_rgb)\.conv\.1\.(\w+)": "decoder.blocks.{block1}.norm.{2}",
    r"dec\.(block[1-4]|to_rgb)\.conv\.3\.(\w+)": "decoder.blocks.{block1}.spatial.{2}",
    r"dec\.(block[1-4])\.conv\.4\.(\w+)": "decoder.norms.{block1}.{2}",
}
IMAGINATOR_VIDEO_DISCRIMINATOR = {
    r"net1\.0\.(\w+)": "blocks.0.0.{1}",
    r"net2\.0\.(\w+)": "blocks.1.0.{1}",
    r"net2\.2\.(\w+)": "blocks.2.0.{1}",
    r"net2\.4\.(\w+)": "blocks.3.0.{1}",
    r"net2\.6\.(\w+)": "to_score.{1}",
}
IMAGINATOR_IMAGE_DISCRIMINATOR = {
    r"net\.([0246])\.(\w+)": "blocks.{1/2}.0.{2}",
    r"net\.8\.(\w+)": "to_score.{1}",
}
_TRUNK = {
    r"conv\.(\w+)": "trunk.start.{1}",
    r"res_blocks\.(\d+)\.shortcut\.1\.(\w+)": "trunk.blocks.{1}.shortcut.{2}",
    r"res_blocks\.(\d+)\.conv1\.(\w+)": "trunk.blocks.{1}.first.{2}",
    r"res_blocks\.(\d+)\.conv2\.0\.(\w+)": "trunk.blocks.{1}.second.convolution.{2}",
}
FRGAN_DISCRIMINATOR = _TRUNK | {r"fc\.(\w+)": "to_score.{1}"}
_ENCODER = _TRUNK | {r"fc_z\.(\w+)": "to_code.{1}"}
FRGAN_GENERATOR = {
    **{rf"img_encoder\.{old}": f"content_encoder.encoder.{new}" for old, new in _ENCODER.items()},
    **{rf"norm_encoder\.{old}": f"motion_encoder.encoder.{new}" for old, new in _ENCODER.items()},
    r"decoder\.fc\.(\w+)": "decoder.start.{1}",
    r"decoder\.bn\.(\w+)": "decoder.norm.{1}",
    r"decoder\.res_blocks\.(\d+)\.shortcut\.1\.(\w+)": "decoder.blocks.{1}.shortcut.convolution.{2}",
    r"decoder\.res_blocks\.(\d+)\.conv1\.1\.(\w+)": "decoder.blocks.{1}.first.convolution.{2}",
    r"decoder\.res_blocks\.(\d+)\.conv2\.(\w+)": "decoder.blocks.{1}.second.{2}",
    r"decoder\.res_blocks\.(\d+)\.bn1\.(\w+)": "decoder.blocks.{1}.norm.{2}",
    r"decoder\.res_blocks\.(\d+)\.bn2\.(\w+)": "decoder.blocks.{1}.second_norm.{2}",
    r"decoder\.w\.(\w+)": "decoder.last.mask.{1}",
    r"decoder\.conv\.(\w+)": "decoder.last.image.{1}",
}


def renamed(weights: Mapping[str, Tensor], patterns: Mapping[str, str], where: str) -> dict[str, Tensor]:
    """Return the weights under their names here, without the "module." of DataParallel.

    Args:
        weights: Weights by their released names.
        patterns: One of the tables of this module.
        where: The file, for messages.

    Raises:
        CheckpointError: A name fits no pattern.

    Examples:
        >>> list(renamed({"module.enc.b2.1.bias": 0, "module.dec.to_rgb.conv.3.bias": 0}, IMAGINATOR_GENERATOR, "f"))
        ['content_encoder.blocks.1.1.bias', 'decoder.blocks.4.spatial.bias']
    """
    result = {}
    for name, value in weights.items():
        plain = name.removeprefix("module.")
        for pattern, new in patterns.items():
            if found := re.fullmatch(pattern, plain):
                result[_filled(new, found)] = value
                break
        else:
            raise CheckpointError(
                f"{where} is not in the released format: it has a weight {name!r}, expected are names like "
                f"{next(iter(patterns)).replace(chr(92), '')!r}"
            )
    return result


def _filled(new: str, found: re.Match) -> str:
    """Return a pattern of names with the groups of a match filled in."""
    for number, group in enumerate(found.groups(), start=1):
        new = new.replace(f"{{block{number}}}", str(_DECODER_BLOCKS.get(group)))
        new = new.replace(f"{{{number}}}", _SPECTRAL.get(group, group))
        if group.isdigit():
            new = new.replace(f"{{{number}-1}}", str(int(group) - 1)).replace(f"{{{number}/2}}", str(int(group) // 2))
    return new
