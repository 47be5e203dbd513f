"""Labels: their lookup by name or class index, and the check of the data's labels against the model's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from i2vkit.engine.checkpoints import unwrapped
from i2vkit.errors import ConfigError


def list_labels(labels: Sequence[str]) -> str:
    """Return all labels with their class indices, on one line.

    Examples:
        >>> from i2vkit.engine.labels import list_labels
        >>> list_labels(["anger", "fear"])
        '0 anger, 1 fear'
    """
    return ", ".join(f"{index} {label}" for index, label in enumerate(labels))


def find_label(labels: Sequence[str], label: str | int) -> int:
    """Return the class index of a label.

    Args:
        labels: Names of the labels in the order of their class indices.
        label: A name, or a class index as a number or in digits. A name takes precedence.

    Examples:
        >>> from i2vkit.engine.labels import find_label
        >>> find_label(["anger", "fear"], "fear"), find_label(["anger", "fear"], "0")
        (1, 0)

    Raises:
        ConfigError: There is no such label. The message lists those that exist.
    """
    if isinstance(label, str) and label in labels:
        return list(labels).index(label)
    known = {str(index): index for index in range(len(labels))}
    if str(label) not in known:
        raise ConfigError(
            f"this model knows no label {label!r}; give one of these, by name or number: {list_labels(labels)}"
        )
    return known[str(label)]


def check_data_labels(model: nn.Module, data: Sequence[str]) -> None:
    """Check that every class of the data is a class of the model, and the same one if the model reads labels.

    Data without labels, and models without, pass.

    Args:
        model: The model. Its labels are its attribute ``labels``.
        data: Names of the data's labels in the order of their class indices.

    Raises:
        ConfigError: The data have more labels than the model, or other ones.
    """
    own, data = list(getattr(model, "labels", ())), list(data)
    if not own or data == own[: len(data)]:
        return
    if len(data) > len(own):
        raise ConfigError(
            f"the data have {len(data)} labels ({list_labels(data)}), the model only {len(own)} ({list_labels(own)}): "
            f"set model.labels to those of the data, or keep fewer with the data set's labels=[...]"
        )
    if _reads_labels(model):
        index = next(index for index, label in enumerate(data) if label != own[index])
        raise ConfigError(
            f"class {index} is {data[index]!r} in the data and {own[index]!r} in the model, which reads classes: give "
            f"the data's reader the model's labels, {own}, or train with those of the data"
        )


def _reads_labels(model: Any) -> bool:
    """Return True if any part of a model depends on the label of a clip."""
    if not hasattr(model, "generator"):
        return True
    discriminators = model.discriminators.values()
    return model.generator.reads_label or any(
        discriminator.condition == "label" or discriminator.classifies for discriminator in discriminators
    )


class LabelsHook(Hook):
    """A hook that compares the labels of all data with the model's before a training or a test."""

    def before_train(self, runner: Runner) -> None:
        """Check the data of training and validation. Raise ``ConfigError`` as ``check_data_labels``."""
        for loop in (runner.train_loop, runner.val_loop):
            if loop is not None:
                check_data_labels(unwrapped(runner.model), getattr(loop.dataloader.dataset, "labels", ()))

    def before_test(self, runner: Runner) -> None:
        """Check the data of the test. Raise ``ConfigError`` as ``check_data_labels``."""
        check_data_labels(unwrapped(runner.model), getattr(runner.test_dataloader.dataset, "labels", ()))
