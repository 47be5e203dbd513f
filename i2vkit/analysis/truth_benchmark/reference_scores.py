"""Static baselines and upper bound: what videos that no model made score on the same samples, by the same metrics."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DATASETS, DefaultScope

from i2vkit.analysis.truth_benchmark.reference_methods import REFERENCE_METHODS, NearestClip, ReferenceMethod
from i2vkit.datasets import ClipDataset
from i2vkit.datasets.pipelines import SHORT_FORM, steps_of
from i2vkit.datasets.transforms import ReadMaps, ReadPoints, RetargetJoints, RetargetMaps
from i2vkit.evaluation.metrics import VideoMetric
from i2vkit.evaluation.result import evaluators_of
from i2vkit.evaluation.run import build_protocol
from i2vkit.media import atomic_path
from i2vkit.registry import METRICS, SCOPE, TRANSFORMS, find_part
from i2vkit.utils.versions import package_versions

Metrics = dict[str, float]
NEAREST = "nearest training clip"
# What every score is given with: two static baselines that copy what they were given, a third, and the upper bound.
REFERENCES = ("truth", "truth as H.264", NEAREST, "driving video", "image repeated")
# Transforms that no reference method needs.
_SCORE_NEUTRAL = (ReadMaps, ReadPoints, RetargetJoints, RetargetMaps)


def cached_reference_scores(cfg: Config, path: Path) -> dict[str, Metrics]:
    """What ``REFERENCES`` score, from ``path`` if that was written by the same code and libraries, or else anew.

    They are the same for every model, and take as long as scoring five. What cannot be written is not kept.
    """
    made_by = _made_by(cfg)
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept.get("made_by") == made_by:
            return kept["references"]
    references = score_references(cfg)
    with suppress(OSError), atomic_path(path) as temporary:
        text = json.dumps({"made_by": made_by, "references": references}, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")
    return references


def _made_by(cfg: Config) -> dict[str, str | None]:
    """Versions of the libraries that draw and score, and a hash of the code of metrics and reference methods."""
    kinds = [find_part(METRICS, entry["type"]) for entry in evaluators_of(cfg)]
    files = sorted({inspect.getfile(kind) for kind in [*kinds, VideoMetric, NearestClip]})
    code = hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()
    return package_versions(("torch", "numpy", "opencv-python", "av")) | {"code": code}


def score_references(cfg: Config, names: Iterable[str] = REFERENCES) -> dict[str, Metrics]:
    """What reference methods score on the samples of a config's protocol, by name; all metrics of
    ``cfg.test_evaluator``.

    Args:
        cfg: of ``benchmark_config``.
        names: of ``REFERENCE_METHODS``, or "nearest training clip".

    Raises:
        DataError: the set is not there or not whole.
    """
    with DefaultScope.overwrite_default_scope(SCOPE):
        dataset = _plain(cfg.test_dataloader.dataset, build_protocol(cfg, None)[1])
        methods = {name: REFERENCE_METHODS[name] if name in REFERENCE_METHODS else _nearest(cfg) for name in names}
        return {name: _score(method, dataset, evaluators_of(cfg)) for name, method in methods.items()}


def _nearest(cfg: Config) -> ReferenceMethod:
    """The clips that train, from their first frames on as the test's are."""
    return NearestClip(_plain(cfg.train_dataloader.dataset, None, steps_of(cfg.test_dataloader.dataset)))


def _plain(settings: dict, pair_sampler: object, steps: dict | None = None) -> ClipDataset:
    """The data set without what only models need; ``steps`` stand in for its own pipeline."""
    steps = steps_of(settings) if steps is None else steps
    settings = {key: value for key, value in settings.items() if key not in SHORT_FORM}
    kept = {name: step for name, step in steps.items() if find_part(TRANSFORMS, step["type"]) not in _SCORE_NEUTRAL}
    return DATASETS.build({**settings, "pipeline": kept, "pair_sampler": pair_sampler})


def _score(method: ReferenceMethod, dataset: ClipDataset, evaluators: list[dict]) -> Metrics:
    evaluator = Evaluator([dict(entry) for entry in evaluators])
    for number in range(len(dataset)):
        sample = dataset[number]["data_samples"]
        sample.generated = method(sample)
        evaluator.process([sample])
    return evaluator.evaluate(len(dataset))
