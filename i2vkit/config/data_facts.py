"""Facts that go from the data set of a config to its model: labels, image size, condition maps, frames a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from i2vkit.datasets.clip_dataset import ClipDataset
from i2vkit.datasets.facts import NAMES, DataFacts
from i2vkit.datasets.loaders import SPLITS
from i2vkit.datasets.pipelines import steps_of
from i2vkit.datasets.transforms import CenterCrop, RandomCrop, ReadMaps, Resize
from i2vkit.engine.checkpoints import stored_facts
from i2vkit.errors import ConfigError
from i2vkit.generator_slots import GENERATOR_SLOTS
from i2vkit.registry import DATASETS, MODELS, READERS, TRANSFORMS, arguments_of, build_part, find_part

# The config keys that set a fact of a data set, for messages.
_SET_BY = {
    "labels": "{where}.reader.labels, or {where}.labels to keep fewer",
    "image_size": "{where}.size, and those of the other data loaders",
    "map_channels": "{where}.maps, and those of the other data loaders",
    "fps": "{where}.reader.fps",
}

FACT_KEYS = tuple(f"model.{name}" for name in _SET_BY)


def facts_of(dataset: Mapping[str, Any]) -> DataFacts:
    """Return the facts that the config of a ``ClipDataset`` states.

    Labels and the frames a second of stored clips come from the reader, which reads an index on the disk at most. The
    size of the frames, the number of condition maps and the stride come from the steps of the pipeline.

    Args:
        dataset: Config of a ``ClipDataset``.

    Raises:
        ConfigError: The reader or the pipeline cannot be built as the config describes them.
        DataError: The reader's index exists and cannot be read.
    """
    reader = dataset["reader"]
    reader = build_part(READERS, reader) if isinstance(reader, dict) else reader
    facts = reader.facts() if hasattr(reader, "facts") else DataFacts()
    if facts.labels is not None and dataset.get("labels") is not None:
        kept = set(map(str, dataset["labels"]))
        facts = replace(facts, labels=tuple(label for label in facts.labels if label in kept))
    steps = [(find_part(TRANSFORMS, step["type"]), step) for step in steps_of(dataset).values()]
    stride = next((step["stride"] for _, step in steps if step.get("stride")), 1)
    return replace(
        facts,
        image_size=_image_size(steps),
        map_channels=next((step.get("channels") for kind, step in steps if kind is ReadMaps), None),
        fps=None if facts.fps is None else facts.fps / stride,
    )


def _image_size(steps: list[tuple[Any, Mapping[str, Any]]]) -> int | None:
    """Return the side of square frames after the last step that sets it, or None if no step does."""
    size: Any = None
    for kind, step in steps:
        if kind in (Resize, CenterCrop):
            size = step.get("size")
        elif kind is RandomCrop:
            size = None
    if isinstance(size, list | tuple):
        return size[0] if len(set(size)) == 1 else None
    return size


def data_facts(cfg: Config) -> tuple[dict[str, Any], str]:
    """Return the facts of the data that a config trains on, by name, and the path of that data set in the config.

    If the config has no training data, they are those of the data that it validates or tests on. Data sets other than
    ``ClipDataset`` state no facts.
    """
    for split in SPLITS:
        dataset = (cfg.get(f"{split}_dataloader") or {}).get("dataset")
        if isinstance(dataset, Mapping) and "reader" in dataset:
            kind = find_part(DATASETS, dataset["type"])
            if isinstance(kind, type) and issubclass(kind, ClipDataset):
                return facts_of(dataset).known(), f"{split}_dataloader.dataset"
            break
    return {}, ""


def fill_in_facts(cfg: Config) -> None:
    """Write into ``cfg.model``, in place, the facts of the training data that it leaves out and that its class takes.

    The number of condition maps is written if a part of the model reads maps. Labels, image size and frames a second
    are written if the model's class has such an argument. A value of the config stays: ``labels=[]`` is a model that
    reads none.
    """
    if wanted := _left_out(cfg.get("model")):
        facts, _ = data_facts(cfg)
        cfg.model.update({name: facts[name] for name in wanted if name in facts})


def fill_in_stored_facts(cfg: Config, checkpoint: str | Path) -> None:
    """Write into ``cfg.model``, in place, the facts of a trained model's file that it still leaves out.

    So a config whose data are not on this machine makes the model that was trained on them.

    Raises:
        CheckpointError: There is no such file, or it is broken.
    """
    if wanted := _left_out(cfg.get("model")):
        facts = stored_facts(checkpoint)
        cfg.model.update({name: facts[name] for name in wanted if name in facts})


def _left_out(model: Any) -> list[str]:
    """Return the facts that a model's config leaves out and that its class takes."""
    if not model or "type" not in model:
        return []
    takes = arguments_of(find_part(MODELS, model["type"])) or {}
    wanted = [name for name in NAMES if name in takes and name not in model]
    return [name for name in wanted if name != "map_channels" or _reads_maps(model)]


def check_facts(cfg: Config) -> None:
    """Check that the model of a config fits the data that it trains on.

    A model may know more labels than its data, if the data's come first. Frames a second do not matter in training.

    Raises:
        ConfigError: Labels, image size or number of condition maps differ. The message says how to change them.
    """
    facts, where = data_facts(cfg)
    for name in ("labels", "image_size", "map_channels"):
        ours, theirs = cfg.model.get(name), facts.get(name)
        if not ours or theirs is None:  # a model without labels or maps does not read them
            continue
        if list(ours)[: len(theirs)] != theirs if name == "labels" else ours != theirs:
            raise ConfigError(
                f"model.{name} is {ours}, and the training data ({where}) have {theirs}: leave model.{name} out, and "
                f"it is that of the data, or change {_SET_BY[name].format(where=where)}"
            )


def _reads_maps(model: Mapping[str, Any]) -> bool:
    """Return True if a part of the generator takes condition maps, or a discriminator sees them."""
    generator = model.get("generator") or {}
    slots = [(slot.registry, generator.get(name)) for name, slot in GENERATOR_SLOTS.items()]
    if any(_takes_maps(registry, part) for registry, part in slots):
        return True
    discriminators = [discriminator for discriminator in (model.get("discriminators") or {}).values() if discriminator]
    return any(discriminator.get("condition") == "maps" for discriminator in discriminators)


def _takes_maps(registry: Any, part: Any) -> bool:
    if not isinstance(part, Mapping):
        return False
    return "map_channels" in (arguments_of(find_part(registry, part["type"])) or {})
