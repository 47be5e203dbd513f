"""The contract of every registered metric: batches, order, copies, processes, and sets that are empty or degenerate."""

import copy
import math
import warnings

import pytest
import torch
from mmengine.dist import get_rank
from processes import start_processes

from i2vkit.errors import I2VError
from i2vkit.evaluation.sharing import SharingEvaluator
from i2vkit.registry import METRICS, MODELS, VIDEO_EMBEDDERS, part_names
from i2vkit.structures import VideoSample

GROUPS, TAKES, FRAMES, SIDE = 5, 2, 4, 16


@MODELS.register_module()
class CornerPixels(torch.nn.Module):
    """A fake embedder: the colours of a corner of every frame."""

    def forward(self, frames):
        return frames[:, :, 0, 0]


@VIDEO_EMBEDDERS.register_module()
class ColourMeans:
    """A fake embedder of videos: their mean colours."""

    name, hashes, min_frames = "colour means", {}, 1

    def __call__(self, video):
        return video.float().mean(dim=(1, 2, 3))


class BrightClassifier:
    """Stands for a trained classifier: bright videos are of class a."""

    labels, hashes = ("a", "b"), {}

    def __init__(self, *_):
        pass

    def __call__(self, videos):
        return ["a" if video.float().mean() > 127.5 else "b" for video in videos]


_EMBEDDED = dict(embedder=dict(type="ColourMeans"))
# The arguments of each metric of i2vkit.
ARGUMENTS = {
    "Accuracy": {},
    "Appearance": {},
    "BestOf": dict(metric=dict(type="Ssim"), num_samples=TAKES),
    "ContentDistance": dict(embedder=dict(type="NetworkEmbedder", network=dict(type="CornerPixels"))),
    "DiversityL1": {},
    "FrameFid": _EMBEDDED,
    "Fvd": _EMBEDDED,
    "LabelAccuracy": dict(config="any"),
    "MotionAccuracy": {},
    "MotionChangeR2": {},
    "Mse": {},
    "PoseError": {},
    "Psnr": {},
    "PsnrPerBatch": dict(batch_size=TAKES),
    "Ssim": {},
    "VideoFid": _EMBEDDED,
}
# Metrics whose weights are not shipped: without them they score nothing, which the last test sees.
WITHOUT_WEIGHTS = ("Lpips", "DiversityLpips")
# One documented property of these differs: the published number depends on the order of the batches.
DEPENDS_ON_ORDER = ("PsnrPerBatch",)


def samples(degenerate: str = "") -> list[dict]:
    """Two videos of each of five images, in the order of a test: all that metrics read."""
    rng = torch.Generator().manual_seed(0)
    found = []
    for number in range(GROUPS * TAKES):
        group = number // TAKES
        made = VideoSample(metainfo=dict(name=f"clip{group}", label_name="ab"[group % 2], seed=number % TAKES))
        shape = (3, FRAMES, SIDE, SIDE)
        made.truth, made.generated = (torch.randint(256, shape, generator=rng).to(torch.uint8) for _ in range(2))
        if number % TAKES:
            made.truth = found[-1]["truth"]  # one image has one truth
        if degenerate == "perfect":
            made.generated = made.truth
        if degenerate == "black":
            made.generated, made.truth = torch.zeros_like(made.truth), torch.zeros_like(made.truth)
        made.driving, made.image = made.truth.flip(1), made.truth[:, 0]
        made.label, made.scores = torch.tensor(group % 2), torch.rand(2, generator=rng)
        made.poses, made.true_poses, made.seen_poses = (torch.rand(4, 5, 2, generator=rng) for _ in range(3))
        made.change, made.predicted_change = (torch.rand(FRAMES - 1, 9, generator=rng) for _ in range(2))
        if degenerate:
            made.poses, made.predicted_change = made.true_poses, made.change
        found.append(made.to_dict())
    return found


@pytest.fixture(autouse=True)
def no_weights(monkeypatch):
    monkeypatch.setattr("i2vkit.evaluation.metrics.label_accuracy.LabelClassifier", BrightClassifier)


def build(name):
    return METRICS.build(dict(type=f"i2vkit.{name}", **ARGUMENTS[name]))


def score(metric, batches: list[list[dict]]) -> dict:
    for batch in batches:
        metric.process(None, batch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return metric.evaluate(sum(map(len, batches)))


def close(one: dict, two: dict) -> bool:
    return one.keys() == two.keys() and all(
        value == pytest.approx(two[key], rel=1e-9, abs=1e-9, nan_ok=True)
        for key, value in one.items()
        if isinstance(value, int | float)
    )


def by_image() -> list[list[dict]]:
    given = samples()
    return [given[first : first + TAKES] for first in range(0, len(given), TAKES)]


def test_every_metric_of_i2vkit_is_here():
    ours = {
        name
        for name, kind in part_names(METRICS).items()
        if kind.__module__.startswith("i2vkit.") and not getattr(kind, "__abstractmethods__", None) and kind.__name__
    }
    assert ours == {*ARGUMENTS, *WITHOUT_WEIGHTS}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_scores_do_not_depend_on_the_size_of_batches(name):
    alone, whole = build(name), build(name)
    expected = score(alone, [[sample] for sample in samples()])
    assert expected and all(math.isfinite(value) for value in expected.values() if isinstance(value, float))
    assert close(score(whole, [samples()]), expected)
    per = "per_image" if hasattr(alone, "per_image") else "per_video"
    assert getattr(whole, per) == getattr(alone, per)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_prefix_stands_before_every_score_and_none_is_asked_for(name, capsys):
    plain = score(build(name), by_image())
    assert "prefix" not in capsys.readouterr().out  # mmengine's warning
    prefixed = METRICS.build(dict(type=f"i2vkit.{name}", prefix="mine", **ARGUMENTS[name]))
    assert close(score(prefixed, by_image()), {f"mine/{key}": value for key, value in plain.items()})


@pytest.mark.parametrize("name", [name for name in ARGUMENTS if name not in DEPENDS_ON_ORDER])
def test_scores_do_not_depend_on_the_order_of_the_images(name):
    expected = score(build(name), by_image())
    assert close(score(build(name), by_image()[::-1]), expected)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_copy_goes_on_from_where_it_was_made_and_a_metric_can_be_used_again(name):
    first, *rest = by_image()
    metric = build(name)
    metric.process(None, first)
    twin = copy.deepcopy(metric)
    size = GROUPS * TAKES - len(first)
    for one in (metric, twin):
        for batch in rest:
            one.process(None, batch)
    expected = score(build(name), by_image())
    for one in (metric, twin):
        assert close(one.evaluate(size + len(first)), expected)
    assert close(score(metric, by_image()), expected)  # nothing of the first run is left


@pytest.mark.parametrize("kind", ["perfect", "black"])
@pytest.mark.parametrize("name", ARGUMENTS)
def test_scores_of_degenerate_videos_are_numbers(name, kind):
    found = score(build(name), [samples(kind)])
    assert all(math.isfinite(value) for value in found.values() if isinstance(value, int | float)), found


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_empty_set_gives_no_score_or_one_clear_error(name):
    try:
        found = build(name).compute_metrics([])
    except I2VError as error:
        assert str(error)
    else:
        assert all(value is None or math.isnan(value) for value in found.values()), found


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_a_metric_without_its_weights_scores_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    metric = METRICS.build(dict(type=f"i2vkit.{name}"))
    assert metric.skipped and score(metric, by_image()) == {}


def shared() -> list[dict]:
    """Two processes have whole images, of which the second has the middle ones."""
    own = [2, 3] if get_rank() else [0, 1, 4]
    indices = [image * TAKES + take for image in own for take in range(TAKES)]
    found, given = [], samples()
    for name in ARGUMENTS:
        evaluator = SharingEvaluator([build(name)], indices)
        for index in indices:
            evaluator.process([given[index]])
        found.append(evaluator.evaluate(len(given)))
    return found


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="two processes would need two GPUs; with gloo, none")
def test_two_processes_find_what_one_finds():
    first, second = start_processes(shared)
    for name, of_first, of_second in zip(ARGUMENTS, first, second, strict=True):
        assert of_first == of_second, name
        assert close(of_first, score(build(name), by_image())), name
