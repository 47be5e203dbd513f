"""The search for a trained model by name, file, work dir, folder of ``save_pretrained`` or Hugging Face repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log

from i2vkit.config.loading import load_config
from i2vkit.engine.checkpoints import checkpoint_file
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.zoo.index import ZooEntry, find_entry, read_index
from i2vkit.zoo.metadata import config_of, read_header

WEIGHTS = "model.safetensors"  # in a folder of save_pretrained, and in a repository
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Pretrained:
    """A trained model that was found: its config, and the file of its weights."""

    cfg: Config
    checkpoint: Path


def find_pretrained(name_or_path: str | Path, revision: str | None = None) -> Pretrained:
    """Find a trained model. These are tried in this order:

    1. The name of a shipped model, such as "dtgan-faces" (``i2v list``).
    2. A ``.safetensors`` file of ``i2v export`` or of the zoo.
    3. A folder of ``save_pretrained``, which has a ``model.safetensors``.
    4. A work dir of a training, which has checkpoints and the config that the training wrote there.
    5. A repository on the Hugging Face Hub, "organisation/name", with a ``model.safetensors``.

    Args:
        name_or_path: One of these.
        revision: Branch, tag or commit of a repository. By default its main branch.

    Raises:
        ConfigError: Nothing of that name is known, or a work dir has no config.
        CheckpointError: Weights are missing, damaged or without a config.
    """
    text, path = str(name_or_path), Path(name_or_path).expanduser()
    if text in read_index():
        return _shipped(find_entry(text))
    if path.is_dir():
        return _of_file(path / WEIGHTS) if (path / WEIGHTS).is_file() else _of_work_dir(path)
    if path.is_file():
        if path.suffix != ".safetensors":
            raise CheckpointError(
                f"{path} carries no config: give the config too (i2v animate CONFIG {path}), or export it (i2v export)"
            )
        return _of_file(path)
    if path.suffix in (".safetensors", ".pth"):
        raise CheckpointError(f"there is no file {path.absolute()}")
    if _REPOSITORY.fullmatch(text):
        return _of_file(_download(text, revision))
    find_entry(text)  # raises, with the nearest names
    raise AssertionError("find_entry found what read_index did not")


def _shipped(entry: ZooEntry) -> Pretrained:
    """Return a shipped model, with the facts of its data that the index knows and its file may not."""
    found = _of_file(entry.verified_file())
    if entry.framing is not None:
        found.cfg["face_framing"] = entry.framing
    if entry.fps is not None:
        found.cfg.model.setdefault("fps", entry.fps)
    return found


def _of_file(path: Path) -> Pretrained:
    return Pretrained(config_of(read_header(path), path), path)


def _of_work_dir(folder: Path) -> Pretrained:
    """Return the best or newest checkpoint of a training with the config that it wrote."""
    checkpoint = checkpoint_file(folder)
    configs = sorted(folder.glob("*.py"), key=lambda file: file.stat().st_mtime)
    if not configs:
        raise ConfigError(f"{folder} has checkpoints and no config of their training: give the config too")
    print_log(f"{folder}: {checkpoint.name} with {configs[-1].name}", "current")
    return Pretrained(load_config(configs[-1]), checkpoint)


def _download(repository: str, revision: str | None) -> Path:
    """Download the weights of a repository on the Hugging Face Hub, or take them from the cache of its library."""
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise ConfigError(
            f"'{repository}' would be a repository on the Hugging Face Hub, and the package that reads these is not "
            f"installed: pip install huggingface_hub"
        ) from error
    try:
        return Path(hf_hub_download(repository, WEIGHTS, revision=revision))
    except Exception as error:  # that library and the network raise many things
        # The first line says what is wrong. The others are links and hints of that library.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"'{repository}' is neither a shipped model (`i2v list`) nor a file or folder, and as a repository on the "
            f"Hugging Face Hub it gave no {WEIGHTS}: {reason}"
        ) from error
