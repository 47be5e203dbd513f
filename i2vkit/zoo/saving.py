"""Folders of trained models in the form of repositories on the Hugging Face Hub: weights, config and model card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmengine.config import Config

from i2vkit.apis.inputs import inference_config
from i2vkit.apis.motion_sources.declared import motion_words
from i2vkit.config.data_facts import fill_in_stored_facts
from i2vkit.engine.checkpoints import checkpoint_file
from i2vkit.media.files import atomic_path
from i2vkit.models.generator_weights import check_generator, export_generator, load_generator
from i2vkit.registry import MODELS, build_part
from i2vkit.values import check_output_file
from i2vkit.zoo.cards import model_card
from i2vkit.zoo.index import ZooEntry, find_entry, read_index
from i2vkit.zoo.metadata import describe, read_header, training_facts
from i2vkit.zoo.pretrained import WEIGHTS


def export_weights(
    cfg: Config,
    checkpoint: str | Path,
    out: str | Path,
    dtype: str = "float32",
    training: dict[str, Any] | None = None,
    data: str = "",
) -> dict[str, str]:
    """Write a trained generator, with everything that is known about it, to a safetensors file.

    Args:
        cfg: The config that it was trained with.
        checkpoint: A ``.pth``, a work dir or a ``.safetensors``.
        out: The file, ``.safetensors``.
        dtype: Type of the weights, "float32" (the default) or "bfloat16".
        training: More facts about the training.
        data: The training data in words. By default those of ``checkpoint`` or of the config.

    Returns:
        The header of the file.

    Raises:
        ConfigError: As ``load_generator`` and ``export_generator``.
        CheckpointError: As ``load_generator`` and ``export_generator``.
    """
    check_output_file(out)
    fill_in_stored_facts(cfg, checkpoint)
    model: Any = build_part(MODELS, inference_config(cfg))
    check_generator(model)
    load_generator(model, checkpoint)
    path = checkpoint_file(checkpoint)
    if not data and path.suffix == ".safetensors":
        data = read_header(path).get("data", "")
    facts = describe(cfg, model, training_facts(cfg, path) | (training or {}), data)
    facts["parameters"] = str(sum(value.numel() for value in model.generator.parameters()))
    facts["motion"] = json.dumps(motion_words(cfg, model))
    return export_generator(model, cfg, out, dtype, facts)


def save_pretrained(cfg: Config, checkpoint: str | Path, folder: str | Path, dtype: str = "bfloat16") -> Path:
    """Write ``model.safetensors``, ``config.json`` and ``README.md`` to a folder, and return the folder.

    Args:
        cfg: The config.
        checkpoint: The trained weights. If it is a file of the zoo, the card has its scores too.
        folder: The folder. It is made if it is missing.
        dtype: Type of the weights, "bfloat16" (the default) or "float32".
    """
    folder = Path(folder)
    header = export_weights(cfg, checkpoint, folder / WEIGHTS, dtype)
    config = {key: value for key, value in header.items() if key != "resolved_config"}
    for key in ("labels", "training", "versions", "motion"):
        config[key] = json.loads(header[key])
    config["resolved_config"] = json.loads(header["resolved_config"])
    texts = {"config.json": json.dumps(config, indent=1) + "\n"}
    texts["README.md"] = model_card(header, entry_of(checkpoint_file(checkpoint)))
    for name, text in texts.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return folder


def entry_of(path: Path) -> ZooEntry | None:
    """Return the entry of the zoo whose file ``path`` is, or None."""
    name = path.stem
    known = name in read_index() and find_entry(name).file().resolve() == path.resolve()
    return find_entry(name) if known else None
