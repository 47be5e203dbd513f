"""A warning about people whom a model is trained on and judged by."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from i2vkit.datasets.shared_people import describe_shared, shared_people


class PeopleHook(Hook):
    """A hook that warns if people are both in the training data and in those of the validation or the test."""

    def before_train(self, runner: Any) -> None:
        """Compare the data of the config. Data sets of other packages are left alone."""
        index = getattr(runner.train_dataloader.dataset, "everyone", None)
        splits: dict[tuple[str, ...], list[str]] = {}
        if index is None:
            return
        for split in ("val", "test"):
            loader = runner.cfg.get(f"{split}_dataloader") or {}
            people = shared_people(index, runner.cfg.train_dataloader["dataset"], loader.get("dataset") or {})
            splits.setdefault(tuple(people), []).append(split)
        for names, found in splits.items():
            if warning := describe_shared(list(names), found):
                runner.logger.warning(warning)
