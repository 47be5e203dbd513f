"""Conversion of released weights: the same numbers, named and ordered as the configs here have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor, nn

from i2vkit.datasets.facts import facts_of_model
from i2vkit.engine.checkpoints import check_weights, load_checkpoint_file
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.media import atomic_path
from i2vkit.models.generator_weights import file_digest
from i2vkit.registry import MODELS, build_part
from i2vkit.zoo.released import names
from i2vkit.zoo.saving import export_weights

# The order of the classes in the released code of ImaGINator.
IMAGINATOR_LABELS = ("sadness", "anger", "surprise", "disgust", "happiness", "fear")


def convert_imaginator(
    cfg: Config,
    file: str | Path,
    out: str | Path,
    video_discriminator: str | Path | None = None,
    image_discriminator: str | Path | None = None,
    labels: Sequence[str] = IMAGINATOR_LABELS,
) -> dict[str, Any]:
    """Convert a generator of ImaGINator's authors, such as their ``mug.pth``, and return its facts.

    The channels of the labels are put into the order of the config's labels, so that every name means what it meant.

    Args:
        cfg: A config with the networks of the released code, such as ``imaginator_mug_released_code``.
        file: The weights of the generator.
        out: A ``.safetensors`` file, which carries its config, or a ``.pth`` for ``i2v test`` and ``i2v animate``.
        video_discriminator: The weights of D_V, to go on with the training. They need ``out`` to be a ``.pth``.
        image_discriminator: The weights of D_I, likewise.
        labels: The labels of the file in the order of their class indices. By default those of ``mug.pth``.

    Raises:
        CheckpointError: A file is not in the released format, or has other sizes than the config.
        ConfigError: The labels of the config are others.
    """
    model = _built(cfg)
    order = _order_of(labels, getattr(model, "labels", []))
    number = len(order)
    weights = names.renamed(_weights(file), names.IMAGINATOR_GENERATOR, str(file))
    for name, value in weights.items():
        if name.endswith("temporal.weight"):
            # (I, M, k, 1, 1): [noise, label, image code] enter the first block, and labels are the last channels of
            # the input of all others.
            start = model.generator.motion.code if ".0." in name else len(value) - number
            weights[name] = _permuted(value, start, order, 0)
    parts = {"generator": weights}
    if video_discriminator is not None:
        found = names.renamed(_weights(video_discriminator), names.IMAGINATOR_VIDEO_DISCRIMINATOR, str(file))
        _permute_spectral_norm(found, "blocks.1.0", order)
        parts["discriminators.video.network"] = found
    if image_discriminator is not None:
        parts["discriminators.frame.network"] = names.renamed(
            _weights(image_discriminator), names.IMAGINATOR_IMAGE_DISCRIMINATOR, str(file)
        )
    return _write(cfg, model, parts, Path(file), Path(out))


def convert_frgan(cfg: Config, file: str | Path, out: str | Path) -> dict[str, Any]:
    """Convert a checkpoint of FRGAN's released training of stage one, and return its facts.

    The file holds generator and discriminator. The discriminator is only written to a ``.pth``.

    Args:
        cfg: A config of stage one with the networks of the released code, such as ``frgan_forecast_mug``.
        file: A checkpoint that the released training has saved.
        out: As of ``convert_imaginator``.

    Raises:
        CheckpointError: The file is not in the released format, or has other sizes than the config.
    """
    model = _built(cfg)
    checkpoint = load_checkpoint_file(file)
    if missing := [key for key in ("gen_state_dict", "dis_state_dict") if key not in checkpoint]:
        raise CheckpointError(f"{file} is not in the released format: it has no {missing[0]!r}")
    weights = names.renamed(checkpoint["gen_state_dict"], names.FRGAN_GENERATOR, str(file))
    size = _size_of(weights)
    if size != model.image_size:
        raise CheckpointError(
            f"{file} makes {size}x{size} pixels and the config {model.image_size}x{model.image_size}: give "
            f"--cfg-options model.image_size={size}"
        )
    # The mask comes before the picture in the channels of the last layer here.
    for kind in ("weight", "bias"):
        weights[f"decoder.last.{kind}"] = torch.cat(
            [weights.pop(f"decoder.last.{part}.{kind}") for part in ("mask", "image")]
        )
    levels = model.generator.content_encoder.spec.pyramid[::-1]  # coarse to fine, as the blocks
    for i, level in enumerate(levels):
        inputs = [f"decoder.blocks.{i}.{layer}.convolution.weight" for layer in ("shortcut", "first")]
        inputs += [f"decoder.blocks.{i}.norm.{kind}" for kind in ("weight", "bias", "running_mean", "running_var")]
        for name in inputs if i < len(levels) - 1 else ["decoder.last.weight"]:
            weights[name] = _with_reference_first(
                weights[name], level.channels, axis=1 if weights[name].dim() > 1 else 0
            )
    critic = names.renamed(checkpoint["dis_state_dict"], names.FRGAN_DISCRIMINATOR, str(file))
    side = model.image_size // levels[0].stride
    # A linear layer over (C side side) is a convolution over the whole map: (1, C side side) -> (1, C, side, side).
    critic["to_score.weight"] = critic["to_score.weight"].unflatten(1, (-1, side, side))
    parts = {"generator": weights, "discriminators.frame.network": critic}
    return _write(cfg, model, parts, Path(file), Path(out))


def _built(cfg: Config) -> Any:
    """Return the model of a config."""
    return build_part(MODELS, cfg.model)


def _weights(file: str | Path) -> Mapping[str, Tensor]:
    """Return the weights of a file.

    Raises:
        CheckpointError: It holds something else.
    """
    weights = load_checkpoint_file(file)
    if strange := [name for name, value in weights.items() if not isinstance(value, Tensor)]:
        raise CheckpointError(f"{file} is not in the released format: {strange[0]!r} is no weight")
    return weights


def _order_of(theirs: Sequence[str], ours: Sequence[str]) -> list[int]:
    """Return for every label of ours the class index that it has in theirs.

    Raises:
        ConfigError: The two have other labels.

    Examples:
        >>> _order_of(["sadness", "anger", "fear"], ["anger", "fear", "sadness"])
        [1, 2, 0]
    """
    if sorted(theirs) != sorted(ours):
        raise ConfigError(
            f"the weights know the labels {', '.join(theirs)} and the config {', '.join(ours) or 'none'}: give a "
            f"config with those of the weights in any order (--cfg-options model.labels=...), or --labels if the "
            f"weights are of other data"
        )
    return [list(theirs).index(label) for label in ours]


def _permuted(weight: Tensor, start: int, order: Sequence[int], axis: int) -> Tensor:
    """Return a weight whose channels from ``start`` on ``axis`` are in another order."""
    index = torch.arange(weight.shape[axis])
    index[start : start + len(order)] = start + torch.tensor(order)
    return weight.index_select(axis, index)


def _permute_spectral_norm(weights: dict[str, Tensor], layer: str, order: Sequence[int]) -> None:
    """Put the labels, the last input channels of a layer with spectral norm, into another order, in place."""
    original, vector = (f"{layer}.parametrizations.weight.{end}" for end in ("original", "0._v"))
    weight = weights[original]  # (O, I, kt, kh, kw)
    start = weight.shape[1] - len(order)
    weights[original] = _permuted(weight, start, order, axis=1)
    # (I kt kh kw) -> (I, kt kh kw) and back
    weights[vector] = _permuted(weights[vector].unflatten(0, (weight.shape[1], -1)), start, order, axis=0).flatten()


def _with_reference_first(weight: Tensor, channels: int, axis: int) -> Tensor:
    """Return a weight for [image, reference maps, driving maps, ...] from one for [image, driving, reference, ...].

    >>> _with_reference_first(torch.arange(7), 2, 0).tolist()
    [0, 1, 4, 5, 2, 3, 6]
    """
    image, driving, reference = (weight.narrow(axis, i * channels, channels) for i in range(3))
    return torch.cat(
        [image, reference, driving, weight.narrow(axis, 3 * channels, weight.shape[axis] - 3 * channels)], axis
    )


def _size_of(weights: Mapping[str, Tensor]) -> int:
    """Return the side of the pictures that FRGAN's weights make, from the number of blocks and the last map."""
    blocks = {name.split(".")[4] for name in weights if name.startswith("content_encoder.encoder.trunk.blocks.")}
    last = weights[f"content_encoder.encoder.trunk.blocks.{len(blocks) - 1}.shortcut.bias"]
    side = round((weights["content_encoder.encoder.to_code.weight"].shape[1] / len(last)) ** 0.5)
    return side << len(blocks)


def _write(cfg: Config, model: Any, parts: dict[str, dict[str, Tensor]], file: Path, out: Path) -> dict[str, Any]:
    """Check the weights of all parts, write them to ``out`` and return the facts of the conversion.

    Raises:
        CheckpointError: They do not fit the model, or ``out`` has another suffix.
    """
    if out.suffix not in (".pth", ".safetensors"):
        raise CheckpointError(f"converted weights are written to a .pth or .safetensors file, not to {out}")
    weights: dict[str, Tensor] = {}
    for path, found in parts.items():
        part: nn.Module = model.get_part(path)
        # Numbers of seen batches, which torch before 0.4.1 did not save. They do not affect the videos.
        counters = {name: value for name, value in part.state_dict().items() if name.endswith("num_batches_tracked")}
        complete = {**counters, **found}
        check_weights(part, complete, str(file))
        weights |= {f"{path}.{name}": value for name, value in complete.items()}
    facts = {"converted_from": file.name, "sha256": file_digest(file)}
    meta = {"data_facts": facts_of_model(model), "converted": facts}
    if out.suffix == ".pth":
        with atomic_path(out) as temporary:
            torch.save({"state_dict": weights, "meta": meta}, temporary)
        return facts
    with TemporaryDirectory() as folder:
        path_of_all = Path(folder) / "converted.pth"
        torch.save({"state_dict": weights, "meta": meta}, path_of_all)
        export_weights(cfg, path_of_all, out, training=facts)
    return facts
