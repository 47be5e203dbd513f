"""Scores of reference methods, which are the static baselines and the upper bound on the samples of the benchmark."""

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
from i2vkit.datasets.transforms import ReadMaps, ReadPoints, RetargetJoints, RetargetLandmarks, RetargetMaps
from i2vkit.evaluation.metrics import VideoMetric
from i2vkit.evaluation.result import evaluators_of
from i2vkit.evaluation.run import build_protocol
from i2vkit.media import atomic_path
from i2vkit.registry import METRICS, SCOPE, TRANSFORMS, find_part
from i2vkit.utils.versions import package_versions

Metrics = dict[str, float]
NEAREST = "nearest training clip"
# The references of every score: three static baselines, the truth, and the truth as H.264 as upper bound. Two of the
# baselines copy their input.
REFERENCES = ("truth", "truth as H.264", NEAREST, "driving video", "image repeated")
# No reference method needs these transforms.
_SCORE_NEUTRAL = (ReadMaps, ReadPoints, RetargetJoints, RetargetLandmarks, RetargetMaps)


def cached_reference_scores(cfg: Config, path: Path) -> dict[str, Metrics]:
    """Return the scores of ``REFERENCES``, read from ``path`` if the same code and libraries have written it.

    They are the same for every model, and computing them takes as long as scoring five models. If ``path`` cannot be
    written, they are not stored.
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
    """Return the versions of libraries that draw and score, and a hash of the code of metrics and reference methods."""
    kinds = [find_part(METRICS, entry["type"]) for entry in evaluators_of(cfg)]
    files = sorted({inspect.getfile(kind) for kind in [*kinds, VideoMetric, NearestClip]})
    code = hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()
    return package_versions(("torch", "numpy", "opencv-python", "av")) | {"code": code}


def score_references(cfg: Config, names: Iterable[str] = REFERENCES) -> dict[str, Metrics]:
    """Return the scores of reference methods on the samples of a config's protocol, by all metrics of the config.

    Args:
        cfg: A config from ``benchmark_config``.
        names: Names of ``REFERENCE_METHODS``, or "nearest training clip". By default ``REFERENCES``.

    Raises:
        DataError: The data set is missing or incomplete.
    """
    with DefaultScope.overwrite_default_scope(SCOPE):
        dataset = plain_dataset(cfg.test_dataloader.dataset, build_protocol(cfg, None)[1])
        methods = {name: REFERENCE_METHODS[name] if name in REFERENCE_METHODS else _nearest(cfg) for name in names}
        return {name: _score(method, dataset, evaluators_of(cfg)) for name, method in methods.items()}


def _nearest(cfg: Config) -> ReferenceMethod:
    """Return the nearest-clip method on the training clips, which start at their first frame as test clips do."""
    return NearestClip(plain_dataset(cfg.train_dataloader.dataset, None, steps_of(cfg.test_dataloader.dataset)))


def plain_dataset(settings: dict, pair_sampler: object, steps: dict | None = None) -> ClipDataset:
    """Build the data set without the transforms that only models need. ``steps`` replaces its own pipeline if given."""
    steps = steps_of(settings) if steps is None else steps
    settings = {key: value for key, value in settings.items() if key not in SHORT_FORM}
    kept = {name: step for name, step in steps.items() if find_part(TRANSFORMS, step["type"]) not in _SCORE_NEUTRAL}
    return DATASETS.build({**settings, "pipeline": kept, "pair_sampler": pair_sampler})


def _score(method: ReferenceMethod, dataset: ClipDataset, evaluators: list[dict]) -> Metrics:
    """Return the metrics of the videos that ``method`` makes of all samples."""
    evaluator = Evaluator([dict(entry) for entry in evaluators])
    for number in range(len(dataset)):
        sample = dataset[number]["data_samples"]
        sample.generated = method(sample)
        evaluator.process([sample])
    return evaluator.evaluate(len(dataset))
