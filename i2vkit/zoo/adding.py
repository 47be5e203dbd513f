"""The way of a trained model into the zoo: it is exported, checked, scored and listed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mmengine.config import Config

from i2vkit.config.data_facts import data_facts
from i2vkit.config.loading import load_config
from i2vkit.engine.checkpoints import checkpoint_file
from i2vkit.errors import CheckpointError, ConfigError
from i2vkit.models.generator_weights import file_digest
from i2vkit.utils.json_files import read_json
from i2vkit.zoo.index import INDEX, MAX_BYTES, ZooEntry, read_index, write_index
from i2vkit.zoo.metadata import config_of, read_header
from i2vkit.zoo.saving import export_weights
from i2vkit.zoo.scoring import DATA, Scores, protocol_of, score_weights, split_scores, truth_part

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def add_to_zoo(
    name: str,
    config: str | Path | Config,
    checkpoint: str | Path,
    metrics: str | Path | None = None,
    *,
    options: dict[str, Any] | None = None,
    data_words: str = "",
    training: dict[str, Any] | None = None,
    protocol: str | None = None,
    replace: bool = False,
    data: Path = DATA,
    index: Path = INDEX,
) -> ZooEntry:
    """Export a trained generator in bf16, score the file that was written, and list it under ``name``.

    Args:
        name: Lower case words joined by "-", such as "dual-mtgan-faces".
        config: The config, or its name or path.
        checkpoint: A ``.pth`` of a training, a work dir, or a ``.safetensors``, whose facts about training and data are
            kept.
        metrics: A ``metrics.json`` of ``i2v test``, to use its scores. It must be of ``checkpoint``, which must be in
            bf16 already, because rounding the weights changes digits. By default the weights are scored.
        options: Changes of a config that is given by name or path, by dotted key.
        data_words: The training data in words. By default those of ``checkpoint`` or of the config.
        training: More facts about the training, such as ``{"minutes": 45, "device": "one CPU core"}``.
        protocol: The protocol of the scores. By default the config's first one.
        replace: Replace a row of that name. Default False.
        data: Folder of i2v-truth-v1, for models that are tested on it. The set is rendered if it is missing.
        index: The index to write. The weights are in ``weights`` beside it.

    Returns:
        The new row.

    Raises:
        ConfigError: The name is taken or malformed, or the metrics are of other weights.
        CheckpointError: The weights are of another config, or take more than 16 MiB.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"a model of the zoo is named by lower case words joined by '-', not '{name}'")
    if name in read_index(index) and not replace:
        raise ConfigError(f"the zoo has a model '{name}' already: give another name, or --replace")
    cfg = config if isinstance(config, Config) else load_config(config, options)
    checkpoint, protocol = checkpoint_file(checkpoint), protocol_of(cfg, protocol)
    given = None if metrics is None else _given_scores(Path(metrics), checkpoint, protocol)
    fresh = index.parent / "weights" / f"{name}.new.safetensors"
    try:
        entry = _export(name, cfg, checkpoint, fresh, data_words, training or {})
        own = config_of(read_header(fresh), fresh)
        scores, baseline = given or score_weights(own, fresh, protocol, data)
        quick = score_weights(own, fresh, quick=True)[0] if truth_part(own) else {}
        fresh.replace(entry.file(index))
    finally:
        fresh.unlink(missing_ok=True)
    found = {"protocol": protocol, "scores": scores, "static_baseline": baseline, "quick_scores": quick}
    entry = ZooEntry(**vars(entry) | found)
    write_index(read_index(index) | {name: entry}, index)
    return entry


def _export(name: str, cfg: Config, checkpoint: Path, out: Path, data: str, training: dict[str, Any]) -> ZooEntry:
    """Write the weights to ``out``, and return their entry without scores."""
    header = export_weights(cfg, checkpoint, out, "bfloat16", training, data)
    size = out.stat().st_size
    if size > MAX_BYTES:
        raise CheckpointError(
            f"the weights of {name} take {size / 2**20:.1f} MiB in bf16, and a file of the zoo has at most "
            f"{MAX_BYTES // 2**20}: train a narrower model"
        )
    motion = json.loads(header["motion"])
    return ZooEntry(
        name=name,
        sha256=file_digest(out),
        bytes=size,
        config=header["config"],
        data=header["data"],
        image_size=int(header["image_size"]),
        parameters=int(header["parameters"]),
        motion=motion,
        labels=json.loads(header["labels"]) if "label" in motion else [],
        training=json.loads(header["training"]),
        framing=data_facts(cfg)[0].get("framing"),
    )


def _given_scores(metrics: Path, checkpoint: Path, protocol: str) -> tuple[Scores, Scores]:
    """Return the scores in a ``metrics.json``, after a check that they are those of ``checkpoint``."""
    try:
        found = read_json(metrics)
        of, name, scores = found["checkpoint"]["sha256"], found["protocol"]["name"], found["scores"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{metrics} is no metrics.json of i2v test: {type(error).__name__}: {error}") from error
    if of != file_digest(checkpoint) or name != protocol:
        raise ConfigError(
            f"{metrics} has scores of another checkpoint or protocol than {checkpoint} and '{protocol}': leave "
            f"--metrics away, and the weights are scored again"
        )
    if checkpoint.suffix != ".safetensors" or read_header(checkpoint).get("dtype") != "bfloat16":
        raise ConfigError(
            f"{metrics} has scores of weights in fp32, and the zoo rounds them to bf16, which moves digits: leave "
            f"--metrics away, and the weights are scored again"
        )
    return split_scores(scores)
