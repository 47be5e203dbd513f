"""Loading a generator's weights from a checkpoint or an exported file, and exporting them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

import i2vkit
from i2vkit.datasets.facts import facts_of_model
from i2vkit.engine.checkpoints import checkpoint_file, load_weights, stored_facts
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.media import atomic_path

PREFIX = "generator"  # attribute of a model, and prefix of the names in its checkpoints
DTYPES = ("float32", "bfloat16")


def check_generator(model: nn.Module) -> nn.Module:
    """Return ``model`` if it has a generator.

    Raises:
        ConfigError: It has none, for instance a classifier.
    """
    if not hasattr(model, PREFIX):
        raise ConfigError(
            f"a {type(model).__name__} makes no videos, it has no generator: give the config of an image-to-video model"
        )
    return model


def load_generator(model: nn.Module, path: str | Path) -> None:
    """Load the weights of ``model.generator``, or of the whole model if it has no generator.

    Discriminators keep their weights, so the config may have other discriminators than the training. If training kept
    an average of the weights, a checkpoint holds that average as its weights.

    Args:
        model: Model whose weights are replaced.
        path: A ``.pth`` file or the work directory of a training, or a ``.safetensors`` file from
            ``export_generator``.

    Raises:
        CheckpointError: The file is missing or damaged, belongs to another config, does not match its hash, or has
            values that are not finite.
    """
    path = checkpoint_file(path)
    if path.suffix == ".safetensors":
        check_export(path)
    generator = getattr(model, PREFIX, None)
    # A classifier, for instance, has no generator and is loaded as a whole.
    part = model if generator is None else generator
    load_weights(part, path, prefix=None if generator is None else PREFIX)
    if generator is not None and generator.reads_label:
        _check_labels(list(cast(Any, model).labels), path)
    # Refused here rather than with the first generated video.
    if broken := [name for name, value in part.state_dict().items() if not torch.isfinite(value).all()]:
        raise CheckpointError(f"{path}: {len(broken)} weights are not finite (first: {broken[0]}); training diverged")


def _check_labels(labels: list[str], path: Path) -> None:
    """Raise ``CheckpointError`` if a file says that its weights know other labels, or the same in another order.

    The weights would load all the same, and answer to one label with the video of another.
    """
    stored = stored_facts(path).get("labels")
    if stored and list(stored) != labels:
        raise CheckpointError(
            f"the weights in {path} know the labels {', '.join(stored)}, in this order, and the model "
            f"{', '.join(labels)}: set model.labels to those of the weights"
        )


def export_generator(
    model: nn.Module, cfg: Config, out: str | Path, dtype: str = "float32", facts: dict[str, str] | None = None
) -> dict[str, str]:
    """Write the weights of ``model.generator`` to a ``.safetensors`` file.

    The file is complete or, after an error, not written at all.

    Args:
        model: A model with a generator.
        cfg: Its config, whose name goes into the header.
        out: Path of the file, with the suffix ``.safetensors``.
        dtype: "float32" (default), or "bfloat16" for half the size. With "bfloat16" the weights of convolutions, linear
            and recurrent layers are rounded to 8 significant bits, and vectors (biases, statistics of batch norms) stay
            as they are. Both kinds of file are loaded in fp32.
        facts: More entries for the header, such as those of ``i2vkit.zoo.metadata.describe``. None by default.

    Returns:
        The header: config, i2vkit version, image size, facts of the data, dtype, SHA-256 of the weights, and ``facts``.

    Raises:
        ConfigError: The model has no generator, or ``dtype`` is neither of the two.
        CheckpointError: The file has another suffix.
    """
    check_generator(model)
    generator = cast(nn.Module, model.generator)  # ``check_generator`` has found it
    out = Path(out)
    if out.suffix != ".safetensors":
        raise CheckpointError(f"weights are exported to a .safetensors file, not to {out}")
    if dtype not in DTYPES:
        raise ConfigError(f"weights are exported as {' or '.join(DTYPES)}, not as {dtype!r}")
    # Contiguous copies, since safetensors cannot write tensors that share memory or have their channels last.
    weights = {
        f"{PREFIX}.{name}": value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in generator.state_dict().items()
    }
    if dtype == "bfloat16":
        weights = {name: value.bfloat16() if _is_matrix(value) else value for name, value in weights.items()}
    metadata = {
        "format": "pt",
        "config": Path(cfg.filename or "").stem,
        "i2vkit": i2vkit.__version__,
        "image_size": str(model.image_size),
        # What the model must know of its data, such as the names of the labels.
        "data_facts": json.dumps(facts_of_model(model)),
        "dtype": dtype,
        "sha256": digest(weights),  # of the weights, not of the file
        **(facts or {}),
    }
    with atomic_path(out) as temporary:
        # Not with save_file of safetensors, whose files only their owner can read.
        temporary.write_bytes(_with_sorted_metadata(save(weights, metadata)))
    return metadata


def _with_sorted_metadata(data: bytes) -> bytes:
    """Return the bytes of a safetensors file with sorted metadata, so that equal weights give equal files."""
    # The file has eight bytes with the length of the header, the header as JSON, and the tensors.
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    # safetensors writes the metadata in an order that changes from run to run.
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the tensors must begin at a multiple of eight bytes
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def _is_matrix(value: Tensor) -> bool:
    """Return True for floating-point tensors of two or more axes."""
    return value.is_floating_point() and value.dim() > 1


def check_export(path: Path) -> dict[str, str]:
    """Return the header of an exported file, after a check of its weights.

    Raises:
        CheckpointError: The file is damaged, has no hash, or its weights do not match the hash.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a .safetensors file, or is cut: {error}") from error
    if "sha256" not in metadata:
        raise CheckpointError(f"{path} was not written by tools/export.py: it has no hash of its weights")
    if (found := digest(weights)) != metadata["sha256"]:
        raise CheckpointError(f"{path} is damaged: its weights hash to {found}, its header says {metadata['sha256']}")
    print_log(f"{path}: generator of {metadata.get('config')}, sha256 {found[:12]}", "current")
    return metadata


def digest(weights: dict[str, Tensor]) -> str:
    """Return the SHA-256 of named tensors, over their names, types, shapes and bytes in the order of the names."""
    total = hashlib.sha256()
    for name, value in sorted(weights.items()):
        # Type and shape too, since equal bytes can stand for different tensors.
        total.update(json.dumps([name, str(value.dtype), list(value.shape)]).encode())
        # As bytes, since numpy has no bfloat16.
        total.update(value.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def file_digest(path: str | Path) -> str:
    """Return the SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
