"""Floors and ceiling: what videos that no model made score on the same samples, by the same metrics."""

from __future__ import annotations

from collections.abc import Iterable

from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DATASETS, DefaultScope

from i2vkit.apis.test import build_protocol
from i2vkit.apis.truth_benchmark.contenders import CONTENDERS, Contender, NearestClip
from i2vkit.datasets import ClipDataset
from i2vkit.datasets.transforms import ReadMaps, ReadPoints, RetargetJoints, RetargetMaps
from i2vkit.registry import SCOPE, TRANSFORMS, find_part

NEAREST = "nearest training clip"
# What every score is given with: two floors that copy what they were given, a third, and the ceiling.
REFERENCES = ("truth", "truth as H.264", NEAREST, "driving video", "image repeated")
# Transforms that no contender needs.
_BESIDE = (ReadMaps, ReadPoints, RetargetJoints, RetargetMaps)


def score_references(cfg: Config, names: Iterable[str] = REFERENCES) -> dict[str, dict[str, float]]:
    """What contenders score on the samples of a config's protocol, by name; all metrics of ``cfg.test_evaluator``.

    Args:
        cfg: of ``benchmark_config``.
        names: of ``CONTENDERS``, or "nearest training clip".

    Raises:
        DataError: the set is not there or not whole.
    """
    with DefaultScope.overwrite_default_scope(SCOPE):
        dataset = _plain(cfg.test_dataloader.dataset, build_protocol(cfg, None)[1])
        contenders = {name: CONTENDERS[name] if name in CONTENDERS else _nearest(cfg) for name in names}
        return {name: _score(contender, dataset, cfg.test_evaluator) for name, contender in contenders.items()}


def _nearest(cfg: Config) -> Contender:
    """The clips that train, from their first frames on as the test's are."""
    return NearestClip(_plain({**cfg.train_dataloader.dataset, "pipeline": cfg.test_dataloader.dataset.pipeline}, None))


def _plain(settings: dict, pairing: object) -> ClipDataset:
    """The data set without what only models need."""
    kept = [step for step in settings["pipeline"] if find_part(TRANSFORMS, step["type"]) not in _BESIDE]
    return DATASETS.build({**settings, "pipeline": kept, "pairing": pairing})


def _score(contender: Contender, dataset: ClipDataset, evaluators: list[dict]) -> dict[str, float]:
    evaluator = Evaluator([dict(entry) for entry in evaluators])
    for number in range(len(dataset)):
        sample = dataset[number]["data_samples"]
        sample.generated = contender(sample)
        evaluator.process([sample])
    return evaluator.evaluate(len(dataset))
