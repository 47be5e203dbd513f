"""The facts that a file of weights holds about itself: written into its header, and read without running code.

A safetensors file begins with JSON. i2vkit writes there the resolved config, labels, the training, versions and a hash
of the weights. Nothing in a header is executed. Classes are in it by name, and ``config_of`` accepts only names of
i2vkit and of packages that the program has imported already.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import nn

from i2vkit.config.finding import CONFIG_FOLDER
from i2vkit.datasets.loaders import MACHINE_KEYS, SPLITS, complete_loader
from i2vkit.engine.checkpoints import checkpoint_file, load_checkpoint_file
from i2vkit.errors import CheckpointError
from i2vkit.registry import ROLES, part_names
from i2vkit.utils.json_files import parse_json
from i2vkit.utils.versions import package_versions

PACKAGES = ("i2vkit", "torch", "onedl-mmengine", "timm", "numpy")
# A larger header of a safetensors file is not an honest one.
_MAX_HEADER = 100 * 2**20
_TRUSTED = ("i2vkit", "torch", "mmengine")


def describe(cfg: Config, model: nn.Module, training: dict[str, Any] | None = None, data: str = "") -> dict[str, str]:
    """Return the facts that the header of a file of weights gets beside those of ``export_generator``.

    Args:
        cfg: The config of the model.
        model: The model, for its labels.
        training: Iterations, seed, budget and so on, see ``training_facts``.
        data: The training data in words. By default the folders that the config names.

    Returns:
        ``config``, ``resolved_config``, ``labels``, ``data``, ``training`` and ``versions``. All but ``config`` and
            ``data`` are JSON.
    """
    return {
        "config": config_name(cfg),
        "resolved_config": json.dumps(portable(cfg)),
        "labels": json.dumps(list(getattr(model, "labels", ()))),
        "data": data or ", ".join(data_roots(cfg)) or "not stated",
        "training": json.dumps(training or {}),
        "versions": json.dumps(package_versions(PACKAGES)),
    }


def config_name(cfg: Config) -> str:
    """Return the name by which ``load_config`` finds a config of i2vkit, or the name of the file without suffix."""
    path = Path(cfg.filename or "config")
    if path.is_relative_to(CONFIG_FOLDER):
        return path.relative_to(CONFIG_FOLDER).with_suffix("").as_posix()
    # A config that was read from a header has its name instead of a path.
    return path.stem if path.is_absolute() else path.with_suffix("").as_posix()


def portable(cfg: Config) -> dict[str, Any]:
    """Return a config as plain values that JSON can hold, without the keys that loaders leave to the machine."""
    plain = _plain(cfg.to_dict())
    for split in SPLITS:
        for key in MACHINE_KEYS:
            (plain.get(f"{split}_dataloader") or {}).pop(key, None)
    return plain


def _plain(value: Any) -> Any:
    """Convert classes to their dotted names, and everything else to JSON's own types."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Path):
        return str(value)
    return f"{value.__module__}.{value.__qualname__}"


def data_roots(cfg: Config) -> list[str]:
    """Return the folders of a config's training data, in their order."""
    layout = (cfg.get("train_dataloader") or {}).get("dataset", {}).get("reader") or {}
    parts = layout.get("readers") or layout.get("parts") or [layout]
    return [str(part["root"]) for part in parts if isinstance(part, dict) and "root" in part]


def training_facts(cfg: Config, checkpoint: str | Path) -> dict[str, Any]:
    """Return iterations and seed of a training, or the facts in the header of a file of weights.

    Args:
        cfg: The config, for the number of planned iterations.
        checkpoint: A ``.pth`` of a training, a work dir or a ``.safetensors`` file.
    """
    path = checkpoint_file(checkpoint)
    if path.suffix == ".safetensors":
        try:
            return parse_json(read_header(path).get("training", "{}"))
        except ValueError as error:
            raise CheckpointError(f"the facts of the training in {path} are damaged: {error}") from error
    meta = load_checkpoint_file(path).get("meta") or {}
    facts: dict[str, Any] = {name: meta[key] for name, key in (("iterations", "iter"), ("seed", "seed")) if key in meta}
    if planned := (cfg.get("train_cfg") or {}).get("max_iters"):
        facts["planned_iterations"] = planned
    return facts


def read_header(path: str | Path) -> dict[str, str]:
    """Return the metadata in the header of a safetensors file, without reading the weights.

    Raises:
        CheckpointError: The file is missing, or is no safetensors file.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > min(_MAX_HEADER, path.stat().st_size):
                raise ValueError("its header is longer than the file")
            metadata = parse_json(file.read(length)).get("__metadata__") or {}
        if not all(isinstance(value, str) for value in metadata.values()):
            raise ValueError("its metadata are no strings")
        return metadata
    except (OSError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path} is not a .safetensors file, or is cut: {error}") from error


def config_of(metadata: dict[str, str], where: str | Path) -> Config:
    """Return the config that a file of weights carries.

    Args:
        metadata: The result of ``read_header``.
        where: The file, for messages.

    Raises:
        CheckpointError: The file carries no config, or one with parts of a package that was not imported.
    """
    if "resolved_config" not in metadata:
        raise CheckpointError(
            f"{where} carries no config: it was written by another program or an older i2vkit. Give its config too "
            f"(I2VInferencer(config, file), i2v animate CONFIG FILE), or export it again (i2v export)"
        )
    try:
        values = parse_json(metadata["resolved_config"])
        model = values["model"]
        if not isinstance(model, dict) or not isinstance(model.get("type"), str):
            raise ValueError("its model has no type")
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"the config in {where} is damaged: {error}") from error
    for name in _types(values):
        _check_package(name, where)
    for name in _types(model):  # the only part that is built for an animation
        _check_part(name, where)
    cfg = Config(values, format_python_code=False)
    object.__setattr__(cfg, "_filename", f"{metadata.get('config', 'config')}.py")  # a name: there is no such file
    for split in SPLITS:
        if loader := cfg.get(f"{split}_dataloader"):
            complete_loader(loader, split)
    return cfg


def with_classes(cfg: Config) -> Config:
    """Return a copy of a config with classes in place of their dotted names, for registries that know no others.

    It imports these classes, so use it for trusted files only.

    Raises:
        CheckpointError: There is no such class.
    """
    found = Config(_resolved(cfg.to_dict()), format_python_code=False)
    object.__setattr__(found, "_filename", cfg.filename)
    return found


def _resolved(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    values = {key: _resolved(item) for key, item in value.items()}
    module, _, name = (values["type"] if isinstance(values.get("type"), str) else "").rpartition(".")
    if module:
        if not (_can_import(module) and hasattr(import_module(module), name)):
            raise CheckpointError(f"'{values['type']}' is no part of this version of i2vkit")
        values["type"] = getattr(import_module(module), name)
    return values


def _types(value: Any) -> Iterator[str]:
    """Yield every name of a class in a config."""
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            yield value["type"]
        for item in value.values():
            yield from _types(item)
    elif isinstance(value, list):
        for item in value:
            yield from _types(item)


def _check_package(name: str, where: str | Path) -> None:
    """Refuse names in packages that are not imported yet, because importing runs code and a file must not choose it."""
    module, _, _ = name.rpartition(".")
    package = module.partition(".")[0]
    if package and package not in _TRUSTED and module not in sys.modules:
        raise CheckpointError(
            f"{where} is a model with parts of the package '{package}' ({name}), which is not imported: import it "
            f"first if you trust it"
        )


def _check_part(name: str, where: str | Path) -> None:
    """Refuse names that are no registered parts. A model consists of parts, and of no other functions."""
    module, _, attribute = name.rpartition(".")
    if not module:
        return  # registries know or refuse such a name
    found = getattr(import_module(module), attribute, None) if _can_import(module) else None
    if found is None or not any(found in part_names(registry).values() for registry in ROLES.values()):
        raise CheckpointError(f"{where} is a model of another version of i2vkit: '{name}' is no part of this one")


def _can_import(module: str) -> bool:
    """Return True if a module can be imported or is imported already."""
    try:
        return module in sys.modules or find_spec(module) is not None
    except (ImportError, ValueError):
        return False
