"""The weights of a generator: from a training checkpoint or from an exported file, and into one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

import i2vkit
from i2vkit.datasets.facts import facts_of_model
from i2vkit.engine.checkpoints import checkpoint_file, load_weights
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.media import atomic_path

PREFIX = "generator"
DTYPES = ("float32", "bfloat16")


def check_generator(model: nn.Module) -> nn.Module:
    """``model``, if it makes videos. Raises ``ConfigError`` if it is one that is trained on labels."""
    if not hasattr(model, PREFIX):
        raise ConfigError(
            f"a {type(model).__name__} makes no videos, it has no generator: give the config of an image-to-video model"
        )
    return model


def load_generator(model: nn.Module, path: str | Path) -> None:
    """Load ``model.generator`` from a ``.pth`` or work dir of training, or a ``.safetensors`` of ``export_generator``.

    Discriminators are not touched, so that a config with other discriminators will do; a model without a generator is
    loaded whole. Where training kept an average of the weights, a checkpoint holds that average as its weights.

    Raises:
        CheckpointError: missing or broken file, weights of another config, a hash that does not fit, values that are
            not finite.
    """
    path = checkpoint_file(path)
    if path.suffix == ".safetensors":
        check_export(path)
    generator = getattr(model, PREFIX, None)
    part = model if generator is None else generator
    load_weights(part, path, prefix=None if generator is None else PREFIX)
    if broken := [name for name, value in part.state_dict().items() if not torch.isfinite(value).all()]:
        raise CheckpointError(f"{path}: {len(broken)} weights are not finite (first: {broken[0]}); training diverged")


def export_generator(
    model: nn.Module, cfg: Config, out: str | Path, dtype: str = "float32", facts: dict[str, str] | None = None
) -> dict[str, str]:
    """Write the weights of ``model.generator`` to a ``.safetensors`` file, whole or not at all.

    Args:
        model: with a generator.
        cfg: its config, whose name is written down.
        out: the file.
        dtype: "float32", or "bfloat16" for a file of half the size: convolutions, linear and recurrent layers are
            rounded to 8 bits, while vectors (biases, statistics of batch norms) stay as they are. Either is loaded in
            fp32.
        facts: more entries for the header, such as those of ``i2vkit.zoo.metadata.describe``.

    Returns:
        What stands in its header: config, i2vkit version, image size, facts of the data, dtype, the SHA-256 of the
        weights and ``facts``.

    Raises:
        ConfigError: a model without a generator, or another dtype.
        CheckpointError: another suffix.
    """
    check_generator(model)
    out = Path(out)
    if out.suffix != ".safetensors":
        raise CheckpointError(f"weights are exported to a .safetensors file, not to {out}")
    if dtype not in DTYPES:
        raise ConfigError(f"weights are exported as {' or '.join(DTYPES)}, not as {dtype!r}")
    # Copies in the usual order: tensors that share memory, or have their channels last, cannot be written.
    weights = {
        f"{PREFIX}.{name}": value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in model.generator.state_dict().items()
    }
    if dtype == "bfloat16":
        weights = {name: value.bfloat16() if _is_matrix(value) else value for name, value in weights.items()}
    metadata = {
        "format": "pt",
        "config": Path(cfg.filename or "").stem,
        "i2vkit": i2vkit.__version__,
        "image_size": str(model.image_size),
        "data_facts": json.dumps(facts_of_model(model)),
        "dtype": dtype,
        "sha256": digest(weights),
        **(facts or {}),
    }
    with atomic_path(out) as temporary:
        # Not by safetensors' own save_file, whose files only their owner can read.
        temporary.write_bytes(_with_sorted_metadata(save(weights, metadata)))
    return metadata


def _with_sorted_metadata(data: bytes) -> bytes:
    """The bytes of a safetensors file with the metadata in its header sorted: the same content is the same file."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of eight bytes
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def _is_matrix(value: Tensor) -> bool:
    return value.is_floating_point() and value.dim() > 1


def check_export(path: Path) -> dict[str, str]:
    """The header of an exported file.

    Raises:
        CheckpointError: the file is broken, has no hash, or its weights are not those that were hashed.
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
    """SHA-256 of named tensors: of their names, types, shapes and bytes, in the order of the names."""
    total = hashlib.sha256()
    for name, value in sorted(weights.items()):
        total.update(json.dumps([name, str(value.dtype), list(value.shape)]).encode())
        total.update(value.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
