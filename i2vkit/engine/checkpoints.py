"""Loading of checkpoints: no code in a file is ever executed, and weights fit exactly or not at all."""

from __future__ import annotations

import hashlib
import pickle
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmengine.runner.checkpoint import CheckpointLoader
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from i2vkit.datasets.facts import DataFacts
from i2vkit.engine.work_dirs import latest_checkpoint
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.utils.json_files import parse_json
from i2vkit.values import check_arguments


@CheckpointLoader.register_scheme(prefixes="", force=True)
def load_checkpoint_file(path: str | Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Load everything in a ``.pth`` or ``.safetensors`` file, weights and plain values only.

    The loader of mmengine would run the code in a file if all else fails, and its ``resume`` executes a config text
    stored there. This function replaces it for every load, and drops that text.

    Args:
        path: The file. For a work dir it is the best checkpoint, or the newest if no best one was kept.
        map_location: Device of the tensors. Default "cpu".

    Raises:
        CheckpointError: The file is missing, cut, not a checkpoint, or carries code.
    """
    path = checkpoint_file(path)
    checkpoint = (
        _load_safetensors(path, map_location) if path.suffix == ".safetensors" else _load_torch(path, map_location)
    )
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f"{path} is not a checkpoint: it holds a {type(checkpoint).__name__}")
    if isinstance(meta := checkpoint.get("meta"), dict):
        meta.pop("config", None)
        meta.pop("cfg", None)
    return checkpoint


def stored_facts(path: str | Path) -> dict[str, Any]:
    """Return the facts of the training data that a checkpoint or an exported file holds, by name.

    The dict is empty for files of earlier versions, which hold none.

    Raises:
        CheckpointError: There is no such file, or it is broken.
    """
    path = checkpoint_file(path)
    if path.suffix != ".safetensors":
        meta = load_checkpoint_file(path).get("meta")
        return _checked_facts(meta.get("data_facts", {}) if isinstance(meta, dict) else {}, path)
    try:
        with safe_open(path, framework="pt") as file:
            facts = parse_json((file.metadata() or {}).get("data_facts", "{}"))
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} is not a .safetensors file of tools/export.py, or is cut: {error}") from error
    return _checked_facts(facts, path)


def _checked_facts(facts: Any, path: Path) -> dict[str, Any]:
    """Return the facts of a file if they are of the types that ``DataFacts`` has.

    Raises:
        CheckpointError: They are not.
    """
    try:
        if not isinstance(facts, dict):
            raise ConfigError("they are no dict")
        check_arguments(DataFacts, facts, "data_facts")
    except ConfigError as error:
        raise CheckpointError(f"the facts of the data in {path} are damaged: {error}") from error
    return dict(facts)


def checkpoint_file(path: str | Path) -> Path:
    """Return the file that ``path`` means: itself, or the best checkpoint of a work dir, or else the newest.

    Raises:
        CheckpointError: There is none.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        best = sorted(path.glob("best_*.pth"), key=lambda file: file.stat().st_mtime)
        path = best[-1] if best else latest_checkpoint(path)
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path.absolute()}")
    return path


def _load_torch(path: Path, map_location: Any) -> Any:
    try:
        with warnings.catch_warnings():  # torch warns of odd pickles before it refuses them
            warnings.simplefilter("ignore")
            return torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # random bytes may raise anything
        # torch's own message recommends weights_only=False, so only the name in it is passed on.
        if isinstance(error, pickle.UnpicklingError) and (
            found := re.search(r"(?i)unsupported.*?([\w]+\.[\w.]+)", str(error))
        ):
            raise CheckpointError(
                f"{path} holds more than weights and plain values ({found[1]}), which could run any code when loaded: "
                f"refused, nothing was run. Ask its author for a .safetensors file or for plain weights"
            ) from error
        raise CheckpointError(
            f"{path} ({path.stat().st_size} bytes) is not a checkpoint, or is cut: copy or download it again, "
            f"or give the right file ({type(error).__name__})"
        ) from error


def _load_safetensors(path: Path, map_location: Any) -> dict[str, Tensor]:
    try:
        return load_file(path, device=str(map_location or "cpu"))
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a .safetensors file, or is cut: {error}") from error


def load_weights(model: nn.Module, path: str | Path, prefix: str | None = None, strict: bool = True) -> None:
    """Load the weights of a file into ``model``.

    Args:
        model: The model, also if it is wrapped for several processes.
        path: The file, or a work dir.
        prefix: Load the weights under this name only, for instance "generator". By default all.
        strict: Refuse weights that are not exactly the model's. With False those that fit are loaded. Default True.

    Raises:
        CheckpointError: As ``load_checkpoint_file``, and for weights that do not fit.
    """
    checkpoint = load_checkpoint_file(path)
    weights = checkpoint.get("state_dict", checkpoint)
    _check_names(weights, str(path))
    if prefix:
        start = prefix.rstrip(".") + "."
        weights = {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}
        if not weights:
            raise CheckpointError(f"{path} is a checkpoint of another config: it has no weights under '{prefix}'")
    if strict:
        check_weights(model, weights, str(path))
    own = unwrapped(model).state_dict()
    fitting = {name: value for name, value in weights.items() if name in own and value.shape == own[name].shape}
    unwrapped(model).load_state_dict(fitting, strict=False)


def _check_names(weights: Any, source: str) -> None:
    """Raise ``CheckpointError`` unless ``weights`` are listed by name."""
    if not isinstance(weights, Mapping) or not all(isinstance(name, str) for name in weights):
        raise CheckpointError(f"{source} is damaged: its weights are not listed by name")


def check_weights(model: nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Raise ``CheckpointError`` unless ``weights`` have the names and shapes of ``model``'s."""
    _check_names(weights, source)
    for name, value in weights.items():
        if not isinstance(value, Tensor) or value.is_complex():
            kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
            raise CheckpointError(f"{source} is damaged: {name} is no tensor of real numbers, but {kind}")
    own = unwrapped(model).state_dict()
    problems = [
        _list("missing there", (name for name in own if name not in weights)),
        _list("unknown here", (name for name in weights if name not in own)),
        _list(
            "of another shape",
            (
                f"{name} {tuple(weights[name].shape)} instead of {tuple(value.shape)}"
                for name, value in own.items()
                if name in weights and weights[name].shape != value.shape
            ),
        ),
    ]
    if any(problems):
        raise CheckpointError(
            f"{source} is a checkpoint of another config, nothing was loaded; {'; '.join(filter(None, problems))}. "
            f"Use the config that it was trained with (and the same --cfg-options)"
        )


def _list(title: str, names: Iterable[str]) -> str:
    """Return a title with the number of ``names`` and the first three of them, or nothing if there are none."""
    names = list(names)
    more = ", ..." if len(names) > 3 else ""
    return f"{title} ({len(names)}): {', '.join(names[:3])}{more}" if names else ""


def unwrapped(model: nn.Module) -> Any:
    """Return the model itself, if it is in a wrapper for several processes."""
    return model.module if is_model_wrapper(model) else model


def check_hash(path: str | Path, expected: str) -> None:
    """Raise ``CheckpointError`` unless the file's SHA-256 is ``expected`` (8 or more leading digits suffice)."""
    with Path(path).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if len(expected) < 8 or not found.startswith(expected.lower()):
        raise CheckpointError(f"the SHA-256 of {path} is {found}, expected {expected}: download it again")
